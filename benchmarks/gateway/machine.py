"""The machine that a run is taken on, and the priority that the run has on it."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.gateway.measurement import Machine
from benchmarks.gateway.servers import PINNED


@contextmanager
def raised_priority(nice: int) -> Iterator[int]:
    """Run with this niceness, with everything that is started meanwhile; gives the one that it became.

    A gateway that waits for the processor behind a neighbour finds more to do at once when its turn comes, and seems
    cheaper a chunk than it is. A negative niceness keeps neighbours out for the most part; only a privileged user may
    have one.
    """
    before = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.setpriority(os.PRIO_PROCESS, 0, nice)
    except PermissionError:
        yield before
        return
    try:
        yield nice
    finally:
        with suppress(PermissionError):  # whoever may not raise it may not undo having lowered it
            os.setpriority(os.PRIO_PROCESS, 0, before)


def machine(load_before: float, nice: int, neighbours: float | None) -> Machine:
    """The facts, with the load average of now as the one after the run."""
    cores = os.cpu_count() or 1
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return Machine(
        cpu=named[0] if named else platform.processor(),
        cores=cores,
        pinned=PINNED,
        nice=nice,
        python=sys.version.split()[0],
        kernel=platform.release(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        load_before=load_before,
        load_after=os.getloadavg()[0],
        neighbours=neighbours,
        realtime=os.sched_getscheduler(0) in (os.SCHED_RR, os.SCHED_FIFO),
    )
