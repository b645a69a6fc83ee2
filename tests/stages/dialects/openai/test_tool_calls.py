"""Tool-call fragments of one choice: whose fragment it is, and what may be said of a call once only (law 27)."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from stages.dialects.openai.tool_calls import ToolCalls


def put_right(*deltas: Any) -> list[dict[str, Any]]:
    """The fragments of several deltas, one after another. Ids that are made up are new-0, new-1, ..."""
    numbers = count()
    calls = ToolCalls(lambda: f"new-{next(numbers)}")
    return [fragment for delta in deltas for fragment in calls.fragments(delta)]


def first(index: int, id: str, name: str, arguments: str = "") -> dict[str, Any]:
    return {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def later(index: int, arguments: str) -> dict[str, Any]:
    return {"index": index, "function": {"arguments": arguments}}


def test_right_fragments_stay_as_they_are() -> None:
    fragments = [first(0, "a", "f"), later(0, "{"), first(1, "b", "g"), later(1, "}"), later(0, "}")]
    assert put_right(*([fragment] for fragment in fragments)) == fragments


def test_a_gap_is_closed_in_order_of_appearance() -> None:
    assert put_right([first(5, "a", "f"), first(2, "b", "g")], [later(2, "x"), later(5, "y")]) == [
        *(first(0, "a", "f"), first(1, "b", "g")),
        *(later(1, "x"), later(0, "y")),
    ]


def test_another_id_under_the_same_number_is_another_call() -> None:
    assert put_right([first(0, "a", "f")], [first(0, "b", "f")], [later(0, "x")]) == [
        *(first(0, "a", "f"), first(1, "b", "f"), later(1, "x")),
    ]


def test_the_same_id_under_another_number_is_another_call_with_an_id_of_its_own() -> None:
    assert put_right([first(0, "a", "f"), first(1, "a", "g")], [first(1, "a", "g", "x")]) == [
        *(first(0, "a", "f"), first(1, "new-0", "g"), later(1, "x")),
    ]


@pytest.mark.parametrize("id", [None, "", 5, ["a"]])
def test_a_call_without_an_id_gets_one_and_keeps_it(id: Any) -> None:
    fragment = {"index": 0, "id": id, "function": {"name": "f"}}
    assert put_right([fragment], [{**fragment, "function": {"arguments": "x"}}]) == [
        first(0, "new-0", "f"),
        later(0, "x"),
    ]


@pytest.mark.parametrize("index", [None, "0", [0], True, {}])
def test_without_a_number_the_place_in_the_delta_counts(index: Any) -> None:
    fragments = put_right([{"index": index, "id": "a"}, {"index": index, "id": "b"}], [{"index": index}])
    assert [(fragment["index"], fragment.get("id")) for fragment in fragments] == [(0, "a"), (1, "b"), (0, None)]


def test_arguments_sent_as_an_object_become_text() -> None:
    assert put_right([{"function": {"name": "f", "arguments": {"a": [1]}}}])[0]["function"]["arguments"] == '{"a":[1]}'


@pytest.mark.parametrize("given", [None, "x", {}, 5, []])
def test_what_is_no_list_has_no_fragments(given: Any) -> None:
    assert put_right(given) == []


def test_unknown_fields_of_a_call_survive() -> None:
    call = {**first(0, "a", "f"), "extra_content": {"signature": "s"}}
    assert put_right([call]) == [call]
