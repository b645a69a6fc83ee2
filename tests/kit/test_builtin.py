"""Every registered stage keeps every law. A new one is held to them from the day it is registered."""

from __future__ import annotations

import os

import pytest

from pipeline.testing import Trial, trials

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci")


@pytest.mark.parametrize("trial", trials(["all"]), ids=lambda trial: f"{trial.kind}-{trial.law_id}")
def test_a_built_in_stage_keeps_the_law(trial: Trial) -> None:
    spared = trial.spared()
    if spared:
        pytest.skip(spared)
    trial.run(profile=PROFILE)
