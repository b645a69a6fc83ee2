"""A scripted upstream: bytes or events, stalls and failures, in the order of a script; it remembers what was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.dialect import Dialect
from pipeline.headers import Headers
from pipeline.testing.points import Points
from pipeline.testing.virtual_clock import VirtualClock
from pipeline.transport import UpstreamAnswer, UpstreamCall


@dataclass(frozen=True)
class Stall:
    """A step at which the upstream is silent for a while, on the virtual clock."""

    seconds: float


class ScriptedSource:
    """Implements `pipeline.Source`. The steps: a piece to hand out, a `Stall`, an exception to raise; then the end.

    As the protocol says, the end and a failure release by themselves. `asked` counts reads, `handed_out` pieces,
    `closes` the calls of `aclose` that released something.
    """

    def __init__(self, steps: Sequence[Any], points: Points, clock: VirtualClock) -> None:
        self._steps = list(steps)
        self._points = points
        self._clock = clock
        self.asked = 0
        self.handed_out = 0
        self.closes = 0
        self.released = False
        self.asked_after_release = False
        self.failed: Exception | None = None

    @property
    def left(self) -> int:
        """How many steps nobody has asked for yet."""
        return len(self._steps)

    async def next(self) -> Any:
        self.asked += 1
        self.asked_after_release = self.asked_after_release or (self.released and self.closes > 0)
        await self._points.at("read")
        while self._steps:
            step = self._steps.pop(0)
            if isinstance(step, Stall):
                self._clock.advance(step.seconds)
                await self._points.at("stall")
                continue
            if isinstance(step, Exception):
                self._steps.clear()
                self.released = True
                self.failed = step
                raise step
            self.handed_out += 1
            return step
        self.released = True
        return None

    async def aclose(self) -> None:
        # A real close waits for the network; without the point an unshielded close would pass.
        await self._points.at("close", cancellable=False)
        self._steps.clear()
        self.closes += not self.released
        self.released = True


@dataclass(frozen=True)
class ScriptedAnswer:
    """An answer to a call: a head, and the steps of a `ScriptedSource`. `pipeline.testing.wire.played` puts it on a
    socket.
    """

    steps: Sequence[Any] = ()
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()

    def in_memory(self, points: Points, clock: VirtualClock) -> UpstreamAnswer:
        return UpstreamAnswer(self.status, Headers(self.headers), ScriptedSource(self.steps, points, clock))


Answering = Callable[[UpstreamCall], UpstreamAnswer]


class ScriptedUpstream:
    """Implements `pipeline.Upstream`: answers every call by `answer`, which may raise; remembers the calls."""

    def __init__(self, name: str, dialect: Dialect, answer: Answering, points: Points) -> None:
        self.name = name
        self.dialect = dialect
        self.profile = dialect.profiles[0]
        self.calls: list[UpstreamCall] = []
        self._answer = answer
        self._points = points

    async def send(self, call: UpstreamCall) -> UpstreamAnswer:
        self.calls.append(call)
        await self._points.at("send")
        return self._answer(call)


def cut(data: bytes, at: Sequence[int]) -> list[bytes]:
    """`data` in pieces, cut before the bytes `at`; none of them empty."""
    places = sorted({place for place in at if 0 < place < len(data)})
    return [data[i:j] for i, j in zip([0, *places], [*places, len(data)], strict=True) if i < j]


def one_byte_each(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]
