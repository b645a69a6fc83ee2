"""What a piece of code does besides computing: as the interpreter tells it, and by what is there afterwards."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anyio

_ACTS = (
    *("socket.__new__", "socket.connect", "socket.bind", "socket.getaddrinfo", "_thread.start_new_thread"),
    *("subprocess.Popen", "os.system", "os.fork", "os.exec", "os.posix_spawn", "os.putenv", "os.unsetenv"),
    *("os.remove", "os.mkdir", "os.rmdir", "os.rename", "os.link", "os.symlink", "os.truncate", "shutil.rmtree"),
    "sqlite3.connect",
)
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_OPEN_FILES = Path("/proc/self/fd")


class Watch:
    """What the interpreter says it does (PEP 578), in one thread, while entered. A hook cannot be taken off again.

    Before Python 3.12 it says nothing of threads, so `Thread.start` is listened to as well: one that is over already
    has been started all the same.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._thread: int | None = None
        self._hooked = False
        self._start: Callable[[threading.Thread], None] = threading.Thread.start

    def __enter__(self) -> Watch:
        if not self._hooked:
            self._hooked = True
            sys.addaudithook(self._hook)
        self.seen = []
        self._thread = threading.get_ident()
        self._start = start = threading.Thread.start

        def heard(thread: threading.Thread) -> None:
            self._note(f"a thread, {thread.name}")
            start(thread)

        threading.Thread.start = heard  # type: ignore[method-assign, assignment]  # put back on the way out
        return self

    def __exit__(self, *error: object) -> None:
        threading.Thread.start = self._start  # type: ignore[method-assign, assignment]  # as it was
        self._thread = None

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        writes = event == "open" and arguments[2] & _WRITES
        if event in _ACTS or writes:
            self._note(event)

    def _note(self, what: str) -> None:
        if self._thread is not None and threading.get_ident() == self._thread:
            self.seen.append(what)


def what_is_left() -> Mapping[object, str]:
    """The threads, the tasks of the loop that is running and, where the system lists them, the open files."""
    threads: dict[object, str] = {("thread", ident): f"the thread {ident}" for ident in sys._current_frames()}
    return {**threads, **_tasks(), **_files()}


def left_since(before: Mapping[object, str]) -> list[str]:
    return [what for key, what in what_is_left().items() if key not in before]


def _tasks() -> dict[object, str]:
    try:
        return {("task", task.id): f"the task {task.name}" for task in anyio.get_running_tasks()}
    except anyio.NoEventLoopError:
        return {}


def _files() -> dict[object, str]:
    found: dict[object, str] = {}
    if _OPEN_FILES.exists():
        for entry in os.listdir(_OPEN_FILES):
            try:
                target = os.readlink(_OPEN_FILES / entry)
            except FileNotFoundError:
                continue  # the one that the list was read through
            found["file", entry, target] = f"{target} open"
    return found
