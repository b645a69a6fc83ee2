"""The access line: one per request, of bounded values, that no caller's text can forge or set on fire."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import (
    HEAD_SECONDS,
    TARGET_USED,
    Body,
    InternalError,
    InvalidRequest,
    Outcome,
    OutcomeKind,
    Request,
    Response,
    Target,
    UpstreamInterrupted,
    Usage,
    running_on_asyncio,
)
from pipeline.observe import AccessRecord, LogFormat, access_log, access_record, log_cause


def written(format: LogFormat, record: dict[str, Any]) -> str:
    stream = io.StringIO()
    access_log(format, stream)(record)
    return stream.getvalue()


def record() -> tuple[AccessRecord, list[dict[str, Any]]]:
    lines: list[dict[str, Any]] = []
    return access_record(lines.append, "r1", 0), lines


@given(text=st.text())
def test_a_json_record_is_one_line_whatever_a_caller_wrote(text: str) -> None:
    line = written("json", {"event": "request", "model": text})
    assert line.endswith("\n")
    assert not set(line[:-1]) & {chr(code) for code in range(0x20)}
    assert json.loads(line) == {"event": "request", "model": text}


@given(text=st.text(st.characters(codec="utf-8")))
def test_a_console_record_is_one_line_that_moves_no_cursor(text: str) -> None:
    line = written("console", {"event": "request", "model": text})
    assert line.endswith("\n")
    assert not set(line[:-1]) & {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))}


class CountingStream(io.StringIO):
    """Counts how often it was flushed: once a write to the file behind it."""

    flushes = 0

    def flush(self) -> None:
        self.flushes += 1


async def test_what_ends_in_one_turn_of_the_loop_is_written_at_once_in_order() -> None:
    stream = CountingStream()
    emit = access_log("json", stream)
    for number in range(3):
        emit({"n": number})
    await anyio.lowlevel.checkpoint()
    await anyio.lowlevel.checkpoint()
    assert [json.loads(line)["n"] for line in stream.getvalue().splitlines()] == [0, 1, 2]
    assert stream.flushes == (1 if running_on_asyncio() else 3)


def test_a_loop_that_never_turns_again_holds_no_lines_back_for_ever() -> None:
    stream = CountingStream()
    emit = access_log("json", stream)

    abandoned = asyncio.new_event_loop()
    with running(abandoned):
        emit({"n": 0})
    abandoned.close()
    for number in range(1, 2000):
        emit({"n": number})
    assert [json.loads(line)["n"] for line in stream.getvalue().splitlines()][:1001] == [*range(1001)]


@contextmanager
def running(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """What is done inside believes that `loop` runs; it does not, and never will."""
    asyncio._set_running_loop(loop)
    try:
        yield
    finally:
        asyncio._set_running_loop(None)


def test_a_console_record_shows_its_fields() -> None:
    line = written("console", {"event": "request", "model": "m", "status": 200})
    assert line.split() == ["request", "model=m", "status=200"]


@given(milliseconds=st.integers(0, 2**33 * 1000))
def test_the_timestamp_is_the_date_and_time_to_the_millisecond(milliseconds: int) -> None:
    lines: list[dict[str, Any]] = []
    access_record(lines.append, "r1", milliseconds).write()
    told = datetime.fromisoformat(lines[0]["ts"])
    assert len(lines[0]["ts"]) == len("2026-01-01T00:00:00.000+00:00")
    assert told - datetime.fromtimestamp(0, UTC) == timedelta(milliseconds=milliseconds)


def test_off_writes_nothing() -> None:
    assert written("off", {"event": "request"}) == ""


def test_a_fact_that_is_no_json_does_not_lose_the_line() -> None:
    assert json.loads(written("json", {"event": "request", "odd": ValueError("x")})) == {"event": "request", "odd": "x"}


@given(text=st.text(min_size=1, max_size=9).map(lambda text: text * 300), status=st.integers(400, 599))
def test_no_text_is_longer_than_256_characters(text: str, status: int) -> None:
    for error in (InvalidRequest("m", code=text, detail=text), UpstreamInterrupted("m", detail=text, status=status)):
        for before_the_first_byte in (True, False):
            access, lines = record()
            access.arrived(text, text)
            access.note({"key_id": text})
            access.asked(Request("chat", model=text), text)
            access.answered(Response(Body.of(())).with_slot(TARGET_USED, Target(text, text)))
            if before_the_first_byte:
                access.failed(error)
            access.ended(Outcome(OutcomeKind.FAILED, error, pieces=0 if before_the_first_byte else 1))
            access.write()
            texts = [value for value in lines[0].values() if isinstance(value, str)]
            assert max(map(len, texts)) <= 256
            assert [lines[0][name] for name in ("method", "path", "key_id")] == [text[:256]] * 3
            assert lines[0]["error_detail"] == text[:256]


def test_it_is_written_once() -> None:
    access, lines = record()
    access.write()
    access.note({"late": "fact"})
    access.write()
    assert [line.get("late") for line in lines] == [None]


def test_a_complete_answer() -> None:
    access, lines = record()
    access.asked(Request("chat", model="m", stream=True), "edge")
    response = (
        Response(Body.of(()), status=201).with_slot(TARGET_USED, Target("local", "um")).with_slot(HEAD_SECONDS, 0.5)
    )
    access.answered(response)
    outcome = Outcome(OutcomeKind.COMPLETE, usage=Usage(3, None), pieces=2, bytes=9)
    access.ended(outcome)
    access.write()
    (line,) = lines
    assert line.pop("total_ms") >= 0
    assert line == {
        "event": "request",
        "ts": "1970-01-01T00:00:00.000+00:00",
        "request_id": "r1",
        "gateway": "edge",
        "operation": "chat",
        "model": "m",
        "stream": True,
        "status": 201,
        "upstream": "local",
        "upstream_model": "um",
        "upstream_ms": 500.0,
        "pieces": 2,
        "bytes_out": 9,
        "input_tokens": 3,
        "output_tokens": None,
        "outcome": "complete",
    }


def test_the_gateway_s_own_time_is_what_was_not_spent_waiting_for_the_upstream() -> None:
    access, lines = record()
    access.answered(Response(Body.of(())).with_slot(HEAD_SECONDS, 0.5))
    outcome = Outcome(OutcomeKind.COMPLETE, first_out_at=access._started + 2.0, first_waited_seconds=1.0, pieces=1)
    access.ended(outcome)
    access.write()
    assert (lines[0]["first_byte_ms"], lines[0]["upstream_ms"], lines[0]["own_ms"]) == (2000.0, 1500.0, 500.0)


def test_the_gateway_s_own_time_is_never_below_nothing() -> None:
    access, lines = record()
    access.ended(Outcome(OutcomeKind.COMPLETE, first_out_at=access._started + 1.0, first_waited_seconds=1.5, pieces=1))
    access.write()
    assert (lines[0]["upstream_ms"], lines[0]["own_ms"]) == (1500.0, 0.0)


def test_somebody_who_left_early_is_aborted() -> None:
    access, lines = record()
    access.ended(Outcome(OutcomeKind.CLOSED, pieces=1))
    access.write()
    assert (lines[0]["outcome"], lines[0]["status"]) == ("aborted", 499)


def test_a_request_that_nobody_finished_is_aborted() -> None:
    access, lines = record()
    access.write()
    assert (lines[0]["outcome"], lines[0]["status"]) == ("aborted", 499)


def test_a_failure_after_the_first_byte_keeps_the_status_that_was_sent() -> None:
    access, lines = record()
    access.answered(Response(Body.of(())))
    access.ended(Outcome(OutcomeKind.FAILED, UpstreamInterrupted("cut"), pieces=1))
    access.write()
    assert (lines[0]["outcome"], lines[0]["status"], lines[0]["error"]) == ("failed", 200, "stream_interrupted")


def test_a_failure_before_the_first_byte_has_the_error_s_own() -> None:
    access, lines = record()
    access.answered(Response(Body.of(())))
    access.ended(Outcome(OutcomeKind.FAILED, UpstreamInterrupted("cut")))
    access.write()
    assert (lines[0]["outcome"], lines[0]["status"], lines[0]["error"]) == ("failed", 502, "stream_interrupted")


def test_of_two_errors_the_first_counts() -> None:
    access, lines = record()
    access.failed(InvalidRequest("first", code="one"))
    access.failed(InvalidRequest("second", code="two", status=418))
    access.write()
    assert (lines[0]["error"], lines[0]["status"]) == ("one", 400)


def test_only_an_opaque_error_s_cause_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    cause = ValueError("why")
    opaque = InternalError("opaque")
    opaque.__cause__, opaque.id = cause, "r7"
    wordy = UpstreamInterrupted("cut")
    wordy.__cause__ = cause
    for error in (InternalError("no cause"), wordy, opaque):
        log_cause(error)
    (logged,) = caplog.records
    assert logged.getMessage() == "unexpected exception, request r7"
    assert logged.exc_info is not None
    assert logged.exc_info[1] is cause
