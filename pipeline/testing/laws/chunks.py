"""L7 and L17: the answer is the same however it comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipeline.events import Data
from pipeline.testing.law import law
from pipeline.testing.scenario import Answer
from pipeline.testing.strategies import spoken, streamed
from pipeline.testing.world import Result, World


@law(
    "L7",
    "It does not matter where the answer is cut",
    scenarios=streamed,
)
async def cut_anywhere(world: World) -> None:
    """The model server decides how much text is in an event, and the network how many bytes are in a read: neither
    means anything. Here the same answer comes in other reads, down to single bytes, and its text in other events, down
    to single letters. Whoever looks for words must look across the borders.
    """
    answer = world.scenario.answer
    if answer.dialect:
        came = await _bytes_of(world, replace(answer, cuts=()))
        others = {"other reads": answer.cuts, "one byte a read": tuple(range(2000))}
        for how, cuts in others.items():
            assert await _bytes_of(world, replace(answer, cuts=cuts)) == came, f"{how} give another answer"
        return
    items = (*spoken(world.scenario), *answer.items)
    whole = await _result_of(world, replace(answer, items=items))
    letters = await _result_of(world, replace(answer, items=tuple(_letters(items))))
    if whole.error is None or letters.error is None:
        assert letters.texts == whole.texts, f"a letter an event gives {letters.texts}, not {whole.texts}"


async def _bytes_of(world: World, answer: Answer) -> object:
    other = world.again(answer=answer)
    async with other.started() as stage:
        try:
            response = await other.call(stage, other.request(), other.next())
        except Exception as error:
            return type(error)
        body = other.bind(response)
        pieces: list[bytes] = []
        try:
            async for piece in body.pieces():
                pieces.append(piece)  # noqa: PERF401 - what came before a failure is kept
        except Exception as error:
            return type(error)
        finally:
            await body.aclose()
        return b"".join(pieces)


async def _result_of(world: World, answer: Answer) -> Result:
    other = world.again(answer=answer)
    async with other.started() as stage:
        return await other.result(stage)


def _letters(items: tuple[Data, ...]) -> Iterator[Data]:
    """The same answer with one letter an event."""
    for item in items:
        choices: list[Data] = item.get("choices") or []
        text = (choices[0].get("text") or (choices[0].get("delta") or {}).get("content")) if len(choices) == 1 else ""
        if not text or len(text) < 2 or choices[0].get("finish_reason"):
            yield item
            continue
        for letter in text:
            said = {"text": letter} if "text" in choices[0] else {"delta": {**choices[0]["delta"], "content": letter}}
            yield {**item, "choices": [{**choices[0], **said}]}


@law(
    "L17",
    "A whole answer is the collected stream",
    scenarios=streamed,
)
async def whole_is_collected_stream(world: World) -> None:
    """A caller who does not stream gets what one who streams would have put together. A stage sees the same events
    either way, and does the same to them.
    """
    seen: dict[bool, tuple[object, ...]] = {}
    for stream in (True, False):
        ask = replace(world.scenario.ask, stream=stream)
        other = world.again(ask=ask)
        async with other.started() as stage:
            result = await other.result(stage)
        if result.error is not None:
            seen[stream] = (type(result.error),)
            continue
        said = {index: text for index, text in result.texts.items() if text}
        dialect = other.subject.dialects[ask.dialect]
        kit = other.subject.kits[ask.dialect]
        if world.scenario.answer.dialect:
            folded = dialect.encoder(other.request()).fold(result.events)
            heard = kit.heard(ask.operation, folded)
            seen[stream] = (said, heard.text, heard.reasoning, heard.calls, heard.finish)
        else:
            seen[stream] = (said,)
    assert seen[True] == seen[False], f"streamed it says {seen[True]}, whole {seen[False]}"
