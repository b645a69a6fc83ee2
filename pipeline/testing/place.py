"""Where a thread is, for a reader: the innermost line of somebody's own code, not of what it called there."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

A = TypeVar("A", bound=Awaitable[Any])

_KIT = str(Path(__file__).parent) + os.sep
_ENGINE = str(Path(__file__).parents[1]) + os.sep
_LIBRARY = sysconfig.get_path("stdlib")
_LOOPS = tuple(f"{os.sep}{name}{os.sep}" for name in ("anyio", "trio", "uvloop"))

_waiting: list[Any] = []


@contextmanager
def waiting(coroutine: A) -> Iterator[A]:
    """Say that an event loop is running this one: a loop that waits shows nothing of what waits in it."""
    _waiting.append(coroutine)
    try:
        yield coroutine
    finally:
        _waiting.pop()


def place_of(thread: int) -> str:
    """Of the thread, or of the coroutine that its event loop waits with."""
    frame = sys._current_frames().get(thread)
    while frame is not None and not _is_own(frame):
        frame = frame.f_back
    waiting = _awaited(_waiting[-1]) if _waiting else None
    # In the kit, the thread is at most on its way to a loop.
    found = waiting if frame is None or (_is_kit(frame) and waiting is not None) else frame
    return f"{found.f_code.co_filename}:{found.f_lineno}" if found is not None else "an unknown place"


def place_in(error: BaseException) -> str:
    """Where an error was raised: the innermost line of somebody's own code; "" where that is the engine's."""
    places = []
    traceback = error.__traceback__
    while traceback is not None:
        if _is_own(traceback.tb_frame) and not traceback.tb_frame.f_code.co_filename.startswith(_ENGINE):
            places.append(f"{traceback.tb_frame.f_code.co_filename}:{traceback.tb_lineno}")
        traceback = traceback.tb_next
    return places[-1] if places else ""


def _awaited(waits: Any) -> FrameType | None:
    """Follow what awaits what, down to the last one that is somebody's own."""
    found: FrameType | None = None
    while waits is not None:
        frame = getattr(waits, "cr_frame", None) or getattr(waits, "gi_frame", None)
        if frame is not None and _is_own(frame) and not _is_kit(frame):
            found = frame
        # What is counted is sent into by hand: see `on_loop`.
        counted = frame.f_locals.get("coroutine") if frame is not None and _is_kit(frame) else None
        waits = getattr(waits, "cr_await", None) or getattr(waits, "gi_yieldfrom", None) or counted
    return found


def _is_own(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    if "-packages" in name:
        return not any(loop in name for loop in _LOOPS)
    return not name.startswith((_LIBRARY, "<"))


def _is_kit(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith(_KIT)
