"""L2: a config can be checked anywhere, because building a stage does nothing."""

from __future__ import annotations

import sys
import threading
from typing import Any

from pipeline.testing.law import law
from pipeline.testing.strategies import scenarios
from pipeline.testing.world import World

_ACTS = (
    *("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.remove"),
    *("os.mkdir", "os.rename", "shutil.rmtree", "os.putenv", "_thread.start_new_thread"),
)


class _Watch:
    """What the interpreter says it does (PEP 578), in one thread, while entered. A hook cannot be taken off again."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._thread: int | None = None
        self._hooked = False

    def __enter__(self) -> _Watch:
        if not self._hooked:
            self._hooked = True
            sys.addaudithook(self._hook)
        self.seen = []
        self._thread = threading.get_ident()
        return self

    def __exit__(self, *error: object) -> None:
        self._thread = None

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._thread is None or threading.get_ident() != self._thread:
            return
        if event in _ACTS or (event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")):
            self.seen.append(event)


_WATCH = _Watch()


@law(
    "L2",
    "Construction has no side effects",
    scenarios=scenarios,
)
async def construction_is_quiet(world: World) -> None:
    """`gatewright check` builds every stage of a config, on any machine. So a constructor looks things up and computes,
    and leaves the rest to `start`: no connection, no process, no thread, no file written, nothing awaited or asked of
    an upstream, nothing logged.
    """
    world.build()  # what is imported on first use may write byte code
    before = set(threading.enumerate())
    with _WATCH as watch:
        world.build()
    started = set(threading.enumerate()) - before
    assert not started, f"the constructor started {', '.join(thread.name for thread in started)}: do it in `start`"
    assert not watch.seen, f"the constructor caused {', '.join(sorted(set(watch.seen)))}: do it in `start`"
    assert not world.points.passed, f"the constructor used {', '.join(world.points.passed)}"
    assert not world.upstream.calls, "the constructor called an upstream"
    assert not world.host.records, f"the constructor logged: {world.host.records[0]}"
