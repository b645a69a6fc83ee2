"""Rule T: each call has an id and one answer (protocol.md after 3.3; laws 5, 13)."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Losses, Message, Text, ToolCall
from stages.dialects.openai.tool_ids import synthetic_id, with_tool_ids


def assistant(*calls: ToolCall, path: str = "a") -> Message:
    return Message("assistant", calls=calls, path=path)


def answer(text: str, id: str | None = None, name: str | None = None, path: str = "t") -> Message:
    return Message("tool", (Text(text),), call_id=id, tool_name=name, path=path)


def answers(messages: tuple[Message, ...]) -> list[tuple[str | None, str | None, str]]:
    return [(message.call_id, message.tool_name, message.text) for message in messages if message.role == "tool"]


USER = Message("user", (Text("Hi"),), path="u")


def test_an_id_is_a_hash_of_where_and_what() -> None:
    [_, turn, _] = with_tool_ids([USER, assistant(ToolCall("f", {"b": 1, "a": 2})), answer("x")], Losses())
    said = b'[1,0,"f","{\\"a\\":2,\\"b\\":1}"]'
    assert turn.calls[0].id == "call_" + sha256(said).hexdigest()[:24]
    assert synthetic_id(1, 0, "f", {"a": 2, "b": 1}) == turn.calls[0].id


def test_ids_that_are_there_stay() -> None:
    losses = Losses()
    thread = [assistant(ToolCall("f", {}, "x"), ToolCall("g", {}, "y")), answer("2", "y"), answer("1", "x")]
    named = with_tool_ids(thread, losses)
    assert [call.id for call in named[0].calls] == ["x", "y"]
    assert answers(named) == [("y", "g", "2"), ("x", "f", "1")]
    assert losses.header() is None


def test_an_answer_finds_its_call_by_id_then_by_name_then_by_place() -> None:
    calls = (ToolCall("f", {}, "x"), ToolCall("g", {}), ToolCall("h", {}), ToolCall("g", {"a": 1}))
    losses = Losses()
    given_answers = [answer("g1", None, "g"), answer("f", "x", "g"), answer("h"), answer("g2", None, "nobody")]
    named = with_tool_ids([assistant(*calls), *given_answers], losses)
    ids = [call.id for call in named[0].calls]
    assert answers(named) == [(ids[1], "g", "g1"), (ids[0], "f", "f"), (ids[2], "h", "h"), (ids[3], "g", "g2")]
    assert losses.header() is None


@pytest.mark.parametrize(
    ("given", "answered", "reported"),
    [("x", "y", True), ("x", "x", False), ("x", None, False), (None, "y", False), (None, None, False)],
)
def test_an_answer_under_another_id_than_that_of_its_call_is_reported(
    given: str | None, answered: str | None, reported: bool
) -> None:
    """It is sent as the answer of that call, which is a guess; a call without an id leaves nothing to guess."""
    losses = Losses()
    named = with_tool_ids([assistant(ToolCall("f", {}, given, "c")), answer("1", answered)], losses)
    assert answers(named) == [(named[0].calls[0].id, "f", "1")]
    assert losses.changed == (["t"] if reported else [])


def test_an_answer_to_nothing_gets_a_call() -> None:
    losses = Losses()
    named = with_tool_ids([USER, answer("1", "x", "f", "t1"), answer("2", path="t2")], losses)
    assert [message.role for message in named] == ["user", "assistant", "tool", "assistant", "tool"]
    assert [named[1].calls[0].name, named[3].calls[0].name] == ["f", "unknown"]
    assert [named[1].calls[0].arguments, named[1].parts] == [{}, ()]
    assert named[2].call_id == named[1].calls[0].id
    assert losses.changed == ["t1", "t2"]


def test_calls_without_an_answer_get_an_empty_one_before_the_turn_changes() -> None:
    losses = Losses()
    calls = (ToolCall("f", {}, "x", "c1"), ToolCall("g", {}, "y", "c2"))
    named = with_tool_ids([assistant(*calls), answer("1", "y"), USER, assistant(ToolCall("f", {}, "z", "c3"))], losses)
    assert [message.role for message in named] == ["assistant", "tool", "tool", "user", "assistant", "tool"]
    assert answers(named) == [("y", "g", "1"), ("x", "f", ""), ("z", "f", "")]
    assert losses.changed == ["c1", "c3"]


def test_an_id_that_comes_again_names_only_the_first() -> None:
    losses = Losses()
    again = ToolCall("f", {}, "x", "c")
    named = with_tool_ids([assistant(again), answer("1", "x"), assistant(again), answer("2", "x")], losses)
    first, second = answers(named)
    assert first == ("x", "f", "1")
    assert second == (named[2].calls[0].id, "f", "2")
    assert second[0] != "x"
    assert losses.changed == ["c"]


def test_a_system_message_between_does_not_end_the_turn() -> None:
    named = with_tool_ids([assistant(ToolCall("f", {}, "x")), Message("system"), answer("1")], Losses())
    assert [message.role for message in named] == ["assistant", "system", "tool"]


ids = st.sampled_from([None, "x", "y"])
names = st.sampled_from(["f", "g"])
arguments = st.fixed_dictionaries({}, optional={"a": st.integers(0, 2)})
calls = st.lists(st.builds(ToolCall, names, arguments, ids, path=st.just("c")), max_size=3).map(tuple)
messages = st.one_of(
    st.just(USER),
    st.just(Message("system", path="s")),
    st.builds(Message, st.just("assistant"), calls=calls, path=st.just("a")),
    st.builds(Message, st.just("tool"), call_id=ids, tool_name=st.none() | names, path=st.just("t")),
)


@given(thread=st.lists(messages, max_size=8))
def test_law_13_every_call_is_answered_once_in_its_own_turn(thread: list[Message]) -> None:
    named = with_tool_ids(thread, Losses())
    open_calls: list[Any] = []
    seen: list[Any] = []
    for message in named:
        if message.role == "tool":
            assert message.call_id in open_calls
            open_calls.remove(message.call_id)
        elif message.role != "system":
            assert not open_calls
            open_calls = [call.id for call in message.calls]
            seen.extend(open_calls)
    assert not open_calls
    assert all(seen)
    assert len(set(seen)) == len(seen)
    assert [message.text for message in named if message.role == "user"] == ["Hi"] * thread.count(USER)


@given(thread=st.lists(messages, max_size=6))
def test_law_5_ids_are_the_same_each_time_and_complete_threads_stay(thread: list[Message]) -> None:
    named = with_tool_ids(thread, Losses())
    assert with_tool_ids(thread, Losses()) == named
    losses = Losses()
    assert with_tool_ids(named, losses) == named
    assert losses.header() is None
