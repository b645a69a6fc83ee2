"""An Ollama client before an Ollama server: what comes is what came, but for the name (laws 21, 32, 49)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Data, Event, EventKind
from stages.dialects.ollama.dialect import Ollama
from stages.dialects.ollama.render import joined
from tests.stages.dialects.ollama.served import NOW_TEXT, as_line, ask, body_of, line, serve

ODD: Data = {
    "remote_host": "https://example.com",
    "context": [1, 2],
    "total_duration": 5,
    "load_duration": 1,
    "x": {"y": [None, 1.5, 12345678901234567890123]},
}
LINES = [
    line({"thinking": "hm", "x": 1}),
    line({"tool_calls": [{"function": {"index": 0, "name": "f", "arguments": {"a": 1}, "x": 2}, "x": 3}]}),
    line(done=True, done_reason="weird", prompt_eval_count=3, **ODD),
]
GENERATED = [
    as_line({"model": "theirs", "created_at": "t", "response": "Hi", "thinking": "hm", "done": False}),
    as_line(
        {"model": "theirs", "created_at": "t", "response": "", "done": True, "done_reason": "stop", "context": [1]}
    ),
]


def renamed(lines: list[bytes]) -> list[Any]:
    return [{**json.loads(line), "model": "asked"} for line in lines]


@pytest.mark.parametrize("shape", ["complete", "forward"])
@pytest.mark.parametrize(("operation", "lines"), [("chat", LINES), ("completion", GENERATED)])
async def test_law_49_only_the_name_is_changed(shape: Any, operation: str, lines: list[bytes]) -> None:
    served = await serve(ask(operation=operation), lines, shape=shape)
    assert served.lines == renamed(lines)
    same = await serve(ask(operation=operation), lines, shape=shape, model="asked")
    assert same.lines == (renamed(lines) if shape == "complete" else [json.loads(line) for line in lines])


@pytest.mark.parametrize("shape", ["complete", "forward"])
async def test_law_49_of_a_whole_answer_too(shape: Any) -> None:
    for answer in (LINES[2], LINES[2].replace(b",", b" ,\n ")):
        served = await serve(ask(stream=False), [answer], shape=shape)
        assert served.json == renamed([answer])[0]


async def test_lines_that_are_right_keep_their_bytes() -> None:
    lines = [line("H\u00e9 < > &", model="asked"), line(model="asked", done=True)]
    served = await serve(ask(), lines)
    assert served.body == b"".join(lines)


@pytest.mark.parametrize(("operation", "lines"), [("chat", LINES), ("completion", GENERATED)])
@pytest.mark.parametrize("stream", [True, False])
async def test_a_line_that_a_stage_has_changed_keeps_what_it_did_not_change(
    operation: str, lines: list[bytes], stream: bool
) -> None:
    body, _ = await body_of(ask(operation=operation, stream=stream), lines if stream else lines[-1:])
    body.map(lambda event: event.with_data({**event.data}) if event.kind is EventKind.DATA else event)
    out = b"".join([piece async for piece in body.pieces()])
    expected = renamed(lines) if stream else renamed(lines[-1:])
    assert [json.loads(line) for line in out.splitlines()] == expected


async def test_a_stage_may_change_the_text_and_the_reason() -> None:
    def change(event: Event) -> Event:
        if event.kind is not EventKind.DATA:
            return event
        event = event.map_text(lambda _, text: text.upper())
        [choice] = event.data["choices"]
        if choice["finish_reason"] is None:
            return event
        return event.with_data({**event.data, "choices": [{**choice, "finish_reason": "content_filter"}]})

    body, _ = await body_of(ask(), [line("hi"), line(done=True, done_reason="weird")])
    body.map(change)
    said, done = [json.loads(piece) for piece in [piece async for piece in body.pieces()]]
    assert (said["message"]["content"], done["done_reason"]) == ("HI", "content_filter")


async def test_an_event_that_a_stage_made_has_the_name_and_the_time_before_it() -> None:
    added = Event({"choices": [{"index": 0, "delta": {"content": "!"}}], "system_fingerprint": "x"})
    body, _ = await body_of(ask(), [line("hi"), line(done=True)])
    body.expand(lambda event: (event, added) if event.text else (event,))
    _, made, _ = [json.loads(piece) for piece in b"".join([piece async for piece in body.pieces()]).splitlines()]
    message = {"role": "assistant", "content": "!"}
    assert made.keys() == {"model", "created_at", "message", "done"}
    assert (made["model"], made["message"]) == ("asked", message)


async def test_keys_that_clients_count_on_are_supplied() -> None:
    lines = [as_line({"message": {"content": "Hi"}}), as_line({"done": True, "done_reason": "stop"})]
    said, done = (await serve(ask(), lines)).lines
    assert said == {
        "model": "asked",
        "created_at": NOW_TEXT,
        "message": {"role": "assistant", "content": "Hi"},
        "done": False,
    }
    assert done["message"] == {"role": "assistant", "content": ""}


async def test_a_line_stream_for_a_whole_client_is_folded() -> None:
    call = {"function": {"index": 0, "name": "f", "arguments": {}}}
    token = {"token": "a", "logprob": -1}
    lines = [
        line({"content": "a", "thinking": "x"}, logprobs=[token]),
        line({"content": "b", "thinking": "y", "tool_calls": [call]}),
        line({"content": "c", "tool_calls": [call]}, done=True, logprobs=[token], eval_count=2, total_duration=9),
    ]
    answer = (await serve(ask(stream=False), lines, content_type="application/x-ndjson")).json
    numbers = [call["function"].pop("index") for call in answer["message"]["tool_calls"]]
    assert numbers in ([0, 1], [0, 0])
    named = {"function": {"name": "f", "arguments": {}}}
    assert answer["message"] == {"role": "assistant", "content": "abc", "thinking": "xy", "tool_calls": [named, named]}
    assert (answer["done"], answer["eval_count"], answer["total_duration"]) == (True, 2, 9)
    assert answer["logprobs"] == [token, token]


async def test_a_load_is_one_object_which_a_stream_client_gets_as_one_line() -> None:
    loaded = b'{\n "model":"theirs","created_at":"t","message":{"role":"assistant","content":""},\n "done":true,\n'
    loaded += b' "done_reason":"load"}'
    for shape in ("complete", "forward"):
        served = await serve(ask(), [loaded], content_type="application/json; charset=utf-8", shape=shape)
        assert served.body.endswith(b"\n")
        assert served.lines == renamed([loaded])


@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\u0085"])
async def test_law_32_characters_that_readers_split_at_are_escaped_in_what_is_passed_on_too(odd: str) -> None:
    for model in ("asked", "theirs"):
        given = [line(f"a{odd}b", model=model), line(done=True, model=model)]
        served = await serve(ask(), given)
        assert served.lines[0]["message"]["content"] == f"a{odd}b"


async def test_law_32_white_space_between_tokens_does_not_break_the_line() -> None:
    given = line("a", model="asked").replace(b',"message"', b',\r"message"')
    served = await serve(ask(), [given + line(done=True, model="asked").replace(b"\n", b"\r\n") + b"\n\n"])
    assert b"\r" not in served.body
    assert len(served.lines) == 2


@given(text=st.text(max_size=20), operation=st.sampled_from(["chat", "completion"]))
def test_law_35_every_text_survives_and_stays_on_its_line(text: str, operation: str) -> None:
    said = {"delta": {"content": text, "reasoning": text}} if operation == "chat" else {"text": text}
    encoder = Ollama().encoder(ask(operation=operation))
    written = encoder.encode(Event({"choices": [{"index": 0, **said}]}))
    assert len(written.decode().splitlines()) == 1
    answer = json.loads(written)
    assert (answer["message"]["content"] if operation == "chat" else answer["response"]) == text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"error": {"message": "boom", "code": "x"}}, "boom"),
        ({"error": "boom"}, "boom"),
        ({"error": {"message": ""}}, "The gateway failed."),
        ({}, "The gateway failed."),
        ({"error": {"message": "a\u2028b"}}, "a\u2028b"),
    ],
)
def test_an_error_is_a_line_with_a_text(data: Any, message: str) -> None:
    written = Ollama().encoder(ask()).encode(Event(data, kind=EventKind.ERROR))
    assert len(written.decode().splitlines()) == 1
    assert json.loads(written) == {"error": message}


@pytest.mark.parametrize("frame", [b"junk\n", b"", b"[1]", b'{"a": "model"}\n', b'{"remote_model":"x"}'])
def test_the_renamer_leaves_alone_what_has_no_name(frame: bytes) -> None:
    assert Ollama().renamer(ask(), "asked")(frame) is frame


def test_the_renamer_changes_the_name_at_the_top_only() -> None:
    frame = b'{"model":"theirs", "remote_model":"r", "message":{"tool_calls":[{"model":"inner"}]}}\n'
    changed = Ollama().renamer(ask(), "asked")(frame)
    assert changed.endswith(b"}\n")
    assert json.loads(changed) == {**json.loads(frame), "model": "asked"}


@pytest.mark.parametrize(
    ("numbers", "names"), [([2, 0, 1], "bca"), ([0, 0, 0], "abc"), ([1, 0, 0], "abc"), ([None, None, None], "abc")]
)
@pytest.mark.parametrize("operation", ["chat", "completion"])
def test_calls_are_folded_by_their_numbers_where_those_tell_them_apart(
    operation: str, numbers: list[int | None], names: str
) -> None:
    """Old servers number every call 0: then they come in their order (pitfall 15)."""
    calls = [{"function": {"name": name, "index": number}} for name, number in zip("abc", numbers, strict=True)]
    lines = [{"tool_calls": [call]} for call in calls]
    whole = joined(operation, [{"message": line} for line in lines] if operation == "chat" else lines)
    folded = whole["message"] if operation == "chat" else whole
    assert "".join(call["function"]["name"] for call in folded["tool_calls"]) == names
