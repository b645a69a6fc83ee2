"""L6 and L13: what becomes of the events, and when."""

from __future__ import annotations

from dataclasses import replace

from pipeline.events import EventKind
from pipeline.testing.law import law
from pipeline.testing.scenario import Answer
from pipeline.testing.strategies import neutrally_streamed, said, scenarios
from pipeline.testing.world import World

TAG = "kit"


@law(
    "L6",
    "No event is added, lost or reordered unless declared",
    scenarios=lambda subject: scenarios(subject, neutral=True),
    spared=lambda spec: "a terminal has no events to pass on" if spec.terminal else "",
)
async def events_one_to_one(world: World) -> None:
    """Stages further out count on what stages further in let through. A stage that turns one event into several or
    none declares `expands`; its events still come in order. Unknown fields of an event survive, and the end marker is
    the last one.
    """
    tagged = replace(
        world.scenario.answer, items=tuple({**item, TAG: at} for at, item in enumerate(world.scenario.answer.items))
    )
    async with world.started() as stage:
        call_next = world.next(tagged)
        try:
            response = await world.call(stage, world.request(), call_next)
        except Exception:
            return
        body = world.bind(response)
        passed_on = any(received.body is body for received in call_next.responses)
        came, error = await world.read(body)
    if not passed_on:
        return
    kinds = [event.kind for event in came]
    assert EventKind.END not in kinds[:-1], "events follow the end marker"
    assert error or kinds[-1:] == [EventKind.END], "the end marker was lost"
    tags = [event.data.get(TAG) for event in came if event.kind is EventKind.DATA]
    if world.subject.spec.expands:
        known = [tag for tag in tags if tag is not None]
        assert known == sorted(known), f"events came in the order {known}"
        return
    handed_out = min(world.sources[0].handed_out, len(tagged.items))
    expected = list(range(handed_out))
    assert tags == expected or (error is not None and tags == expected[: len(tags)]), (
        f"of the events {expected} came {tags}: declare expands=True, or let each through with its unknown fields"
    )


_WORDS = 40


@law(
    "L13",
    "The first event is out before the second is asked for",
    scenarios=neutrally_streamed,
    spared=lambda spec: "a terminal has no events to pass on" if spec.terminal else "",
)
async def first_out_first(world: World) -> None:
    """A caller waits for the first token, so a stage neither reads a body before it returns the head nor holds events
    back. One that declares `expands` may keep a little, to look at more than one at a time; not the whole answer.
    """
    operation = world.scenario.ask.operation
    words = tuple(said(operation, f" w{at}") for at in range(_WORDS))
    async with world.started() as stage:
        call_next = world.next(Answer(operation, words))
        ask = replace(world.scenario.ask, stream=True)
        try:
            response = await world.call(stage, world.request(ask), call_next)
        except Exception:
            return
        if not world.sources:
            await response.body.aclose()
            return
        source = world.sources[0]
        read_early = source.asked
        body = world.bind(response, ask)
        try:
            await anext(body)
        except Exception:
            return
        finally:
            await body.aclose()
    assert not read_early, f"it read {read_early} pieces of the body before it returned the head"
    most = _WORDS - 1 if world.subject.spec.expands else 1
    assert source.handed_out <= most, f"the first event came out after {source.handed_out} had been asked for"
