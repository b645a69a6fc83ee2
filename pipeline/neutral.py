"""Bodies made in the gateway: their events belong to no wire protocol, so there is nothing to decode."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from pipeline.codec import Usage
from pipeline.errors import GatewayError
from pipeline.events import Event


class EventSource:
    """Events as a body's source. A generator is closed with the body, so its `finally` runs."""

    def __init__(self, events: Iterable[Event] | AsyncIterator[Event]) -> None:
        self._events: AsyncIterator[Event] = events if isinstance(events, AsyncIterator) else _each(events)

    async def next(self) -> list[Event] | None:
        try:
            return [await anext(self._events)]
        except StopAsyncIteration:
            return None

    async def aclose(self) -> None:
        close = getattr(self._events, "aclose", None)
        if close is not None:
            await close()


class NeutralDecoder:
    """Hands events through; finished when the source is. Reading past `END` would find nothing.

    The counts are those of the events, or what `usage` says at the end.
    """

    dialect = ""
    whole = False

    def __init__(self, usage: Callable[[], Usage | None] | None = None) -> None:
        self.finished = False
        self.failure: GatewayError | None = None
        self._usage: Usage | None = None
        self._told = usage

    def feed(self, piece: list[Event]) -> list[Event]:
        for event in piece:
            counts = event.data.get("usage")
            if counts:
                self._usage = Usage(counts.get("prompt_tokens"), counts.get("completion_tokens"))
        return piece

    def finish(self) -> list[Event]:
        self.finished = True
        return []

    def events(self, frame: Event) -> Sequence[Event]:
        return (frame,)

    def usage(self) -> Usage | None:
        return self._told() if self._told is not None else self._usage


async def _each(events: Iterable[Event]) -> AsyncIterator[Event]:
    try:
        for event in events:
            yield event
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()
