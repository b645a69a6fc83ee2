"""What an Ollama server says, as neutral events and as an OpenAI client hears it (protocol.md 3.2, 3.5)."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import Data, Event, EventKind, Headers
from stages.dialects.ollama.dialect import Ollama
from tests.stages.dialects.ollama.served import JSON, NDJSON, as_line, ask, body_of, line, serve

CALL = {"function": {"index": 0, "name": "f", "arguments": {}}}


def events(frame: bytes, *, operation: str = "chat") -> list[Event]:
    """The events of a stream of one line."""
    decoder = Ollama().decoder(ask(operation=operation), Headers({"content-type": NDJSON}))
    frames = [*decoder.feed(frame), *decoder.finish()]
    return [event for one in frames for event in decoder.events(one)]


def choices(given: list[Event]) -> list[Data]:
    return [event.data["choices"][0] for event in given if event.kind is EventKind.DATA]


@pytest.mark.parametrize(
    ("reason", "called", "finish"),
    [
        ("stop", False, "stop"),
        ("stop", True, "tool_calls"),
        ("length", False, "length"),
        ("length", True, "length"),
        (None, False, "stop"),
        (None, True, "tool_calls"),
        ("", False, "stop"),
        ("", True, "tool_calls"),
        ("weird", False, "stop"),
        ("weird", True, "tool_calls"),
        (7, False, "stop"),
        ("content_filter", False, "content_filter"),
        ("load", False, "load"),
        ("unload", False, "unload"),
    ],
)
def test_why_it_ended(reason: Any, called: bool, finish: str) -> None:
    said = {"tool_calls": [CALL]} if called else {}
    ends = {} if reason is None else {"done_reason": reason}
    assert choices(events(line(said, done=True, **ends)))[0]["finish_reason"] == finish


@pytest.mark.parametrize("reason", ["weird", "load", None])
async def test_an_openai_client_hears_a_reason_that_it_knows(reason: str | None) -> None:
    served = await serve(ask(dialect="openai"), [line("a", done=True, done_reason=reason)])
    assert served.events[-2]["choices"][0]["finish_reason"] == "stop"


def test_calls_on_an_earlier_line_decide_the_reason_too() -> None:
    given = events(line({"tool_calls": [CALL]}) + line(done=True, done_reason="stop"))
    assert [choice["finish_reason"] for choice in choices(given)] == [None, "tool_calls"]


def test_calls_are_numbered_over_the_whole_answer_whatever_the_server_says() -> None:
    two = {"tool_calls": [CALL, CALL]}
    given = choices(events(line(two) + line(two, done=True)))
    calls = [call for choice in given for call in choice["delta"].get("tool_calls", ())]
    assert [call["index"] for call in calls] == [0, 1, 2, 3]


def test_arguments_are_compact_json_with_their_keys_in_order_and_ids_are_kept() -> None:
    call = {"id": "call_x", "function": {"name": "f", "arguments": {"b": [1.5, None], "a": {"c": "é"}}}}
    [choice] = choices(events(line({"tool_calls": [call]})))
    assert choice["delta"]["tool_calls"] == [
        {
            "index": 0,
            "id": "call_x",
            "type": "function",
            "function": {"name": "f", "arguments": '{"b":[1.5,null],"a":{"c":"é"}}'},
        }
    ]


@pytest.mark.parametrize("id", [None, "", 5, {}])
def test_an_id_that_is_none_is_absent(id: Any) -> None:
    """Then the gateway makes one, and a client never gets an id that names nothing."""
    call = {"id": id, "type": "odd", "more": 1, "function": {"name": "f", "arguments": {}}}
    [choice] = choices(events(line({"tool_calls": [call]})))
    [told] = choice["delta"]["tool_calls"]
    assert told == {"more": 1, "index": 0, "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(("arguments", "text"), [({}, "{}"), (None, "{}"), ('{"a": 1}', '{"a": 1}'), ([], "{}")])
def test_arguments_of_odd_servers(arguments: Any, text: str) -> None:
    [choice] = choices(events(line({"tool_calls": [{"function": {"name": "f", "arguments": arguments}}]})))
    assert choice["delta"]["tool_calls"][0]["function"]["arguments"] == text


async def test_a_line_is_one_event_and_told_piece_by_piece_to_others() -> None:
    full = line({"content": "Hi", "thinking": "hm", "tool_calls": [CALL, CALL]}, done=True, eval_count=4)
    own, end = events(full)
    assert (own.frame, end.kind) == (full, EventKind.END)
    assert own.data["choices"][0]["delta"].keys() == {"role", "content", "reasoning", "tool_calls"}
    told = [event["choices"][0]["delta"] for event in (await serve(ask(dialect="openai"), [full])).events[:-1]]
    assert [*told[:3], *told[-1:]] == [
        {"role": "assistant", "content": ""},
        {"reasoning": "hm"},
        {"content": "Hi"},
        {},
    ]
    assert [[call["index"] for call in delta["tool_calls"]] for delta in told[3:5]] == [[0], [1]]


def test_a_count_that_is_left_out_at_the_end_of_an_answer_is_zero() -> None:
    def usage(*, done: bool = True, **fields: Any) -> Any:
        return events(line(done=done, **fields))[0].data.get("usage")

    assert usage(prompt_eval_count=7, eval_count=9) == {"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16}
    assert usage(eval_count=9) == {"prompt_tokens": 0, "completion_tokens": 9, "total_tokens": 9}
    assert usage(eval_count=-1, prompt_eval_count="7")["total_tokens"] == 0
    assert usage(done=False) is None
    assert usage(done=False, eval_count=3) == {"completion_tokens": 3}
    assert usage(done_reason="load") is None


@pytest.mark.parametrize(
    ("created_at", "created"),
    [
        ("2026-01-02T03:04:05.9Z", 1767323045),
        ("2026-01-02T04:04:05.123456789+01:00", 1767323045),
        ("1960-01-01T00:00:00Z", 0),
        ("soon", None),
        (None, None),
    ],
)
def test_created_is_the_second_that_had_begun(created_at: Any, created: int | None) -> None:
    assert events(as_line({"created_at": created_at, "message": {}, "done": False}))[0].data.get("created") == created


def test_an_answer_was_created_with_the_first_line_that_says_when() -> None:
    times = ("soon", "2026-01-02T03:04:05.9Z", "2026-01-02T03:04:09Z")
    lines = [as_line({"created_at": time, "message": {}, "done": False}) for time in times]
    told = [event.data for event in events(b"".join(lines))]
    assert [data.get("created") for data in told] == [None, 1767323045, 1767323045]
    assert [data["created_at"] for data in told] == list(times)


LOGPROBS = [{"token": "H", "logprob": -0.5}, {"token": "i", "logprob": -1, "bytes": [105]}]


def test_log_probabilities_are_a_chats_whatever_was_asked() -> None:
    for operation in ("chat", "completion"):
        [choice] = choices(events(line("", logprobs=[*LOGPROBS, 5]), operation=operation))
        assert choice["logprobs"] == {"content": LOGPROBS}
        [silent] = choices(events(line("Hi", logprobs=[]), operation=operation))
        assert silent["logprobs"] is None


def test_generated_text_is_a_text_completion() -> None:
    given = as_line({"model": "q", "response": "Hi", "thinking": "hm", "done": True, "context": [1], "eval_count": 2})
    [own, _] = events(given, operation="completion")
    [choice] = own.data["choices"]
    assert (choice["text"], choice["reasoning"], choice["finish_reason"]) == ("Hi", "hm", "stop")
    assert own.data["context"] == [1]


async def test_an_openai_client_completes_text() -> None:
    answer = as_line({"model": "q", "response": "Hi", "done": True, "done_reason": "length", "eval_count": 2})
    whole = await serve(ask(operation="completion", dialect="openai", stream=False), [answer])
    assert (whole.json["choices"][0]["text"], whole.json["choices"][0]["finish_reason"]) == ("Hi", "length")


async def test_a_whole_chat_for_an_openai_client() -> None:
    answer = line({"content": "Hi", "thinking": "hm"}, done=True, prompt_eval_count=7, eval_count=9)
    whole = (await serve(ask(dialect="openai", stream=False), [answer])).json
    message = whole["choices"][0]["message"]
    assert (whole["model"], message["content"], message["reasoning"]) == ("asked", "Hi", "hm")
    assert whole["usage"] == {"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16}


@pytest.mark.parametrize("answer", [line("Hi"), b'{"message":{"content":"Hi"}}'])
@pytest.mark.parametrize("client", ["openai", "ollama"])
async def test_a_whole_answer_that_is_not_done_is_no_success(answer: bytes, client: str) -> None:
    served = await serve(ask(stream=False, dialect=client), [answer])
    assert served.raised is not None
    assert (served.raised.status, served.raised.code) == (502, "upstream_incomplete")


@pytest.mark.parametrize("body", [b"", b"junk", b"[]", line("Hi", done=True) * 2, b'{"done":true,"message":"\xff"}'])
async def test_a_whole_answer_that_is_no_object_is_garbage(body: bytes) -> None:
    for client in ("openai", "ollama"):
        served = await serve(ask(stream=False, dialect=client), [body])
        assert served.raised is not None
        assert served.raised.code == "upstream_protocol_error"


async def test_a_whole_answer_over_the_cap_is_refused() -> None:
    served = await serve(ask(stream=False), [b"x" * (1024 * 1024)] * 33)
    assert served.raised is not None
    assert served.raised.code == "upstream_protocol_error"


@pytest.mark.parametrize("error", [None, "", {}, False])
async def test_an_empty_error_is_none_and_its_key_does_not_reach_the_client(error: Any) -> None:
    given = line("Hi", done=True, error=error)
    assert "error" not in (await serve(ask(), [given], model="asked")).lines[0]
    assert "error" not in (await serve(ask(stream=False), [given], model="asked")).json
    assert (await serve(ask(dialect="openai"), [given])).events[-1] == "[DONE]"


@pytest.mark.parametrize(
    ("content_type", "stream", "whole"),
    [
        (NDJSON, True, False),
        (NDJSON, False, False),
        ("application/x-ndjson; charset=utf-8", False, False),
        (JSON, True, True),
        (JSON, False, True),
        ("", True, False),
        ("", False, True),
    ],
)
def test_what_the_upstream_sends_decides_how_it_is_read(content_type: str, stream: bool, whole: bool) -> None:
    assert Ollama().decoder(ask(stream=stream), Headers({"content-type": content_type})).whole is whole


async def test_a_stage_reads_the_text_of_either_shape() -> None:
    for stream, pieces in ((True, [line("Hi"), line(" you", done=True)]), (False, [line("Hi you", done=True)])):
        body, _ = await body_of(ask(stream=stream), pieces)
        assert "".join([event.text async for event in body]) == "Hi you"
