"""CPU time and memory are those of all processes of a peer, whichever of them did the work."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.gateway import cpu
from benchmarks.gateway.cpu import core_seconds, cpu_seconds, longest_wait, rss_bytes, tree, waits

BURNT_SECONDS = 0.3

# It says a line when its child has burnt its time, and a second one when the child is gone.
PARENT = f"""
import subprocess, sys
burn = "import time\\nwhile time.process_time() < {BURNT_SECONDS}: pass\\nprint(flush=True); input()"
child = subprocess.Popen([sys.executable, "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print(flush=True)
input()
child.communicate(b"\\n")
print(flush=True)
input()
"""
THREAD = f"""
import threading, time
def burn():
    while time.process_time() < {BURNT_SECONDS}: pass
thread = threading.Thread(target=burn)
thread.start()
thread.join()
print(flush=True)
input()
"""
# Three children that burn at once, on one processor: the last one to end has waited for two.
RIVALS = f"""
import os, subprocess, sys
os.sched_setaffinity(0, {{min(os.sched_getaffinity(0))}})
burn = "import time\\nwhile time.process_time() < {BURNT_SECONDS}: pass\\nprint(flush=True); input()"
pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
children = [subprocess.Popen([sys.executable, "-c", burn], **pipes) for _ in range(3)]
for child in children:
    child.stdout.readline()
print(flush=True)
input()
"""
HOLD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "held = b'x' * 80_000_000; print(flush=True); input()"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print(flush=True)
input()
"""


@contextmanager
def started(script: str) -> Iterator[subprocess.Popen[str]]:
    """A script that has said its first line."""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "\n"
        yield process
        process.communicate("\n" * 3)


def test_a_childs_work_counts_while_it_lives_and_after_it_has_ended() -> None:
    with started(PARENT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert len(tree(process.pid)) == 2
        alive = cpu_seconds(process.pid)
        assert BURNT_SECONDS < alive < BURNT_SECONDS + 2
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "\n"
        assert tree(process.pid) == [process.pid]
        # What has ended is kept in ticks of 10 ms, user and system apart.
        assert cpu_seconds(process.pid) > alive - 0.03


def test_the_work_of_a_thread_that_has_ended_counts() -> None:
    with started(THREAD) as process:
        assert cpu_seconds(process.pid) >= BURNT_SECONDS


def test_idling_costs_nothing_whatever_others_do() -> None:
    with started("print(flush=True); input()") as process:
        before = cpu_seconds(process.pid)
        until = time.process_time() + 0.1
        while time.process_time() < until:
            pass
        assert cpu_seconds(process.pid) - before < 0.02


def test_waiting_for_a_rival_is_told_of_the_thread_that_waited() -> None:
    with started(RIVALS) as process:
        waited = waits(process.pid)
        assert {*tree(process.pid)} <= waited.keys()
        longest = longest_wait({}, waited)
        assert longest is not None
        assert longest > 1.5 * BURNT_SECONDS
        assert waited[process.pid] < longest


def test_the_longest_wait_is_that_of_one_thread_since_the_first_look() -> None:
    assert longest_wait({1: 5.0, 2: 1.0}, {1: 5.25, 2: 1.5, 3: 0.25}) == 0.5
    assert longest_wait({1: 5.0}, {}) is None


def test_a_cores_work_is_that_of_processes_and_of_no_interrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  9 9 9 9 9 9 9 9 0 0\ncpu1 100 20 3 4000 500 60 7 8 90 0\ncpu11 1 1 1 1 1 1 1 1 0 0\nintr 5\n")
    monkeypatch.setattr(cpu, "_STAT", stat)
    assert core_seconds(1) == (100 + 20 + 3 + 8) / os.sysconf("SC_CLK_TCK")


def test_this_machine_keeps_such_an_account() -> None:
    assert core_seconds(min(os.sched_getaffinity(0))) > 0


def test_memory_is_that_of_the_children_too() -> None:
    with started(HOLD) as process:
        assert rss_bytes(process.pid) > 80_000_000


def test_a_process_that_is_gone_has_no_figures() -> None:
    with started("print(flush=True); input()") as process:
        pass
    with pytest.raises(ProcessLookupError):
        cpu_seconds(process.pid)
