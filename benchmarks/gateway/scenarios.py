"""What is asked of each peer: which requests, on how many connections, as fast as answers come or at a fixed rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from benchmarks.gateway.agreed import ALIASES
from benchmarks.gateway.answers import CHUNKS_PER_SECOND

CROWD = 200
Size = Literal["1k", "history-200k", "image-1m"]


@dataclass(frozen=True, slots=True)
class Ask:
    """One kind of request: the alias that is asked for, how large the request is, whether a stream is wanted, and of
    how many chunks (None: as many as the origin sends by itself)."""

    alias: str
    size: Size = "1k"
    stream: bool = False
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """Requests and how they are sent.

    Closed loop (`rate` None): each connection asks again as soon as it is answered, going through `asks` in turn, each
    connection from another one. Open loop: `rate` requests a second whatever the answers do, and a request's time
    counts from when it was due. `ramp_seconds` is over how long the connections begin. `chunk_rate` is how many chunks
    a second the origin sends on each stream, if every connection is busy with a paced one. Where little happens in a
    second, a measurement takes `least_seconds`.
    """

    name: str
    asks: tuple[Ask, ...]
    connections: int
    rate: float | None = None
    ramp_seconds: float = 0.0
    chunk_rate: int | None = None
    least_seconds: float = 0.0

    @property
    def only_streams(self) -> bool:
        """Whether all of it is streams, so that CPU per chunk means something."""
        return all(ask.stream for ask in self.asks)

    @property
    def paced(self) -> bool:
        """Whether it is the origin's pace that decides how long an answer takes."""
        return all(ALIASES[ask.alias] in CHUNKS_PER_SECOND for ask in self.asks)

    @property
    def closed(self) -> bool:
        """Whether it is the peer's speed that decides how many answers there are."""
        return self.rate is None and not self.paced

    @property
    def crowd(self) -> bool:
        """Whether there are so many streams at once that the memory of one can be told."""
        return self.connections >= CROWD


_CHAT = Ask("chat-1k")
_HISTORY = Ask("chat-1k", "history-200k")
_BURST = Ask("chat-burst", stream=True)
_SHORT_STREAM = Ask("chat-20cps", stream=True, limit=10)  # half a second, so that five run at once

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("streams-800", (Ask("chat-20cps", stream=True),), 800, ramp_seconds=2.02, chunk_rate=20),
        Scenario("whole-1k-c64", (_CHAT,), 64),
        Scenario("whole-1k-c1", (_CHAT,), 1),
        Scenario("whole-1k-low", (_CHAT,), 8, rate=10.0, least_seconds=2.0),
        Scenario("stream-low", (_SHORT_STREAM,), 32, rate=10.0, least_seconds=2.0),
        Scenario("whole-100k-c16", (Ask("chat-100k"),), 16),
        Scenario("mixed", (*(_CHAT,) * 6, _HISTORY, *(_CHAT,) * 6, Ask("chat-100k"), _BURST, _BURST), 32),
        Scenario("history-200k-c8", (_HISTORY,), 8),
        Scenario("image-1m-c4", (Ask("chat-1k", "image-1m"),), 4),
        Scenario("stream-burst-c8", (_BURST,), 8),
        Scenario("stream-paced", (Ask("chat-100cps", stream=True),), 20, None, 0.21, 100, least_seconds=1.2),
    )
}
"""By name, in the order in which a round goes through them: the one whose memory is looked at finds the peers fresh.
Ramps are no whole number of chunk intervals, so that streams do not all send at the same moment. *mixed* stands where
nobody visited before it is slow to calm down."""

ALL = frozenset(SCENARIOS)
PRINCIPAL = ALL - {"whole-1k-c1", "whole-100k-c16", "mixed"}
"""What gateways other than gatewright are visited with: a run has ten minutes, and they are slow."""

LATENCIES = frozenset({"whole-1k-c1", "whole-1k-low", "stream-low", "stream-paced", "streams-800"})
"""Where it is told how long something takes, so that the time without any gateway is wanted beside it."""
