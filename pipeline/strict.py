"""The same fold with guards: what tests and start-up checks run, so that a broken stage is named by its kind.

Two composers, one contract (Koa's idea): the slim one for production, this one where a mistake should be loud.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from pipeline.chain import fold_order, split
from pipeline.request import Request
from pipeline.response import Response
from pipeline.stage import Handler, Stage, StageSpec, spec_of

Rule = Literal["calls", "request", "slots", "ownership"]


class StageFault(AssertionError):
    """A stage broke its contract. The text names the stage, what it did, and the likely cause; `rule` says which."""

    def __init__(self, message: str, rule: Rule) -> None:
        super().__init__(message)
        self.rule = rule


def compose_strict(stages: Sequence[Stage], terminal: Handler | None = None) -> Handler:
    """Like `compose`; each stage is checked as it runs. The handler raises `StageFault`.

    Checked: `call_next` is called as often as declared; the request is not edited in place; only declared slots are
    written and none is lost, down and up; a response that was received is returned, consumed or closed, also by a stage
    that raises.
    """
    order = split(stages, terminal)[0] if terminal is not None else fold_order(stages)
    handler = terminal if terminal is not None else _unreachable
    for stage in reversed(order):
        handler = Guard(stage, handler)
    return handler


class Guard:
    """One stage around `inner`, as a handler that raises `StageFault`."""

    def __init__(self, stage: Stage, inner: Handler) -> None:
        self._stage = stage
        self._inner = inner
        self._spec = spec_of(stage)

    async def __call__(self, request: Request) -> Response:
        spec = self._spec
        calls = 0
        received: list[Response] = []
        before = _snapshot(request)

        async def call_next(passed: Request) -> Response:
            nonlocal calls
            calls += 1
            if calls > 1 and spec.calls_next != "many":
                message = f"{spec.kind} called next {calls} times but declares {spec.calls_next!r}"
                raise StageFault(message, "calls")
            _check_request(spec, request, passed)
            response = await self._inner(passed)
            received.append(response)
            return response

        try:
            response = await self._stage(request, call_next)
        except StageFault:
            raise
        except Exception:
            _check_ownership(spec, received, None)
            raise
        if not isinstance(response, Response):
            raise StageFault(
                f"{spec.kind} returned {type(response).__name__}, not a Response; was `return` or `await` forgotten?",
                "ownership",
            )
        if spec.calls_next == "once" and calls == 0:
            message = f"{spec.kind} did not call next but declares 'once'; short circuits are 'at_most_once'"
            raise StageFault(message, "calls")
        if _snapshot(request) != before:
            message = f"{spec.kind} edited the request's payload in place: use payload.with_() and evolve()"
            raise StageFault(message, "request")
        _check_ownership(spec, received, response)
        _check_response_slots(spec, received, response)
        return response


def _snapshot(request: Request) -> bytes:
    return msgspec.json.encode(dict(request.payload))


def _check_request(spec: StageSpec, before: Request, passed: Request) -> None:
    if not isinstance(passed, Request):
        raise StageFault(f"{spec.kind} passed {type(passed).__name__} on, not a Request", "request")
    lost = before.slots.keys() - passed.slots.keys()
    if lost:
        raise StageFault(f"{spec.kind} lost the slots {_names(lost)}: use evolve()", "slots")
    undeclared = passed.slots.keys() - before.slots.keys() - spec.writes
    if undeclared:
        raise StageFault(f"{spec.kind} wrote the slots {_names(undeclared)} without declaring writes", "slots")


def _check_ownership(spec: StageSpec, received: list[Response], returned: Response | None) -> None:
    if spec.calls_next == "many" and returned is not None and all(r.body is not returned.body for r in received):
        return  # a body made of several: it owns them, and releases them when it ends
    for response in received:
        if (returned is None or response.body is not returned.body) and not response.body.closed:
            raise StageFault(f"{spec.kind} dropped a response: return it, consume its body or close it", "ownership")


def _check_response_slots(spec: StageSpec, received: list[Response], returned: Response) -> None:
    passed_on = received[-1] if received and received[-1].body is returned.body else None
    before = passed_on.slots.keys() if passed_on else frozenset()
    lost = before - returned.slots.keys()
    if lost:
        raise StageFault(f"{spec.kind} lost the response slots {_names(lost)}: use evolve()", "slots")
    undeclared = returned.slots.keys() - spec.response_writes
    for response in received:
        undeclared -= response.slots.keys()
    if undeclared:
        message = f"{spec.kind} wrote the response slots {_names(undeclared)} without response_writes"
        raise StageFault(message, "slots")


def _names(slots: frozenset[object] | set[object]) -> list[str]:
    return sorted(getattr(slot, "name", repr(slot)) for slot in slots)


async def _unreachable(request: Request) -> Response:
    raise StageFault("a terminal stage called next, though it declares calls_next='never'", "calls")
