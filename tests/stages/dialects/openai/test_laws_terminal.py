"""A stream ends exactly once: in `[DONE]`, or in one error and never both, wherever it is cut (laws 29, 30, 37)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import OutcomeKind, UpstreamTimeout
from tests.stages.dialects.openai.bent_stream import DONE, end_marker, frame, frames, streams
from tests.stages.dialects.openai.served import JSON, SSE, chat, serve
from tests.stages.dialects.openai.strategies import Answer
from tests.stages.dialects.openai.stream_schema import check_chat_stream, parse_stream
from tests.stages.dialects.served import Served
from tests.stages.dialects.sse_streams import cuts

HI = frame({"choices": [{"index": 0, "delta": {"content": "Hi"}}]})
FINISH = frame({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
FAULT = {"message": "out of memory", "type": "server_error", "param": None, "code": 500}


def ends_once(served: Served) -> bool:
    """Whether it was a success; fails unless it ended exactly once, and the outcome says the same."""
    parsed = parse_stream(served.body)
    terminals = [parsed.done, parsed.error is not None, served.raised is not None]
    assert terminals.count(True) == 1
    assert served.raised is None or served.pieces == []
    assert served.outcome.kind is (OutcomeKind.COMPLETE if parsed.done else OutcomeKind.FAILED)
    return parsed.done


@given(data=st.data(), drawn=streams())
async def test_law_29_every_prefix_then_eof_ends_once(data: st.DataObject, drawn: tuple[Answer, bytes]) -> None:
    stream = drawn[1]
    at = data.draw(st.integers(0, len(stream)))
    served = await serve(chat(stream=True), data.draw(cuts(stream[:at])), content_type=SSE)
    complete = at >= end_marker(stream)
    assert ends_once(served) == complete
    check_chat_stream(parse_stream(served.body).chunks, usage="absent", complete=complete)


@given(drawn=frames(), data=st.data())
async def test_law_30_an_error_at_any_place_ends_the_stream_there(
    drawn: tuple[Answer, list[bytes]], data: st.DataObject
) -> None:
    _, events = drawn
    at = data.draw(st.integers(0, len(events)))
    fault = frame(
        {"error": FAULT, "choices": data.draw(st.sampled_from([[], [{"index": 0, "finish_reason": "error"}]]))}
    )
    stream = b"".join([*events[:at], fault, *events[at:], DONE])
    before = await serve(chat(stream=True), [*events[:at]], content_type=SSE)
    served = await serve(chat(stream=True), data.draw(cuts(stream)), content_type=SSE)
    assert not ends_once(served)
    error = parse_stream(served.body).error or (served.raised and served.raised.public())
    assert error == {"message": "out of memory", "type": "server_error", "param": None, "code": "stream_interrupted"}
    assert parse_stream(served.body).chunks == parse_stream(before.body).chunks


@given(drawn=frames(), data=st.data())
async def test_law_29_a_connection_that_breaks_ends_the_stream_once(
    drawn: tuple[Answer, list[bytes]], data: st.DataObject
) -> None:
    events = drawn[1][: data.draw(st.integers(0, len(drawn[1])))]
    served = await serve(chat(stream=True), [*events, UpstreamTimeout("silent", work_done="maybe")], content_type=SSE)
    assert not ends_once(served)
    assert served.outcome.error is not None
    assert served.outcome.error.code == "upstream_timeout"


@pytest.mark.parametrize("shape", ["complete", "forward"])
@pytest.mark.parametrize("after", [DONE, HI, b"data: {not json", b"\xff\xfe", frame({"error": FAULT}), b"data: x" * 9])
async def test_law_37_nothing_after_the_end_marker_counts(after: bytes, shape: Any) -> None:
    for pieces in ([HI, FINISH, DONE + after], [HI, FINISH, DONE, after]):
        served = await serve(chat(stream=True), pieces, content_type=SSE, shape=shape)
        assert ends_once(served)
        assert served.body.count(b"[DONE]") == 1


async def test_after_the_end_marker_the_message_is_read_to_its_end_so_that_the_connection_can_be_kept() -> None:
    served = await serve(chat(stream=True), [HI, FINISH + DONE, b": bye\n\n"], content_type=SSE)
    assert served.source.closes == 0
    assert served.source.released


async def test_an_end_marker_without_a_finish_reason_is_no_success() -> None:
    served = await serve(chat(stream=True), [HI, DONE], content_type=SSE)
    assert not ends_once(served)
    assert parse_stream(served.body).error["code"] == "stream_interrupted"


async def test_an_end_marker_alone_is_an_error_that_still_has_a_status() -> None:
    served = await serve(chat(stream=True), [DONE], content_type=SSE)
    assert served.raised is not None
    assert (served.raised.status, served.raised.code) == (502, "upstream_protocol_error")


async def test_a_finish_without_an_end_marker_is_no_success() -> None:
    served = await serve(chat(stream=True), [HI, FINISH], content_type=SSE)
    assert not ends_once(served)


@pytest.mark.parametrize("event", [b"data: {oops\n\n", b"data: [1]\n\n", b'data: {"a": "\xff"}\n\n', b"data: \xff\n\n"])
async def test_law_39_an_event_that_is_no_json_object_fails_the_stream_after_what_was_good(event: bytes) -> None:
    served = await serve(chat(stream=True), [HI + event + HI + DONE], content_type=SSE)
    assert not ends_once(served)
    assert len(parse_stream(served.body).chunks) == 1
    assert parse_stream(served.body).error["code"] == "upstream_protocol_error"


async def test_an_oversized_event_fails_the_stream_after_what_was_good() -> None:
    served = await serve(chat(stream=True), [HI + b"data: " + b"x" * (8 * 1024 * 1024 + 1)], content_type=SSE)
    assert not ends_once(served)
    assert len(parse_stream(served.body).chunks) == 1


async def test_an_end_marker_before_an_oversized_event_is_a_success() -> None:
    served = await serve(chat(stream=True), [HI + FINISH + DONE + b"x" * (8 * 1024 * 1024 + 1)], content_type=SSE)
    assert ends_once(served)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("text", "text"),
        ({"message": "m"}, "m"),
        ({"message": 5, "code": {}}, "The upstream failed while answering."),
        ({"code": 500}, "The upstream failed while answering."),
    ],
)
async def test_an_error_in_band_has_all_four_keys_whatever_its_form(error: Any, message: str) -> None:
    stream = await serve(chat(stream=True), [HI, frame({"error": error}), DONE], content_type=SSE)
    assert not ends_once(stream)
    assert parse_stream(stream.body).error["message"] == message
    whole = await serve(chat(stream=False), [json.dumps({"error": error}).encode()], content_type=JSON)
    assert whole.raised is not None
    assert (whole.raised.status, whole.raised.message) == (502, message)


@pytest.mark.parametrize("error", [None, "", {}, False, 0, []])
async def test_an_empty_error_is_none(error: Any) -> None:
    hi = frame({"error": error, "choices": [{"index": 0, "delta": {"content": "Hi"}}]})
    assert ends_once(await serve(chat(stream=True), [hi, FINISH, DONE], content_type=SSE))
