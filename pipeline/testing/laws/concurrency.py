"""L14: one instance serves many requests at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipeline.events import Data, Event
from pipeline.response import Response
from pipeline.stage import Stage
from pipeline.testing.law import law
from pipeline.testing.scenario import Answer, Ask
from pipeline.testing.strategies import neutrally_streamed, spoken
from pipeline.testing.world import Result, World

_ASKED_WITH = ("prompt", "input")


@law(
    "L14",
    "Requests that run side by side do not meet",
    scenarios=neutrally_streamed,
)
async def side_by_side(world: World) -> None:
    """One instance of a stage serves every request. Two exchanges that are read in turn give each caller what it would
    have got alone: what belongs to a request lives in the call or in its functions, never on the instance.
    """
    ask, answer = world.scenario.ask, world.scenario.answer
    answer = replace(answer, items=(*spoken(world.scenario), *answer.items))
    asked_other = _otherwise(ask)
    if asked_other is None:
        return
    other_answer = replace(answer, items=tuple(_marked(answer.items)))
    alone = [await _alone(world, ask, answer), await _alone(world, asked_other, other_answer)]
    together = await _together(world, [(ask, answer), (asked_other, other_answer)])
    for which, (one, two) in enumerate(zip(alone, together, strict=True)):
        if one.error is None and two.error is None:
            assert one.texts == two.texts, f"request {which + 1} got {two.texts} beside another, alone {one.texts}"


async def _alone(world: World, ask: Ask, answer: Answer) -> Result:
    other = world.again(ask=ask, answer=answer)
    async with other.started() as stage:
        return await other.result(stage)


async def _together(world: World, exchanges: list[tuple[Ask, Answer]]) -> list[Result]:
    other = world.again()
    results = [Result() for _ in exchanges]
    async with other.started() as stage:
        reading: list[tuple[Result, Response]] = []
        for result, (ask, answer) in zip(results, exchanges, strict=True):
            response = await _head(other, stage, ask, answer, result)
            if response is not None:
                other.bind(response, ask)
                reading.append((result, response))
        while reading:
            for result, response in tuple(reading):
                event = await _one(response, result)
                if event is None:
                    reading.remove((result, response))
                    await response.body.aclose()
    return results


async def _head(world: World, stage: Stage, ask: Ask, answer: Answer, result: Result) -> Response | None:
    try:
        return await world.call(stage, world.request(ask), world.next(answer))
    except Exception as error:
        result.error = error
        return None


async def _one(response: Response, result: Result) -> Event | None:
    try:
        event = await anext(response.body)
    except StopAsyncIteration:
        return None
    except Exception as error:
        result.error = error
        return None
    result.events.append(event)
    return event


def _otherwise(ask: Ask) -> Ask | None:
    """Another question of the same sort; None where this one is not plain enough to change."""
    payload = dict(ask.payload)
    messages = payload.get("messages")
    if messages and isinstance(messages[-1].get("content"), str):
        payload["messages"] = [*messages[:-1], {**messages[-1], "content": messages[-1]["content"] + "?"}]
        return replace(ask, payload=payload)
    for name in _ASKED_WITH:
        if isinstance(payload.get(name), str):
            return replace(ask, payload={**payload, name: payload[name] + "?"})
    return None


def _marked(items: tuple[Data, ...]) -> Iterator[Data]:
    """The same answer with other text."""
    for item in items:
        yield {**item, "choices": [_marked_choice(choice) for choice in item["choices"]]} if "choices" in item else item


def _marked_choice(choice: Data) -> Data:
    if choice.get("text"):
        return {**choice, "text": f"<{choice['text']}"}
    delta = choice.get("delta") or {}
    return {**choice, "delta": {**delta, "content": f"<{delta['content']}"}} if delta.get("content") else choice
