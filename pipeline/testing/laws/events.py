"""L6: what becomes of the events."""

from __future__ import annotations

from dataclasses import replace

from pipeline.events import EventKind
from pipeline.testing.asking import STREAMED
from pipeline.testing.law import law
from pipeline.testing.laws.lines import line, word_of
from pipeline.testing.scenario import Answer
from pipeline.testing.strategies import said, scenarios
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
    the last one. Text that is held back is let go of when the answer ends: its last word is said if it would be said
    with more behind it, whether the finish reason comes behind it, with it or never.
    """
    await _last_word_is_said(world)
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


_FEW, _MANY = 8, 48
_ENDINGS = ("behind it", "with it", "never")


async def _last_word_is_said(world: World) -> None:
    if world.scenario.ask.operation not in STREAMED:
        return
    word = word_of(_FEW - 1)
    for ending in _ENDINGS:
        more = await _told(world, _MANY, ending)
        few = await _told(world, _FEW, ending)
        assert more is None or few is None or word not in more or word in few, (
            f"the last word of an answer is lost where the finish reason comes {ending}: {word!r} is not in {few!r}"
        )


async def _told(world: World, words: int, ending: str) -> str | None:
    """The text that comes out of an answer of so many words; None for an error."""
    operation = world.scenario.ask.operation
    items = [line(operation, at) for at in range(words)]
    if ending == "with it":
        items[-1]["choices"][0]["finish_reason"] = "stop"
    elif ending == "behind it":
        items.append(said(operation, "", finish="stop"))
    other = world.again(answer=Answer(operation, tuple(items)))
    async with other.started() as stage:
        result = await other.result(stage)
    return None if result.error is not None else "".join(result.texts.values()).lower()
