"""Strangers' stages: built, installed from wheels, found by their entry points, used from a config, tested by
themselves."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.packaging.environment import Environment, run
from tests.third_party.strangers import STRANGERS, Broken, Stranger, broken

BOTH = """\
version: 1
gateways:
  both:
    dialect: openai
    mount: /v1
    chain:
      - authenticate: {anonymous: true}
      - acme.redact: {phrases: [secret]}
      - acme.cache
      - echo
      - normalise
"""

ASK_TWICE = """\
import anyio
from pipeline import Pipeline, Request

async def main():
    payload = {"model": "echo", "messages": [{"role": "user", "content": "a secret"}]}
    async with Pipeline.from_config("both.yaml") as pipeline:
        for stream in (True, True, False, False):
            request = Request("chat", model="echo", payload={**payload, "stream": stream}, stream=stream)
            print("".join([event.text async for event in (await pipeline.handle(request)).body]))

anyio.run(main)
"""

each = pytest.mark.parametrize("stranger", STRANGERS, ids=str)


@pytest.fixture
def package(stranger: Stranger, tmp_path: Path) -> Path:
    """A copy without the sources, so that what runs is what was installed and nothing is written to the checkout."""
    left_out = shutil.ignore_patterns("__pycache__", "src", ".*_cache")
    return Path(shutil.copytree(stranger.folder, tmp_path / stranger.name, ignore=left_out))


@each
def test_its_own_tests_pass(environment: Environment, package: Path) -> None:
    said = environment.run("pytest", "-p", "no:cacheprovider", cwd=package)
    assert re.search(r"^=+ [1-9]\d+ passed in", said.splitlines()[-1]), said


@each
def test_it_is_found_by_its_entry_point(environment: Environment, stranger: Stranger, empty: Path) -> None:
    listed = environment.run("gatewright", "stages", "list", cwd=empty)
    assert re.search(rf"^  {stranger.kind} +{stranger.name} +\w", listed, re.MULTILINE), listed
    shown = environment.run("gatewright", "stages", "show", stranger.kind, cwd=empty)
    assert shown.startswith(f"stage {stranger.kind}, from {stranger.name} ({stranger.target})\n")
    assert "cannot be loaded" not in listed


@each
def test_its_example_is_a_config(environment: Environment, stranger: Stranger, empty: Path) -> None:
    said = environment.run("gatewright", "check", stranger.folder / "example.yaml", cwd=empty)
    assert f" -> {stranger.kind} -> echo" in said


def test_strangers_work_together(environment: Environment, empty: Path) -> None:
    empty.joinpath("both.yaml").write_text(BOTH, "utf-8")
    empty.joinpath("ask_twice.py").write_text(ASK_TWICE, "utf-8")
    said = environment.run("python", "ask_twice.py", cwd=empty)
    assert said == "a [redacted]\n" * 4


@each
def test_it_is_typed_and_tidy(environment: Environment, stranger: Stranger) -> None:
    environment.run("python", "-m", "mypy", "--cache-dir", "/dev/null", cwd=stranger.folder)
    run(sys.executable, "-m", "ruff", "check", "--no-cache", ".", cwd=stranger.folder)


@pytest.mark.parametrize("variant", broken(), ids=str)
def test_what_goes_wrong_with_a_broken_variant_is_shown_beside_it(variant: Broken) -> None:
    text = (variant.of.folder / "tests" / "test_broken.py").read_text("utf-8")
    whole = variant.of.target.partition(":")[2]
    assert f'@pytest.mark.parametrize("cls", [{whole}, {variant.name}])' in text
