"""However a server bends its stream, the client gets OpenAI's, saying the same (laws 16-18, 21-27, 31, 32)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline import OutcomeKind
from tests.stages.dialects.openai.bent_stream import DONE, frame, frames, streams
from tests.stages.dialects.openai.schema import check_chat_completion
from tests.stages.dialects.openai.served import SSE, body_of, chat, serve
from tests.stages.dialects.openai.strategies import Answer, Said
from tests.stages.dialects.openai.stream_schema import ParsedStream, check_chat_stream, parse_stream
from tests.stages.dialects.sse_streams import cuts


async def client_gets(pieces: Sequence[bytes], *, usage: bool = False) -> ParsedStream:
    served = await serve(chat(stream=True, usage=usage), pieces, content_type=SSE)
    assert served.raised is None
    return parse_stream(served.body)


def heard(chunks: Sequence[Any], index: int) -> tuple[str, str, list[tuple[str, str]], str | None]:
    """One choice as a client that concatenates hears it: text, reasoning, calls and how it ended."""
    text = reasoning = ""
    calls: list[list[str]] = []
    finish = None
    for choice in (choice for chunk in chunks for choice in chunk["choices"] if choice["index"] == index):
        delta = choice["delta"]
        text += delta.get("content") or ""
        reasoning += delta.get("reasoning_content") or ""
        for fragment in delta.get("tool_calls", []):
            if fragment["index"] == len(calls):
                calls.append(["", ""])
            calls[fragment["index"]][0] += fragment["function"].get("name", "")
            calls[fragment["index"]][1] += fragment["function"]["arguments"]
        finish = choice["finish_reason"] or finish
    return text, reasoning, [(name, arguments) for name, arguments in calls], finish


def meant(said: Said) -> tuple[str, str, list[tuple[str, str]], str]:
    calls = [(call.name, "".join(call.arguments)) for call in said.calls]
    return "".join(said.texts), "".join(said.reasoning), calls, said.reason


@given(data=st.data(), drawn=streams(), usage=st.booleans())
async def test_laws_24_to_27_and_32_every_stream_is_openais(
    data: st.DataObject, drawn: tuple[Answer, bytes], usage: bool
) -> None:
    answer, stream = drawn
    got = await client_gets(data.draw(cuts(stream)), usage=usage)
    assert got.done
    knows = answer.counts is not None
    check_chat_stream(got.chunks, usage="absent" if not usage else "required" if knows else "optional")


@given(drawn=streams())
async def test_laws_16_17_and_23_the_stream_says_what_the_server_said(drawn: tuple[Answer, bytes]) -> None:
    answer, stream = drawn
    chunks = (await client_gets([stream])).chunks
    for index, said in enumerate(answer.choices):
        assert heard(chunks, index) == meant(said)


@given(drawn=streams())
async def test_law_21_the_model_is_the_one_asked_for(drawn: tuple[Answer, bytes]) -> None:
    assert {chunk["model"] for chunk in (await client_gets([drawn[1]])).chunks} == {"asked"}


@given(drawn=streams())
async def test_laws_18_and_26_usage_is_the_servers_and_told_to_the_observers(drawn: tuple[Answer, bytes]) -> None:
    answer, stream = drawn
    served = await serve(chat(stream=True, usage=True), [stream], content_type=SSE)
    last = parse_stream(served.body).chunks[-1]
    told = served.outcome.usage
    if answer.counts is None:
        assert last["usage"] is None
        assert told is None
    else:
        assert (last["usage"]["prompt_tokens"], last["usage"]["completion_tokens"]) == answer.counts
        assert told is not None
        assert (told.input_tokens, told.output_tokens) == answer.counts


@given(drawn=streams())
async def test_law_22_a_whole_answer_is_the_collected_stream(drawn: tuple[Answer, bytes]) -> None:
    """A server that streams unasked: the client that wanted a whole answer gets one, saying the same."""
    answer, stream = drawn
    served = await serve(chat(stream=False), [stream], content_type=SSE)
    value = json.loads(served.body)
    check_chat_completion(value)
    for choice, said in zip(value["choices"], answer.choices, strict=True):
        message = choice["message"]
        calls = [(call["function"]["name"], call["function"]["arguments"]) for call in message.get("tool_calls", [])]
        said_text = (message["content"] or "", message.get("reasoning_content", ""))
        assert (*said_text, calls, choice["finish_reason"]) == meant(said)
    assert (answer.counts is not None) == ("usage" in value)


@given(drawn=frames())
async def test_law_31_what_is_sent_for_a_beginning_stands_whatever_follows(drawn: tuple[Answer, list[bytes]]) -> None:
    _, events = drawn
    full = (await serve(chat(stream=True), [*events, DONE], content_type=SSE)).body
    for length in range(len(events)):
        begun = await serve(chat(stream=True), events[:length], content_type=SSE)
        sent = b"".join(piece for piece in begun.pieces if b'{"error":' not in piece)
        assert full.startswith(sent)


@given(drawn=frames())
async def test_law_31_text_leaves_before_the_next_read(drawn: tuple[Answer, list[bytes]]) -> None:
    _, events = drawn
    body, source = await body_of(chat(stream=True), [*events, DONE], content_type=SSE)
    texts = [text_of(event) for event in events]
    chunks: list[Any] = []
    while (piece := await body.next_piece()) is not None:
        chunks += parse_stream(piece).chunks
        assert heard(chunks, 0)[0] == "".join(texts[: source.reads])


def text_of(event: bytes) -> str:
    """What one upstream event adds to the text of choice 0."""
    if b'"choices"' not in event:
        return ""
    choices = json.loads(event[6:])["choices"]
    return "".join(choice["delta"].get("content") or "" for choice in choices if choice["index"] == 0)


async def test_an_unknown_field_of_each_level_survives() -> None:
    choice = {"index": 0, "delta": {"content": "Hi", "mood": "good"}, "score": 3}
    chunks = (await client_gets([frame({"choices": [choice], "timings": [1]}), FINISH, DONE])).chunks
    assert chunks[0]["timings"] == [1]
    assert chunks[0]["choices"][0]["score"] == 3
    assert chunks[0]["choices"][0]["delta"]["mood"] == "good"


FINISH = frame({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})


async def test_a_chunk_without_choices_never_reaches_the_client_but_its_unknown_fields_do() -> None:
    """Clients read `choices[0]` of everything but the usage chunk (pitfall 43)."""
    first = frame({"choices": [], "prompt_filter_results": [1]})
    hi = frame({"choices": [{"index": 0, "delta": {"content": "Hi"}}]})
    chunks = (await client_gets([first, hi, FINISH, frame({"choices": []}), DONE])).chunks
    assert [bool(chunk["choices"]) for chunk in chunks] == [True, True]
    assert chunks[0]["prompt_filter_results"] == [1]
    assert "prompt_filter_results" not in chunks[1]


async def test_what_follows_a_finish_is_dropped() -> None:
    late = frame({"choices": [{"index": 0, "delta": {"content": "late"}}]})
    got = await client_gets([FINISH, late, FINISH, DONE])
    check_chat_stream(got.chunks, usage="absent")
    assert heard(got.chunks, 0)[0] == ""


async def test_the_end_marker_is_written_afresh() -> None:
    served = await serve(chat(stream=True), [FINISH, b"id: 9\r\nretry: 1\r\ndata: [DONE]\r\n\r\n"], content_type=SSE)
    assert served.body.endswith(b"}\n\n" + DONE)
    assert served.outcome.kind is OutcomeKind.COMPLETE
