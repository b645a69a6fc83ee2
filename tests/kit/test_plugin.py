"""The plugin as a stranger meets it: in a folder of their own, over their kind, with their tests beside it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.distribution import ROOT, distribution, run_pytest

PASSES = """
import sys
import warnings

@stage("acme.pass")
class Pass:
    class Settings(StageSettings):
        pass

    def __init__(self, settings: Settings, host: Host) -> None:
        pass

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        return await call_next(request)


class Loses(Pass):
    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await call_next(request)
        response.body.map(lambda event: None if event.text else event)
        return response


class Warns(Pass):
    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        print("acme was here")
        warnings.warn("acme is old", DeprecationWarning)
        return await call_next(request)


class Bare:
    pass


if sys.argv[0].endswith("pytest/__main__.py"):
    print("acme imported by pytest")
"""
STAGES = ("Loses", "Warns", "Bare", "Gone")
QUICK = ("--gatewright-law", "L3", "--gatewright-law", "L6")


@pytest.fixture
def acme(tmp_path: Path) -> Path:
    folder = distribution(tmp_path, PASSES, **{"pass": "Pass", **{name.lower(): name for name in STAGES}})
    folder.joinpath("test_own.py").write_text("def test_own():\n    pass\n", "utf-8")
    return folder


def test_a_stage_that_keeps_the_laws_passes_and_nothing_else_is_run(acme: Path) -> None:
    done = run_pytest(acme, "--gatewright-stage", "acme.pass", *QUICK, "-v")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
    assert "test_own" not in done.stdout
    assert re.search(r"gatewright: [\d.]+, held to the laws: acme\.pass, profile: ci, seed: \d+", done.stdout)


def test_the_laws_are_spread_over_processes(acme: Path) -> None:
    done = run_pytest(acme, "--gatewright-stage", "acme.pass", *QUICK, "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_a_config_is_held_to_the_laws_of_chains(acme: Path) -> None:
    done = run_pytest(acme, "--gatewright-config", str(ROOT / "configs" / "quickstart.yaml"), "--gatewright-law", "C1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


def test_a_config_that_cannot_be_built_fails_once_with_its_place(acme: Path) -> None:
    acme.joinpath("bad.yaml").write_text("version: 1\ngateways:\n  a: {use: nothing}\n", "utf-8")
    done = run_pytest(acme, "--gatewright-config", "bad.yaml")
    assert "1 failed, 4 skipped" in done.stdout
    assert "bad.yaml cannot be tried: " in done.stdout
    assert "bad.yaml:3" in done.stdout


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("acme.gone", "cannot be loaded: AttributeError"),
        ("acme.bare", "acme.bare is no stage: it has no nested class Settings"),
    ],
)
def test_a_kind_that_is_no_stage_fails_once_and_the_next_is_tried(acme: Path, kind: str, said: str) -> None:
    done = run_pytest(acme, "--gatewright-stage", kind, "--gatewright-stage", "acme.pass", *QUICK, "-rs")
    assert "1 failed, 2 passed, 1 skipped" in done.stdout
    assert f"{kind} cannot be tried: " in done.stdout
    assert said in done.stdout
    assert f"not tried: {kind} went no further than L3" in done.stdout


def test_what_is_known_to_stop_a_kind_stops_nothing_else(acme: Path) -> None:
    acme.joinpath("known.txt").write_text("acme.bare L3  # not yet\n", "utf-8")
    done = run_pytest(acme, "--gatewright-stage", "acme.bare", *QUICK, "--gatewright-xfail", "known.txt")
    assert "1 failed, 1 xfailed" in done.stdout
    assert "L6  No event is added" in done.stdout


def test_what_a_stage_prints_and_warns_of_is_pytests_to_show(acme: Path) -> None:
    acme.joinpath("pytest.ini").write_text("[pytest]\nfilterwarnings = error::DeprecationWarning\n", "utf-8")
    done = run_pytest(acme, "--gatewright-stage", "acme.warns", *QUICK)
    assert "2 failed" in done.stdout
    assert "DeprecationWarning: acme is old" in done.stdout
    assert "acme was here" in done.stdout.partition("Captured stderr call")[2]


def test_in_pytests_own_process_where_a_debugger_is(acme: Path) -> None:
    stops = ("--gatewright-in-process", "--gatewright-stage", "acme.loses", *QUICK)
    done = run_pytest(acme, *stops)
    assert "1 failed, 1 passed" in done.stdout
    assert "L6  No event is added, lost or reordered unless declared" in done.stdout
    assert "acme imported by pytest" in run_pytest(acme, *stops, "-s").stdout


def test_with_paths_both_are_run(acme: Path) -> None:
    assert "3 passed" in run_pytest(acme, "--gatewright-stage", "acme.pass", *QUICK, "test_own.py").stdout


def test_without_the_option_nothing_is_added(acme: Path) -> None:
    done = run_pytest(acme)
    assert "1 passed" in done.stdout
    assert "gatewright:" not in done.stdout


def test_a_broken_law_is_told_with_its_example_and_found_again(acme: Path) -> None:
    done = run_pytest(acme, "--gatewright-stage", "acme.loses", *QUICK)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "L6  No event is added, lost or reordered unless declared" in done.stdout
    assert "{'choices': [{'index': 0, 'delta': {'content': 'a'}, 'finish_reason': None}]}" in done.stdout
    assert "Traceback" not in done.stdout
    again = re.search(r"Again: pytest (.+)", done.stdout)
    assert again is not None
    assert example_in(run_pytest(acme, *again[1].split()).stdout) == example_in(done.stdout)


def example_in(text: str) -> str:
    return text.partition("The smallest example found:")[2].partition("Again:")[0]


def test_known_failures_are_expected_and_must_still_fail(acme: Path) -> None:
    acme.joinpath("known.txt").write_text("# ours\nacme.loses L6  # to be mended\nacme.loses L3  # not true\n", "utf-8")
    done = run_pytest(acme, "--gatewright-stage", "acme.loses", *QUICK, "--gatewright-xfail", "known.txt")
    assert "1 failed, 1 xfailed" in done.stdout
    assert "XPASS(strict)" in done.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--gatewright-stage", "acme.los"), "there is no stage kind named 'acme.los'; there are acme.bare, acme.gone"),
        (("--gatewright-stage", "acme.pass", "--gatewright-law", "L99"), "there is no law L99; there are L1, L2"),
        (("--gatewright-stage", "acme.pass", "--gatewright-xfail", "none.txt"), "none.txt: No such file"),
        (("--gatewright-stage", "acme.pass", "--gatewright-xfail", "bad.txt"), "bad.txt:1: say why, behind a `#`"),
        (("--gatewright-stage", "acme.pass", "--gatewright-patience", "0"), "0 is no number of seconds above 0"),
        (("--gatewright-stage", "acme.pass", "--gatewright-patience", "nan"), "nan is no number of seconds above 0"),
    ],
)
def test_what_does_not_exist_is_a_usage_error_that_names_it(acme: Path, options: tuple[str, ...], said: str) -> None:
    acme.joinpath("bad.txt").write_text("acme.pass L3\n", "utf-8")
    done = run_pytest(acme, *options)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert said in done.stdout + done.stderr


@pytest.mark.parametrize("module", ["gatewright_pytest", "gatewright_hypothesis"])
def test_an_entry_module_brings_nothing_of_ours_into_a_run_that_does_not_ask(module: str) -> None:
    asked = f"import sys, pytest; before = set(sys.modules); import {module}; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    tops = {name.partition(".")[0] for name in done.stdout.split()}
    assert tops - sys.stdlib_module_names - {"pytest", "_pytest"} == {module}


def test_hypothesis_knows_the_engines_types_whichever_is_imported_first() -> None:
    register = "import gatewright_hypothesis; gatewright_hypothesis.setup();"
    draw = "from hypothesis import strategies as st; print(st.from_type(pipeline.Request).example().operation)"
    for imports in (f"{register} import pipeline;", f"import pipeline; {register}"):
        command = [sys.executable, "-W", "ignore", "-c", f"{imports} {draw}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()


DIALECTS = """
from pipeline import Row
from stages.dialects.openai.dialect import OpenAI


