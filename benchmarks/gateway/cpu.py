"""CPU time, waits and memory of a process and all that it started, from the kernel's own accounts (Linux)."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_STAT = Path("/proc/stat")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def tree(pid: int) -> list[int]:
    """The process and its descendants that are alive, itself first.

    Each thread's own list of children is read (proc(5); in kernels with CONFIG_PROC_CHILDREN, as distributions have
    them): looking through all processes of the machine takes so long that the load would stand still meanwhile.
    """
    found = [pid]
    for parent in found:
        try:
            for thread in os.listdir(f"/proc/{parent}/task"):
                found += map(int, Path(f"/proc/{parent}/task/{thread}/children").read_text().split())
        except OSError:
            continue  # it ended meanwhile
    return found


def cpu_seconds(pid: int) -> float:
    """CPU time, user and kernel, that the process and its descendants have used.

    The living are read to the nanosecond, from each one's CPU clock. Those that ended and were waited for are in their
    parents' accounts, by which the sum never loses what a short-lived child used; those are kept in ticks of 10 ms.
    Raises `ProcessLookupError` if the process itself is gone.
    """
    total = 0.0
    living = tree(pid)
    for process in living:
        try:
            total += time.clock_gettime(_clock(process))
            fields = _fields(process)
        except OSError:
            if process == pid:
                raise ProcessLookupError(f"process {pid} is gone") from None
            continue
        total += (int(fields[13]) + int(fields[14])) / _TICKS_A_SECOND
    return total


def waits(pid: int) -> dict[int, float]:
    """For how many seconds each thread of the process and its descendants could have run and had no processor.

    Empty where the kernel keeps no such account (CONFIG_SCHED_INFO; distributions have it).
    """
    found = {}
    for process in tree(pid):
        try:
            for thread in os.listdir(f"/proc/{process}/task"):
                waited = Path(f"/proc/{process}/task/{thread}/schedstat").read_text().split()[1]
                found[int(thread)] = int(waited) / 1e9
        except OSError:
            continue
    return found


def longest_wait(before: Mapping[int, float], after: Mapping[int, float]) -> float | None:
    """How long the thread that waited most did so between two looks at `waits`; None if nothing is known of any.

    Not the sum: where several threads wait for the same neighbour at once, that is one wait and no more.
    """
    return max((waited - before.get(thread, 0.0) for thread, waited in after.items()), default=None)


def rss_bytes(pid: int) -> int:
    """Resident memory of the process and its descendants. Pages that two of them share count twice."""
    pages = 0
    for process in tree(pid):
        try:
            pages += int(Path(f"/proc/{process}/statm").read_text().split()[1])
        except OSError:
            continue
    return pages * _PAGE_BYTES


def core_seconds(core: int) -> float:
    """For how long a core has worked for processes, whichever, since the machine was started. In ticks of 10 ms.

    Interrupts are left out: the kernel may or may not have put them on the account of a process as well.
    """
    lines = (line.split() for line in _STAT.read_text().splitlines())
    user, nice, system, _idle, _iowait, _irq, _softirq, steal = next(
        map(int, fields[1:9]) for fields in lines if fields[0] == f"cpu{core}"
    )
    return (user + nice + system + steal) / _TICKS_A_SECOND


def _clock(pid: int) -> int:
    """The CPU clock of another process, as clock_getcpuclockid(3) makes it: all its threads, also those that ended."""
    return (~pid << 3) | 2


def _fields(pid: int) -> list[str]:
    """/proc/PID/stat from its third field on (proc(5)). The second may hold spaces and brackets."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
