"""The stage `acme.cache`."""

from __future__ import annotations

from hashlib import sha256

from pipeline import (
    PRINCIPAL,
    TARGET_USED,
    DeadlineExceeded,
    Event,
    Handler,
    Host,
    Outcome,
    OutcomeKind,
    Request,
    Response,
    StageSettings,
    note,
    stage,
)
from pydantic import Field

from acme_cache.flight import Flight, Landing
from acme_cache.recorded import Recorded
from acme_cache.shelf import Shelf

KEPT = frozenset({"chat", "completion", "embedding", "embedding.single"})


@stage("acme.cache", reads=(PRINCIPAL,), response_writes=(TARGET_USED,), calls_next="at_most_once")
class Cache:
    """Answer from memory what was asked before in exactly the same way; of equal requests at once, ask for one.

    The others wait for it. If its caller leaves, one of them goes on in its place; if it fails, each for itself: an
    error is nobody else's. Failed, cut and refused answers are not kept.
    """

    class Settings(StageSettings):
        entries: int = Field(default=1000, gt=0, description="The most answers that are kept.")
        events: int = Field(default=10_000, gt=0, description="The longest answer that is kept, in events.")
        ttl_seconds: float = Field(default=300.0, gt=0, description="How long an answer is kept.")
        patience_seconds: float = Field(default=60.0, gt=0, description="How long one waits for an equal request.")
        shared: bool = Field(default=False, description="Whether callers get the answers to each other's requests.")

    def __init__(self, settings: Settings, host: Host) -> None:
        self._settings = settings
        self._shelf = Shelf(settings.entries, settings.ttl_seconds, host.clock)
        self._flights: dict[bytes, Flight] = {}

    async def stop(self) -> None:
        self._shelf.clear()

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        if request.operation not in KEPT:
            return await call_next(request)
        key = self._key(request)
        while True:
            kept = self._shelf.get(key)
            if kept is not None:
                note(request, cache="hit")
                return kept.response()
            flight = self._flights.get(key)
            if flight is None:
                note(request, cache="miss")
                return await self._lead(key, request, call_next)
            landing = await flight.wait(self._settings.patience_seconds)
            if flight.answer is not None:
                note(request, cache="shared")
                return flight.answer.response()
            if landing is Landing.EACH:
                note(request, cache="alone")
                return await call_next(request)
            # Handed over: whoever comes first leads, the others find its flight.

    async def _lead(self, key: bytes, request: Request, call_next: Handler) -> Response:
        flight = self._flights[key] = Flight()
        try:
            response = await call_next(request)
            if response.status == 200:
                _Recorder(self, key, flight, response, self._settings.events)
            else:
                self.land(key, flight, Landing.EACH)
        except BaseException as error:
            self.land(key, flight, Landing.EACH if _failed(error) else Landing.HANDED_OVER)
            raise
        return response

    def land(self, key: bytes, flight: Flight, landing: Landing, answer: Recorded | None = None) -> None:
        """Forget the flight before those who wait hear of it: the next must be able to begin."""
        if self._flights.get(key) is flight:
            del self._flights[key]
        if answer is not None:
            self._shelf.put(key, answer)
        flight.land(landing, answer)

    def _key(self, request: Request) -> bytes:
        """What must be equal. Lengths are part of it, or two fields could be read as two others."""
        caller = "" if self._settings.shared else request.slots[PRINCIPAL].id
        asked = (caller, request.operation, request.dialect, request.model, "stream" if request.stream else "whole")
        digest = sha256()
        for part in (*(text.encode("utf-8", "surrogatepass") for text in asked), request.payload.encode()):
            digest.update(b"%d:" % len(part))
            digest.update(part)
        return digest.digest()


class _Recorder:
    """Remembers the events of one body as they pass, and lands its flight however the body ends."""

    def __init__(self, cache: Cache, key: bytes, flight: Flight, response: Response, most: int) -> None:
        self._cache = cache
        self._key = key
        self._flight = flight
        self._response = response
        self._most = most
        self._events: list[Event] = []
        response.body.map(self._remember)
        response.body.on_end(self._ended)

    def _remember(self, event: Event) -> Event:
        if self._flight.landing is None:
            self._events.append(event)
            if len(self._events) > self._most:
                self._events.clear()
                self._cache.land(self._key, self._flight, Landing.EACH)
        return event

    def _ended(self, outcome: Outcome) -> None:
        if self._flight.landing is not None:
            return
        if outcome.kind is OutcomeKind.COMPLETE:
            answer = Recorded.of(self._response, self._events)
            self._cache.land(self._key, self._flight, Landing.ANSWER, answer)
        elif outcome.kind is OutcomeKind.FAILED and outcome.error is not None and _failed(outcome.error):
            self._cache.land(self._key, self._flight, Landing.EACH)
        else:
            self._cache.land(self._key, self._flight, Landing.HANDED_OVER)


def _failed(error: BaseException) -> bool:
    """Whether others would fare alike. A cancellation and a deadline belong to the one they ended."""
    return isinstance(error, Exception) and not isinstance(error, DeadlineExceeded)
