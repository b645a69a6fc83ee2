"""What the model server was only asked for in words is held to on its answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pipeline import (
    END,
    Body,
    Data,
    Event,
    Given,
    Losses,
    NeutralRequest,
    Parameter,
    ToolChoice,
    TranslationRules,
    UpstreamGarbage,
)
from stages.transform.promises import keep_promises

Delta = dict[str, Any]
DEMANDED = NeutralRequest("chat", tool_choice=ToolChoice("required"))
ONE_AT_A_TIME = NeutralRequest("chat", parameters={Parameter.PARALLEL_TOOL_CALLS: Given(False, "parallel_tool_calls")})


def call(index: int, arguments: str = "{}") -> Data:
    return {"index": index, "function": {"name": "f", "arguments": arguments}}


def delta(given: Delta, *, index: int = 0, finish: str | None = None) -> Event:
    return Event({"choices": [{"index": index, "delta": given, "finish_reason": finish}]})


async def kept(
    asked: NeutralRequest, events: Sequence[Event], *emulate: str, seen: list[Event] | None = None
) -> list[Event]:
    body = Body.of([*events, END])
    keep_promises(body, asked, Losses(TranslationRules(emulate=frozenset(emulate))))
    seen = seen if seen is not None else []
    async for event in body:
        seen.append(event)
    return seen


PROSE = [delta({"content": "No."}), delta({}, finish="stop")]
CALLED = [delta({"tool_calls": [call(0)]}), delta({}, finish="tool_calls")]


async def test_a_demanded_call_that_did_not_come_is_an_error_before_the_answer_looks_finished() -> None:
    seen: list[Event] = []
    with pytest.raises(UpstreamGarbage) as caught:
        await kept(DEMANDED, PROSE, "tool_choice", seen=seen)
    assert [event.text for event in seen] == ["No."]
    assert caught.value.work_done == "maybe"


@pytest.mark.parametrize(
    "events",
    [
        CALLED,
        [delta({"tool_calls": [call(0)]}, finish="tool_calls")],
        [delta({"content": "Let me see."}), *CALLED],
        [delta({"tool_calls": [call(0)]})],
        [*CALLED, delta({"tool_calls": [call(0)]}, index=1), delta({}, index=1, finish="stop")],
    ],
)
async def test_a_call_that_came_passes(events: list[Event]) -> None:
    assert len(await kept(DEMANDED, events, "tool_choice")) == len(events) + 1


@pytest.mark.parametrize(
    "events",
    [
        [delta({"content": "No."})],
        [],
        [delta({"tool_calls": []}), delta({}, finish="stop")],
        [delta({"content": "A long way rou"}, finish="length")],
        [*CALLED, delta({"content": "No."}, index=1), delta({}, index=1, finish="stop")],
    ],
)
async def test_every_way_not_to_call_is_noticed(events: list[Event]) -> None:
    with pytest.raises(UpstreamGarbage):
        await kept(DEMANDED, events, "tool_choice")


@pytest.mark.parametrize(
    ("asked", "emulate"),
    [
        (DEMANDED, ()),
        (DEMANDED, ("parallel_tool_calls", "n")),
        (NeutralRequest("chat"), ("tool_choice",)),
        (NeutralRequest("chat", tool_choice=ToolChoice("auto")), ("tool_choice",)),
        (NeutralRequest("chat", tool_choice=ToolChoice("none")), ("tool_choice",)),
    ],
)
async def test_nothing_is_checked_that_was_not_promised(asked: NeutralRequest, emulate: tuple[str, ...]) -> None:
    assert await kept(asked, PROSE, *emulate) == [*PROSE, END]


async def test_only_the_first_of_several_calls_is_kept() -> None:
    events = [
        delta({"content": "x", "tool_calls": [call(0, "{"), call(1)]}),
        delta({"tool_calls": [call(0, "}")]}),
        delta({"role": "assistant", "tool_calls": [call(2)]}),
        delta({}, finish="tool_calls"),
    ]
    deltas = [
        event.data["choices"][0]["delta"] for event in (await kept(ONE_AT_A_TIME, events, "parallel_tool_calls"))[:4]
    ]
    assert deltas == [
        {"content": "x", "tool_calls": [call(0, "{")]},
        {"tool_calls": [call(0, "}")]},
        {"role": "assistant"},
        {},
    ]


@pytest.mark.parametrize(
    ("value", "emulate"), [(True, "parallel_tool_calls"), (None, "parallel_tool_calls"), (False, "tool_choice")]
)
async def test_all_calls_are_kept_unless_one_was_asked_for_and_is_emulated(value: Any, emulate: str) -> None:
    asked = NeutralRequest("chat", parameters={Parameter.PARALLEL_TOOL_CALLS: Given(value, "parallel_tool_calls")})
    event = delta({"tool_calls": [call(0), call(1)]})
    assert (await kept(asked, [event], emulate))[0] is event


async def test_an_event_without_calls_stays_as_it_came() -> None:
    assert await kept(ONE_AT_A_TIME, PROSE, "parallel_tool_calls") == [*PROSE, END]
