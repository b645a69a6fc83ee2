"""Stages that hang or end whatever process they are in: each is told on its law, and pytest goes on with the next."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.kit.distribution import distribution, run_pytest

STAGES = """
import os, re, time

@stage("acme.pass")
class Pass:
    class Settings(StageSettings):
        pass

    def __init__(self, settings: Settings, host: Host) -> None:
        pass

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        if request.operation == "chat":
            await self.odd()
        return await call_next(request)

    async def odd(self) -> None:
        pass


class EatsAll(Pass):
    async def odd(self) -> None:
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass


class Exits(Pass):
    async def odd(self) -> None:
        os._exit(3)


class Crashes(Pass):
    async def odd(self) -> None:
        os.kill(os.getpid(), 11)


class Sleeps(Pass):
    async def odd(self) -> None:
        time.sleep(3600)


class Waits(Pass):
    async def odd(self) -> None:
        import anyio
        await anyio.Event().wait()


class Holds(Pass):
    async def odd(self) -> None:
        re.match("(a+)+$", "a" * 60 + "b")  # one call into C, which lets no other thread run


class Leaves(Pass):
    async def odd(self) -> None:
        raise SystemExit("acme is done")


class Interrupts(Pass):
    async def odd(self) -> None:
        raise KeyboardInterrupt
"""
ENDLESS = "import time\nwhile True:\n    try:\n        time.sleep(1)\n    except BaseException:\n        pass\n"
GONE = "import sys\nsys.exit('acme needs a licence')\n"

# The class, and what is said of it.
DOES = r"it does not end: 2 s of its own were not enough, and at last it was in \S+acme\.py:\d+"
ENDED = "it ended the process in which it was tried, with"
EACH = {
    "eats": ("EatsAll", DOES),
    "sleeps": ("Sleeps", DOES),
    "waits": ("Waits", DOES),
    "holds": ("Holds", "it does not end, and lets nothing else run that could say where it is"),
    "exits": ("Exits", f"{ENDED} exit status 3"),
    "crashes": ("Crashes", rf"{ENDED} signal 11 \(Segmentation fault\)"),
    "leaves": ("Leaves", "it raised SystemExit: acme is done"),
    "interrupts": ("Interrupts", "it raised KeyboardInterrupt, which ends the whole process"),
}
# Not more than a test may take on a slow machine.
RUNS = [["eats", "sleeps"], ["waits", "holds"], ["exits", "crashes", "leaves", "interrupts"]]
PATIENCE = ("--gatewright-patience", "2")


def run(folder: Path, *kinds: str) -> str:
    """What is said of them and of a good one behind them, by the laws L3 and L4."""
    asked = [option for kind in (*kinds, "pass") for option in ("--gatewright-stage", f"acme.{kind}")]
    done = run_pytest(folder, *asked, "--gatewright-law", "L3", "--gatewright-law", "L4", *PATIENCE, "-rA")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    for law in ("L3", "L4"):
        assert re.search(rf"^PASSED gatewright::acme\.pass::{law} ", done.stdout, re.MULTILINE), "pytest went on"
    return done.stdout


def report_of(kind: str, stdout: str) -> str:
    begun = stdout.split(f"acme.{kind}::L3 call_next is called as often as declared _")[1]
    return begun.partition("\n___")[0]


@pytest.mark.parametrize("kinds", RUNS, ids="-".join)
def test_it_is_told_on_its_law_with_its_last_example_and_pytest_goes_on(tmp_path: Path, kinds: list[str]) -> None:
    stages = {kind: EACH[kind][0] for kind in kinds}
    stdout = run(distribution(tmp_path, STAGES, **stages, **{"pass": "Pass"}), *kinds)
    for kind in kinds:
        report = report_of(kind, stdout)
        assert "L3  call_next is called as often as declared" in report
        assert re.search(EACH[kind][1], report), report
        assert "    ask       Ask(dialect='ollama'" in report
        again = rf"Again: pytest --gatewright-stage acme\.{kind} --gatewright-law L3 --gatewright-seed 0$"
        assert re.search(again, report, re.MULTILINE), report


def test_a_module_whose_import_does_not_end_or_ends_all_is_told_on_its_first_law(tmp_path: Path) -> None:
    folder = distribution(tmp_path, STAGES, **{"pass": "Pass"})
    offered = folder / "acme-1.0.dist-info" / "entry_points.txt"
    offered.write_text(offered.read_text("utf-8") + "acme.endless = endless:X\nacme.gone = gone:X\n", "utf-8")
    folder.joinpath("endless.py").write_text(ENDLESS, "utf-8")
    folder.joinpath("gone.py").write_text(GONE, "utf-8")
    stdout = run(folder, "endless", "gone")
    assert re.search(r"acme\.endless breaks it: it does not end: .* it was in \S+endless\.py:\d+", stdout)
    assert re.search(r"acme\.gone cannot be tried: SystemExit: acme needs a licence, at \S+gone\.py:2", stdout)


def test_a_table_of_kinds_whose_import_does_not_end_is_a_usage_error(tmp_path: Path) -> None:
    folder = distribution(tmp_path, STAGES, **{"pass": "Pass", "table": "ROWS"})
    folder.joinpath("acme.py").write_text(ENDLESS, "utf-8")
    done = run_pytest(folder, "--gatewright-stage", "acme.pass", *PATIENCE)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert re.search(r"the registered kinds cannot be listed: it does not end: .* \S+acme\.py:\d+", done.stderr)
