"""How often the garbage collector of a serving process looks for cycles.

A request makes next to none of them; what it uses is freed by counting references. But Python's default is to look each
time 700 containers more are alive, which a few dozen requests at once reach and fall below all the time: measured at
64 connections, a tenth of a request's CPU. The process decides this and not the library: embedded use changes nothing.
"""

from __future__ import annotations

import gc

YOUNG_CONTAINERS = 50_000
"""Some ten megabytes: as much as may be lying about before somebody looks."""


def collect_seldom() -> None:
    """Keep what start-up has made, which is never garbage, out of every search, and search less often."""
    gc.collect()
    gc.freeze()
    _, *older = gc.get_threshold()
    gc.set_threshold(YOUNG_CONTAINERS, *older)
