"""`acme.cache` with one mistake each, as people make them. `LAWS` says which law of the conformance kit each breaks.

Kept to prove that they are found: by the kit, and here by what goes wrong.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

from pipeline import (
    END,
    PRINCIPAL,
    TARGET_USED,
    Body,
    Handler,
    Headers,
    Host,
    Outcome,
    OutcomeKind,
    Overloaded,
    Request,
    Response,
    stage,
)

from acme_cache import Cache
from acme_cache.flight import Flight
from acme_cache.recorded import Recorded

_DECLARED: Any = {"reads": (PRINCIPAL,), "response_writes": (TARGET_USED,), "calls_next": "at_most_once"}


@stage("broken.reads_first", **_DECLARED)
class ReadsFirst(Cache):
    """Reads all of an answer before it returns the head: nobody sees a first token before the last."""

    async def _lead(self, key: bytes, request: Request, call_next: Handler) -> Response:
        response = await super()._lead(key, request, call_next)
        events = [event async for event in response.body]
        return Response(Body.of(events), headers=response.headers, slots=response.slots)


@stage("broken.forgets_the_leader", **_DECLARED)
class ForgetsTheLeader(Cache):
    """Refuses a question that is asked already, and goes on refusing it when whoever asked has left."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        if self._key(request) in self._flights:
            raise Overloaded("This is asked already.")
        return await super().__call__(request, call_next)

    async def _lead(self, key: bytes, request: Request, call_next: Handler) -> Response:
        self._flights[key] = Flight()
        try:
            response = await call_next(request)
        except Exception:
            del self._flights[key]
            raise
        response.body.on_end(lambda outcome: self._flights.clear())
        return response


@stage("broken.swallows", **_DECLARED)
class Swallows(Cache):
    """Has an empty answer for whatever goes wrong, and for those who have left."""

    async def _lead(self, key: bytes, request: Request, call_next: Handler) -> Response:
        try:
            return await super()._lead(key, request, call_next)
        except BaseException:
            return Recorded(Headers(), None, (END,)).response()


@stage("broken.makes_its_folder", **_DECLARED)
class MakesItsFolder(Cache):
    """Makes the folder for its files when it is built, so that checking a config does too."""

    def __init__(self, settings: Any, host: Host) -> None:
        super().__init__(settings, host)
        os.rmdir(tempfile.mkdtemp())  # gone again, since this is only to be found out


@stage("broken.undeclared", response_writes=(TARGET_USED,), calls_next="at_most_once")
class Undeclared(Cache):
    """Reads who is calling and does not say so: a config that asks before anybody knows would be accepted."""


@stage("broken.raises_at_the_end", **_DECLARED)
class RaisesAtTheEnd(Cache):
    """Complains about an answer that was not read to its end, when nobody can hear it any more."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await super().__call__(request, call_next)
        response.body.on_end(_complain)
        return response


def _complain(outcome: Outcome) -> None:
    if outcome.kind is not OutcomeKind.COMPLETE:
        raise RuntimeError("there is nothing to keep")


LAWS = {
    ReadsFirst: "L13",
    ForgetsTheLeader: "L12",
    Swallows: "L11",
    MakesItsFolder: "L2",
    Undeclared: "L5",
    RaisesAtTheEnd: "L9",
}
