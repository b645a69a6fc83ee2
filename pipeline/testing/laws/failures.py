"""L11 and L12: errors pass on as what they are, and a cancellation leaves nothing behind."""

from __future__ import annotations

from functools import partial

import anyio

from pipeline.errors import GatewayError, InternalError
from pipeline.response import Response
from pipeline.stage import Stage
from pipeline.testing.law import law
from pipeline.testing.strategies import scenarios
from pipeline.testing.world import Result, World

MOST_PLACES = 24


@law(
    "L11",
    "Errors are typed and passed on, a cancellation is not swallowed",
    scenarios=scenarios,
    on_loops=True,
)
async def errors_pass_on(world: World) -> None:
    """What a stage raises of its own is a `GatewayError`, so that the caller gets a true status and no traceback. What
    comes from further in goes on, as it is or as another typed error; only `calls_next="many"` may try something else
    instead. A cancellation is not an error: whoever catches it raises it again.
    """
    failed: list[Exception] = []
    async with world.started() as stage:
        call_next = world.next()
        call_next.dressed = partial(_watched, failed)
        result = Result()
        try:
            response = await world.call(stage, world.request(), call_next)
        except Exception as error:
            result.error, result.in_head = error, True
        else:
            result.events, result.error = await world.read(world.bind(response))
    if call_next.raised or failed:
        _is_passed_on(world, result, [*call_next.raised, *failed][0])
    if result.error is not None:
        sent = [*call_next.raised, *(source.failed for source in world.sources)]
        _is_typed(world, result.error, sent, "instead of answering" if result.in_head else "while the body was read")
    await _is_cancelled(world)


def _watched(failed: list[Exception], response: Response) -> Response:
    """What a body failed with. A connection that breaks behind the end marker is nobody's failure."""
    response.body.on_end(lambda outcome: failed.append(outcome.error) if outcome.error is not None else None)
    return response


def _is_passed_on(world: World, result: Result, came: Exception) -> None:
    if world.subject.spec.calls_next != "many":
        assert result.error is not None, f"{came!r} came from further in and was swallowed"


def _is_typed(world: World, error: Exception, sent: list[Exception | None], where: str) -> None:
    """Of the stage's own or of what was sent to it. The engine hides what a function of the body raises."""
    cause = error.__cause__ if isinstance(error, InternalError) and error.__cause__ is not None else error
    if cause in sent or (world.subject.spec.terminal and "kit: a bug further in" in str(cause)):
        return
    assert isinstance(cause, GatewayError), f"it raised {type(cause).__name__}: {cause} {where}; raise a GatewayError"


async def _is_cancelled(world: World) -> None:
    for place in range(MOST_PLACES):
        other = world.again()
        async with other.started() as stage:
            call = partial(other.call, stage, other.request(), other.next())
            attempt = await other.attempt(call, cancel_at=place)
            if attempt.value is not None:
                await attempt.value.body.aclose()
            assert not attempt.swallowed, f"cancelled at its wait number {place + 1} it went on: raise it again"
        if not attempt.delivered:
            return


@law(
    "L12",
    "A cancellation at any wait leaves no task, no place and no open source",
    scenarios=scenarios,
    on_loops=True,
)
async def cancelled_anywhere(world: World) -> None:
    """Callers hang up all the time. So the exchange is cancelled at each place where it waits, one after the other,
    from the first call to the end of the body. Afterwards every source is released, no task is left, and the same
    instance still answers: a place or a lock that was not given back would be missed here.
    """
    expected = None
    for place in range(MOST_PLACES):
        other = world.again()
        async with other.started() as stage:
            before = _tasks(other)
            attempt = await other.attempt(partial(other.result, stage), cancel_at=place)
            at = f"after a cancellation at wait number {place + 1}"
            still_open = [source for source in other.sources if not source.released]
            assert not still_open, f"{len(still_open)} sources are open {at}"
            left = _tasks(other) - before
            assert not left, f"tasks are left {at}: {', '.join(sorted(left))}"
            if not attempt.delivered:
                return
            if expected is None:
                expected = await _alone(world)
            assert await _said(other, stage) == expected, f"the same instance answers otherwise {at}"


async def _alone(world: World) -> object:
    other = world.again()
    async with other.started() as stage:
        return await _said(other, stage)


async def _said(world: World, stage: Stage) -> object:
    result = await world.result(stage)
    return (type(result.error), result.texts)


def _tasks(world: World) -> set[str]:
    """Tasks of the loop that is running, by name; by hand there can be none."""
    if world.points.by_hand:
        return set()
    return {f"{task.name} {task.id}" for task in anyio.get_running_tasks()}
