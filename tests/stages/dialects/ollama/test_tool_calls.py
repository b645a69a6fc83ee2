"""Fragments of calls put together (protocol.md 3.4; pitfall 15)."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import Data, UpstreamGarbage
from stages.dialects.ollama.tool_calls import ToolCalls


def part(index: Any = None, id: str | None = None, name: str | None = None, text: Any = None) -> Data:
    given = {"index": index, "id": id, "function": {"name": name, "arguments": text}}
    return {key: value for key, value in given.items() if value is not None}


def whole(*fragments: Any) -> list[tuple[str, str, str]]:
    """The id, name and arguments of each call."""
    made = iter(range(9))
    calls = ToolCalls(lambda: f"made{next(made)}")
    for fragment in fragments:
        calls.add([fragment])
    told = calls.whole()
    assert [call["index"] for call in told] == list(range(len(told)))
    return [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in told]


@pytest.mark.parametrize(
    ("fragments", "calls"),
    [
        ([part(0, "x", "f", "{}")], [("x", "f", "{}")]),
        ([part(0, "x", "f", ""), part(0, text='{"a":'), part(0, text="1}")], [("x", "f", '{"a":1}')]),
        # Of two calls in turn.
        (
            [part(0, "x", "f", "{"), part(1, "y", "g", "{"), part(0, text="}"), part(1, text="}")],
            [("x", "f", "{}"), ("y", "g", "{}")],
        ),
        # In the order of their numbers, which have gaps.
        ([part(5, "y", "g", "{}"), part(2, "x", "f", "{}")], [("x", "f", "{}"), ("y", "g", "{}")]),
        # Everything numbered 0: another id, another name, or the same name once the arguments are whole.
        ([part(0, "x", "f", "{}"), part(0, "y", "f", "{}")], [("x", "f", "{}"), ("y", "f", "{}")]),
        ([part(0, None, "f", "{}"), part(0, None, "g", "{}")], [("made0", "f", "{}"), ("made1", "g", "{}")]),
        ([part(0, None, "f", "{}"), part(0, None, "f", "{}")], [("made0", "f", "{}"), ("made1", "f", "{}")]),
        # Later fragments are the new call's.
        ([part(0, "x", "f", "{}"), part(0, "y", "g", "{"), part(0, text="}")], [("x", "f", "{}"), ("y", "g", "{}")]),
        # Id and name in each fragment.
        ([part(0, "x", "f", "{"), part(0, "x", "f", "}")], [("x", "f", "{}")]),
        ([part(0, None, "f", "{"), part(0, None, "f", "}")], [("made0", "f", "{}")]),
        # Without a number: by the id, else the latest.
        ([part(id="x", name="f", text="{"), part(id="y", name="g", text="{}"), part(id="x", text="}")], "xy"),
        ([part(id="x", name="f", text="{"), part(text="}"), part(id="y", name="g", text="{}")], "xy"),
        # The id comes late.
        ([part(0, None, "f", "{"), part(0, "x", None, "}")], [("x", "f", "{}")]),
        ([part(0, "x", "f", {"a": 1})], [("x", "f", '{"a":1}')]),
        ([part(0, "x", "f", ""), part(0)], [("x", "f", "{}")]),
        ([part(0, "x", "f", ' {"a" : 1.0}\n')], [("x", "f", '{"a":1.0}')]),
        ([part(0, "x", "f", "null")], [("x", "f", "{}")]),
        ([5], [("made0", "", "{}")]),
    ],
)
def test_fragments_become_calls(fragments: list[Any], calls: Any) -> None:
    assert whole(*fragments) == ([("x", "f", "{}"), ("y", "g", "{}")] if calls == "xy" else calls)


@pytest.mark.parametrize("text", ["{", "[]", "1", '{"a":1}}', '"\ud800"'])
def test_arguments_that_are_no_object_are_garbage(text: str) -> None:
    with pytest.raises(UpstreamGarbage) as caught:
        whole(part(0, "x", "f", text))
    assert text not in str(caught.value.detail)


@pytest.mark.parametrize("given", [None, [], "text", 5])
def test_what_holds_no_calls_is_none(given: Any) -> None:
    calls = ToolCalls(lambda: "made")
    assert not calls.add(given)
    assert not calls.add_legacy(given)
    assert not calls
