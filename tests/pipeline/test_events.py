"""An event is decoded when somebody looks, once; changing its text makes another and leaves an untouched one alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import END, Data, Event, EventKind


class Counting:
    def __init__(self, data: Data) -> None:
        self.data = data
        self.looks = 0

    def __call__(self, frame: bytes) -> Data:
        self.looks += 1
        return self.data


def test_a_frame_is_decoded_on_the_first_look_and_never_again() -> None:
    decode = Counting({"choices": []})
    event = Event(frame=b"frame", dialect="line", decode=decode)
    assert (event.kind, event.frame, repr(event)) == (EventKind.DATA, b"frame", "Event(data, frame)")
    assert decode.looks == 0
    assert event.data is event.data
    assert (event.text, decode.looks) == ("", 1)


def test_an_event_of_nothing_is_empty() -> None:
    assert Event().data == {}
    assert Event(frame=b"x").data == {}
    assert (END.kind, END.data) == (EventKind.END, {})


def test_other_content_forgets_the_frame_and_keeps_the_kind() -> None:
    event = Event(frame=b"f", dialect="line", kind=EventKind.ERROR, decode=Counting({"a": 1}))
    changed = event.with_data({"a": 2})
    assert (changed.frame, changed.kind, changed.dialect, changed.data) == (None, EventKind.ERROR, "line", {"a": 2})
    assert (event.frame, event.data) == (b"f", {"a": 1})


CHOICES: list[tuple[list[Any], str]] = [
    ([], ""),
    ([{"index": 0, "delta": {"content": "hi"}}], "hi"),
    ([{"index": 0, "text": "hi"}], "hi"),
    ([{"index": 0, "delta": {}}, {"index": 1, "delta": {"content": "second"}}], "second"),
    ([{"index": 0, "delta": None}], ""),
    ([{"index": 0, "delta": {"content": None}, "finish_reason": "stop"}], ""),
    ([{"index": 0, "text": ""}], ""),
]


@pytest.mark.parametrize(("choices", "text"), CHOICES)
def test_the_text_is_the_first_choice_s_that_has_any(choices: list[Any], text: str) -> None:
    assert Event({"choices": choices}).text == text


@pytest.mark.parametrize("data", [{}, {"choices": None}, {"data": [1]}])
def test_an_answer_that_is_no_text_has_none(data: Data) -> None:
    event = Event(data)
    assert event.text == ""
    assert event.map_text(lambda _, text: "changed") is event


def test_map_text_changes_every_choice_and_nothing_else() -> None:
    data: Data = {
        "id": 7,
        "choices": [
            {"index": 0, "delta": {"role": "assistant", "content": "a"}, "odd": 1},
            {"index": 1, "text": "b"},
            {"index": 2, "delta": {"tool_calls": []}},
        ],
    }
    changed = Event(data).map_text(lambda index, text: f"{text}{index}")
    assert changed.data == {
        "id": 7,
        "choices": [
            {"index": 0, "delta": {"role": "assistant", "content": "a0"}, "odd": 1},
            {"index": 1, "text": "b1"},
            {"index": 2, "delta": {"tool_calls": []}},
        ],
    }
    assert data["choices"][0]["delta"]["content"] == "a", "the original may be read by somebody else"


@given(choices=st.lists(st.sampled_from([choice for listed, _ in CHOICES for choice in listed]), max_size=4))
def test_map_text_that_changes_nothing_returns_the_very_same_event(choices: list[Any]) -> None:
    event = Event(frame=b"frame", decode=Counting({"choices": choices}))
    assert event.map_text(lambda _, text: text) is event
    assert event.frame == b"frame"


def test_one_changed_choice_is_enough_to_make_another_event() -> None:
    event = Event({"choices": [{"index": 0, "text": "a"}, {"index": 1, "text": "b"}]})
    changed = event.map_text(lambda _, text: "B" if text == "b" else text)
    assert changed is not event
    assert [choice["text"] for choice in changed.data["choices"]] == ["a", "B"]
