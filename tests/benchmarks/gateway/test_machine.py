"""The facts of the machine, and a priority that ends with the run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks.gateway.machine import machine, raised_priority

CHILD = [sys.executable, "-c", "import os; print(os.getpriority(os.PRIO_PROCESS, 0))"]


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, 0)


def privileged() -> bool:
    lower = "import os; os.setpriority(os.PRIO_PROCESS, 0, os.getpriority(os.PRIO_PROCESS, 0) - 1)"
    return subprocess.run([sys.executable, "-c", lower], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not privileged(), reason="a lower niceness is a privilege")
def test_a_priority_is_had_by_what_is_started_meanwhile_and_by_nothing_after_it() -> None:
    before = niceness()
    with raised_priority(before - 1) as got:
        assert got == niceness() == before - 1
        assert int(subprocess.run(CHILD, capture_output=True, check=True).stdout) == before - 1
    assert niceness() == before


def test_without_the_privilege_the_priority_stays_and_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError

    before = niceness()
    monkeypatch.setattr(os, "setpriority", refuse)
    with raised_priority(-15) as got:
        assert got == before


def test_the_machine_says_where_it_stands() -> None:
    got = machine(1.5, -3, 0.25)
    assert (got.load_before, got.nice, got.cores, got.realtime) == (1.5, -3, os.cpu_count(), False)
    assert got.neighbours == 0.25
    assert got.cpu
    assert got.python == sys.version.split()[0]