class Acme(OpenAI):
    name = "acme"


class Deaf(Acme):
    def decode_request(self, operation, body, path_model):
        read = super().decode_request(operation, body, path_model)
        return read.payload["nobody"] if operation == "chat" else read


class Mute(Acme):
    conformance = ""


ROWS = [Row("dialect", kind, f"acme:{kind.title()}") for kind in ("acme", "deaf", "mute")]
"""


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    return distribution(tmp_path, DIALECTS, table="ROWS")


def test_a_strangers_dialect_is_held_to_the_laws_of_dialects(spoken: Path) -> None:
    done = run_pytest(spoken, "--gatewright-dialect", "acme", "-v")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 passed" in done.stdout
    assert re.search(r"held to the laws: acme, profile: ci, seed: \d+", done.stdout)


def test_a_dialect_that_breaks_a_law_is_told_with_its_example_and_found_again(spoken: Path) -> None:
    done = run_pytest(spoken, "--gatewright-dialect", "deaf", "--gatewright-law", "D6")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "D6  Any body of a request is a request or a refusal in words" in done.stdout
    assert "deaf breaks it by hand: KeyError: 'nobody'" in done.stdout
    again = re.search(r"Again: pytest (.+)", done.stdout)
    assert again is not None
    assert example_in(run_pytest(spoken, *again[1].split()).stdout) == example_in(done.stdout)


def test_a_dialect_that_cannot_be_held_to_them_is_told_why(spoken: Path) -> None:
    done = run_pytest(spoken, "--gatewright-dialect", "mute", "--gatewright-law", "D1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "mute cannot be tried: dialect 'mute' names no `conformance`" in done.stdout
    done = run_pytest(spoken, "--gatewright-dialect", "none")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "there is no dialect kind named 'none'; there are acme, deaf, mute" in done.stdout + done.stderr
