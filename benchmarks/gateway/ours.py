"""What is measured of gatewright alone: importing the engine, and two workers beside one."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import anyio
import uvloop

from benchmarks.gateway.load import Load, Prepared
from benchmarks.gateway.measurement import Ours
from benchmarks.gateway.peers.gatewright import Gatewright
from benchmarks.gateway.scenarios import SCENARIOS
from benchmarks.gateway.servers import PINNED, ROOT, origin, running
from benchmarks.gateway.visit import WARM_UP_SECONDS, request

SCENARIO = SCENARIOS["whole-1k-c64"]
_IMPORT = "import time; begun = time.process_time(); import pipeline; print(time.process_time() - begun)"


def ours(rounds: int, seconds: float) -> Ours:
    """Both figures, each the median of the rounds."""
    return Ours(import_cpu_seconds(rounds), workers_ratio(rounds, seconds))


def import_cpu_seconds(rounds: int) -> float:
    """CPU time of `import pipeline` in a fresh interpreter that has its byte code."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def once() -> float:
        command = [sys.executable, "-c", _IMPORT]
        return float(subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, check=True).stdout)

    once()
    return statistics.median(once() for _ in range(rounds))


def workers_ratio(rounds: int, seconds: float) -> float | None:
    """Requests a second of two workers as a multiple of those of one, None on a machine with one core.

    Nothing is pinned: origin and load need cores, too, and take them from whom they will. Connections go to whichever
    worker accepts first, so the two seldom have the same number of them.
    """
    if not PINNED:
        return None
    one = Gatewright()
    two = replace(one, workers=2)
    with origin(core=None) as up, running(one, *up, core=None) as single, running(two, *up, core=None) as double:
        asked = [request(one, ask) for ask in SCENARIO.asks]
        ports = (single.port, double.port)
        pairs = [[uvloop.run(_rps(port, asked, seconds)) for port in ports] for _ in range(rounds)]
    return statistics.median(pair[1] for pair in pairs) / statistics.median(pair[0] for pair in pairs)


async def _rps(port: int, asked: Sequence[Prepared], seconds: float) -> float:
    load = Load(port, asked, SCENARIO.connections)
    await load.start()
    await anyio.sleep(WARM_UP_SECONDS)
    begun, load.tally.counting = time.monotonic(), True
    await anyio.sleep(seconds)
    took, load.tally.counting = time.monotonic() - begun, False
    load.stop()
    if load.tally.errors or not load.tally.requests:
        raise RuntimeError(f"{load.tally.errors} errors, the first: {load.tally.first_error}")
    return load.tally.requests / took
