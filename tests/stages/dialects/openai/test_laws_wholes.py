"""However a server bends a whole answer, the client gets OpenAI's, saying the same; whole and stream agree."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Event, EventKind, InternalError
from stages.dialects.openai import chat as chat_events
from stages.dialects.openai import text as text_events
from tests.stages.dialects.openai.bent_stream import DONE, frame
from tests.stages.dialects.openai.bent_whole import wholes
from tests.stages.dialects.openai.good import CHAT, TEXT
from tests.stages.dialects.openai.schema import check_chat_completion, check_text_completion
from tests.stages.dialects.openai.served import JSON, SSE, body_of, chat, serve
from tests.stages.dialects.openai.strategies import Answer
from tests.stages.dialects.openai.stream_schema import check_chat_stream, check_text_stream, parse_stream
from tests.stages.dialects.openai.wild import wild_answers
from tests.stages.dialects.sse_streams import cuts


@given(data=st.data(), drawn=wholes())
async def test_law_20_every_whole_answer_is_openais(data: st.DataObject, drawn: tuple[Answer, dict[str, Any]]) -> None:
    answer, given = drawn
    pieces = data.draw(cuts(json.dumps(given).encode()))
    served = await serve(chat(stream=False), pieces, content_type=JSON)
    value = json.loads(served.body)
    check_chat_completion(value)
    assert value["model"] == "asked"
    for choice, said in zip(value["choices"], answer.choices, strict=True):
        message = choice["message"]
        assert message["content"] == ("".join(said.texts) or (None if said.calls else ""))
        assert message.get("reasoning_content", "") == "".join(said.reasoning)
        calls = [(call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls", [])]
        assert calls == [(call.name, "".join(call.arguments)) for call in said.calls]
        assert choice["finish_reason"] == said.reason
    if answer.counts is not None:
        assert (value["usage"]["prompt_tokens"], value["usage"]["completion_tokens"]) == answer.counts
    else:
        assert "usage" not in value


def in_steps(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """As a server may stream it: all that was said, then how each choice ended, then the usage."""
    chunk = chat_events.neutral(answer)
    head = {key: value for key, value in chunk.items() if key not in ("choices", "usage")}
    said = [{**choice, "finish_reason": None} for choice in chunk["choices"]]
    ended = [{**choice, "delta": {}, "logprobs": None} for choice in chunk["choices"]]
    usage = [{**head, "choices": [], "usage": chunk["usage"]}] if "usage" in chunk else []
    return [{**head, "choices": said}, {**head, "choices": ended}, *usage]


@given(drawn=wholes())
async def test_law_22_whole_is_the_collected_stream(drawn: tuple[Answer, dict[str, Any]]) -> None:
    """The same answer, asked for whole and asked for as a stream; and a server that streams what it was asked whole."""
    _, given = drawn
    events = b"".join(map(frame, in_steps(given))) + DONE
    whole = await serve(chat(stream=False), [json.dumps(given).encode()], content_type=JSON)
    collected = await serve(chat(stream=False), [events], content_type=SSE)
    assert json.loads(collected.body) == json.loads(whole.body)
    streams = [
        await serve(chat(stream=True, usage=True), [events], content_type=SSE),
        await serve(chat(stream=True, usage=True), [json.dumps(given).encode()], content_type=JSON),
    ]
    for stream in streams:
        parsed = parse_stream(stream.body)
        assert parsed.done
        check_chat_stream(parsed.chunks, usage="required" if "usage" in given else "optional")
        folded = chat_events.fold([Event(chunk) for chunk in parsed.chunks])
        folded.pop("usage", None) if "usage" not in given else None
        assert folded == json.loads(whole.body)


def test_a_whole_answer_is_one_chunk_with_its_calls_numbered_by_their_place() -> None:
    call = {"id": "x", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": "Hi", "tool_calls": [{**call, "index": 0}, {**call, "index": 0}]}
    choice = {"index": 3, "message": message, "logprobs": None, "finish_reason": "stop", "score": 1}
    answer = {"id": "i", "object": "chat.completion", "choices": [choice], "usage": {"prompt_tokens": 1}, "more": 1}
    delta = {**message, "tool_calls": [{**call, "index": 0}, {**call, "index": 1}]}
    said = {"index": 3, "delta": delta, "logprobs": None, "finish_reason": "stop", "score": 1}
    assert chat_events.neutral(answer) == {**answer, "object": "chat.completion.chunk", "choices": [said]}
    assert chat_events.neutral({"choices": None, "x": 1}) == {"choices": None, "x": 1}


async def test_a_whole_answer_is_one_event_and_its_end() -> None:
    body, _ = await body_of(chat(stream=False), [json.dumps(CHAT).encode()], content_type=JSON, shape="forward")
    said, end = [event async for event in body]
    assert said.data == chat_events.neutral(CHAT)
    assert end.kind is EventKind.END


def test_a_collected_stream_is_the_one_that_its_first_chunk_says_and_tells_what_its_last_does() -> None:
    first = {"id": "1", "created": 1, "model": "a", "tier": "a", "choices": [], "usage": {"prompt_tokens": 1}}
    last = {"id": "2", "created": 2, "model": "b", "tier": "b", "choices": [], "usage": None}
    folded = chat_events.fold([Event(first), Event(last)])
    assert folded == {**first, "tier": "b", "object": "chat.completion"}
    assert "usage" not in chat_events.fold([Event(last)])


@pytest.mark.parametrize("key", ["top", "choice", "message"])
def test_fold_of_neutral_keeps_everything(key: str) -> None:
    answer = deepcopy(CHAT)
    place = {"top": answer, "choice": answer["choices"][1], "message": answer["choices"][1]["message"]}[key]
    place.update(one=1, text="x", list=[1, [2]], thing={"a": None}, nothing=None)
    assert chat_events.fold([Event(chat_events.neutral(answer))]) == answer
    assert chat_events.fold([Event(data) for data in in_steps(answer)]) == answer


def test_fold_of_neutral_keeps_text_completions() -> None:
    answer = {**TEXT, "choices": [*TEXT["choices"], {**TEXT["choices"][0], "index": 1, "mood": [1]}], "one": 1}
    assert text_events.fold([Event(text_events.neutral(answer))]) == answer


def test_neutral_and_fold_leave_their_input_alone() -> None:
    before = deepcopy(CHAT)
    events = [Event(data) for data in in_steps(CHAT)]
    seen = deepcopy([event.data for event in events])
    chat_events.fold(events)
    assert before == CHAT
    assert [event.data for event in events] == seen


def test_the_legacy_function_call_is_put_together() -> None:
    deltas: list[dict[str, Any]] = [
        {"function_call": None},
        {"function_call": {"name": "f", "arguments": '{"a'}},
        {"function_call": {"arguments": '": 1}'}},
    ]
    folded = chat_events.fold([Event({"choices": [{"index": 0, "delta": delta}]}) for delta in deltas])
    message = folded["choices"][0]["message"]
    assert message["function_call"] == {"name": "f", "arguments": '{"a": 1}'}
    assert message["content"] is None


@given(answer=wild_answers(), stream=st.booleans(), operation=st.sampled_from(["chat", "completion", "embedding"]))
async def test_law_20_any_json_at_all_becomes_an_openai_answer_or_a_typed_error(
    answer: dict[str, Any], stream: bool, operation: str
) -> None:
    served = await serve(
        chat(stream=stream and operation != "embedding", operation=operation),
        [json.dumps(answer).encode()],
        content_type=JSON,
    )
    if served.raised is not None:
        assert not isinstance(served.raised, InternalError), repr(served.raised.__cause__)
    elif operation != "embedding" and not stream:
        (check_chat_completion if operation == "chat" else check_text_completion)(json.loads(served.body))
    elif operation != "embedding":
        parsed = parse_stream(served.body)
        assert parsed.done == (parsed.error is None)
        (check_chat_stream if operation == "chat" else check_text_stream)(
            parsed.chunks, usage="absent", complete=parsed.done
        )


@given(
    chunks=st.lists(wild_answers(), max_size=4), whole=st.booleans(), operation=st.sampled_from(["chat", "completion"])
)
async def test_any_json_at_all_in_a_stream_ends_in_order_and_never_in_an_internal_error(
    chunks: list[dict[str, Any]], whole: bool, operation: str
) -> None:
    for shape in ("complete", "forward"):
        served = await serve(
            chat(stream=not whole, operation=operation),
            [*map(frame, chunks), DONE],
            content_type=SSE,
            shape="complete" if shape == "complete" else "forward",
        )
        failure = served.raised or served.outcome.error
        assert not isinstance(failure, InternalError), repr(failure and failure.__cause__)
        if shape == "complete" and not whole:
            parsed = parse_stream(served.body)
            (check_chat_stream if operation == "chat" else check_text_stream)(
                parsed.chunks, usage="absent", complete=parsed.done
            )


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"null", b"<html>", b"\xff", b"[" * 100_000, b'{"choices": [{"index": 1e999}]}'),
        b'{"choices": [{"message": {"content": "\xff"}}]}',
        b'{"choices": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
    ids=range(10),
)
async def test_law_39_an_answer_that_is_no_json_object_is_the_upstreams_fault(body: bytes) -> None:
    for stream in (False, True):
        served = await serve(chat(stream=stream), [body], content_type=JSON)
        assert served.raised is not None
        assert (served.raised.status, served.raised.code) == (502, "upstream_protocol_error")
        assert served.raised.work_done == "maybe"
