"""The conformance kit in a stranger's hands: it passes what is right and names the law that each broken variant breaks.

With the plugin of an installed gatewright, from an empty folder, by the kind alone.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.packaging.environment import Environment
from tests.third_party.strangers import STRANGERS, Broken, Stranger, broken

# As long as it takes: the search ends with what it finds.
LONG = ("--gatewright-profile", "thorough")


def held(environment: Environment, kind: str, *options: str, cwd: Path) -> tuple[int, str]:
    """The exit code of the kit, and what it says."""
    command = (str(environment.bin / "pytest"), "-p", "no:cacheprovider")
    done = subprocess.run(
        [*command, "--gatewright-stage", kind, *options],
        cwd=cwd,
        env=environment.variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("stranger", STRANGERS, ids=str)
def test_a_strangers_stage_keeps_every_law(environment: Environment, stranger: Stranger, empty: Path) -> None:
    code, said = held(environment, stranger.kind, cwd=empty)
    assert code == 0, said
    assert re.search(r"^=+ 17 passed in", said.splitlines()[-1]), said


@pytest.mark.parametrize("variant", broken(), ids=str)
def test_a_broken_variant_breaks_the_law_that_is_named(with_broken: Environment, variant: Broken, empty: Path) -> None:
    code, said = held(with_broken, variant.kind, *LONG, "--gatewright-law", variant.law, cwd=empty)
    assert code == 1, said
    assert f"{variant.kind} breaks it" in said
    assert re.search(rf"^FAILED gatewright::{variant.kind}::{variant.law} \w", said, re.MULTILINE), said
