"""L3, L4 and L10: what a stage may do with what it was given."""

from __future__ import annotations

import msgspec

from pipeline.request import Request
from pipeline.testing.law import law
from pipeline.testing.laws.guarded import fault_of
from pipeline.testing.strategies import scenarios
from pipeline.testing.world import World


@law("L3", "call_next is called as often as declared", scenarios=scenarios)
async def calls_as_declared(world: World) -> None:
    """`calls_next` in `@stage` is a promise: `never` makes a terminal, `once` and `at_most_once` say that what is
    further in runs at most once for a request, so that nothing is paid for twice. Only `many` may retry.
    """
    fault, call_next = await fault_of(world)
    assert fault is None or fault.rule != "calls", str(fault)
    if world.subject.spec.terminal:
        assert not call_next.requests, "a terminal called next: nothing is further in"


@law("L4", "The request that came in is left as it was", scenarios=scenarios)
async def request_untouched(world: World) -> None:
    """A retry sends the same request again, and whoever is further out still looks at it. So a stage passes a changed
    copy on, made with `evolve` and `payload.with_`; lists and objects that are looked up in a payload are shared and
    never edited, also not later, while the body is read.
    """
    async with world.started() as stage:
        request = world.request()
        before = _snapshot(request)
        try:
            response = await world.call(stage, request, world.next())
        except Exception:
            assert _snapshot(request) == before, "it edited the request in place, and raised"
            return
        body = world.bind(response)
        assert _snapshot(request) == before, "it edited the request in place: use payload.with_() and evolve()"
        await world.read(body)
        assert _snapshot(request) == before, "it edited the request in place while the body was read"


def _snapshot(request: Request) -> tuple[object, ...]:
    slots = sorted((slot.name, id(request.slots[slot])) for slot in sorted(request.slots.keys(), key=str))
    return msgspec.json.encode(dict(request.payload)), tuple(request.headers), slots, request.model, request.operation


@law("L10", "A response that is not returned is closed", scenarios=scenarios)
async def discarded_is_closed(world: World) -> None:
    """Whoever receives a response returns it, consumes its body or closes it; an abandoned one keeps a connection. The
    place where it is forgotten is the error path: a stage that raises after `call_next` has a response in its hands.
    """
    fault, call_next = await fault_of(world)
    assert fault is None or fault.rule != "ownership", str(fault)
    open_bodies = [response for response in call_next.responses if not response.body.closed]
    assert not open_bodies, "a response is still open after the exchange: return it, consume its body or close it"
