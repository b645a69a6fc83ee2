"""How many examples a law is tried on: 50 in every run, 5 000 in the thorough one."""

from __future__ import annotations

import os

from hypothesis import Phase, settings

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"

# Explaining a failure would take minutes: whole chains run in each example.
_PHASES = [phase for phase in Phase if phase is not Phase.explain]

often = settings(max_examples=5_000 if THOROUGH else 50, phases=_PHASES)
"""A decorator. All else is as the profile says."""


def among(pairs: int) -> settings:
    """A decorator for a law that is tried on so many pairs of dialects: they share the 5 000 of the thorough run.

    In every run each has 17, which is 50 among three.
    """
    return settings(max_examples=-(-5_000 // pairs) if THOROUGH else 17, phases=_PHASES)
