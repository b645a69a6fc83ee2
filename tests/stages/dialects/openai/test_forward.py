"""`shape: forward`: bytes as they come; where the caller used another name, only `model` changes (law 49)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.dialects.openai.dialect import OpenAI
from stages.dialects.sse import SseFramer, data_of
from tests.stages.dialects.openai.bent_stream import DONE, end_marker, frame, streams
from tests.stages.dialects.openai.bent_whole import wholes
from tests.stages.dialects.openai.served import JSON, SSE, chat, serve
from tests.stages.dialects.openai.strategies import Answer
from tests.stages.dialects.sse_streams import cuts


def values(stream: bytes) -> list[Any]:
    """The JSON values of a stream up to its end marker; what is not JSON as its bytes."""
    framer = SseFramer()
    found: list[Any] = []
    for event in [*framer.feed(stream), *framer.finish()]:
        data = data_of(event)
        if data is not None:
            found.append(json.loads(data) if data.startswith(b"{") else data)
        if data == b"[DONE]":
            break
    return found


@given(data=st.data(), drawn=streams())
async def test_law_49_the_same_name_lets_the_bytes_pass(data: st.DataObject, drawn: tuple[Answer, bytes]) -> None:
    stream = drawn[1]
    served = await serve(
        chat(stream=True), data.draw(cuts(stream)), content_type=SSE, shape="forward", upstream_model="asked"
    )
    end = end_marker(stream)
    assert served.body[:end] == stream[:end]
    assert served.body[end:].strip(b"\r\n") == b""


@given(drawn=wholes())
async def test_law_49_the_same_name_lets_a_whole_answer_pass(drawn: tuple[Answer, dict[str, Any]]) -> None:
    body = json.dumps(drawn[1], indent=1).encode()
    served = await serve(chat(stream=False), [body], content_type=JSON, shape="forward", upstream_model="asked")
    assert served.body == body


@given(data=st.data(), drawn=streams())
async def test_law_49_another_name_changes_only_the_model(data: st.DataObject, drawn: tuple[Answer, bytes]) -> None:
    stream = drawn[1]
    served = await serve(chat(stream=True), data.draw(cuts(stream)), content_type=SSE, shape="forward")
    assert values(served.body) == [renamed(value) for value in values(stream)]


@given(drawn=wholes())
async def test_law_49_another_name_changes_only_the_model_of_a_whole_answer(
    drawn: tuple[Answer, dict[str, Any]],
) -> None:
    served = await serve(
        chat(stream=False), [json.dumps(drawn[1], indent=1).encode()], content_type=JSON, shape="forward"
    )
    assert json.loads(served.body) == renamed(drawn[1])


def renamed(value: Any) -> Any:
    return {**value, "model": "asked"} if isinstance(value, dict) and "model" in value else value


def rename(data: bytes) -> bytes:
    return OpenAI().renamer(chat(stream=False), "asked")(data)


@pytest.mark.parametrize(
    "data",
    [b"not json", b'["model"]', b'{"model', b'{"a": {"model": "theirs"}}', b'{"a": "\\"model\\""}', b'\xff"model"'],
)
def test_what_has_no_model_at_its_top_keeps_its_bytes(data: bytes) -> None:
    assert rename(data) is data


def test_deep_nesting_is_forwarded_and_not_a_crash() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    assert rename(b'{"model": "theirs", "a": ' + deep + b"}") == b'{"model": "asked", "a": ' + deep + b"}"
    to_be_read = b'{"a": ' + deep + b', "model": "theirs"}'
    assert rename(to_be_read) is to_be_read


def test_a_nested_model_is_not_the_model() -> None:
    assert json.loads(rename(b'{"model": "theirs", "x": {"model": "theirs"}}')) == {
        "model": "asked",
        "x": {"model": "theirs"},
    }


def test_big_numbers_and_unknown_fields_survive_renaming_digit_by_digit() -> None:
    data = b'{"model":"theirs","n":123456789012345678901234567890,"f":1.10,"u":"\\u00e9\xc3\xa9"}'
    assert rename(data) == data.replace(b"theirs", b"asked")


async def test_an_event_over_several_lines_is_one_event_after_renaming_too() -> None:
    event = b'data: {"model": "theirs",\ndata: "choices": [\ndata: ]}\n\n'
    served = await serve(chat(stream=True), [event, DONE], content_type=SSE, shape="forward")
    assert values(served.body) == [{"model": "asked", "choices": []}, b"[DONE]"]


async def test_an_error_is_in_the_clients_form_with_this_shape_too() -> None:
    served = await serve(
        chat(stream=True), [frame({"model": "m"}), frame({"error": "oops"}), DONE], content_type=SSE, shape="forward"
    )
    assert values(served.body)[1]["error"]["message"] == "oops"
    assert b"[DONE]" not in served.body
