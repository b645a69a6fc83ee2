"""The access line of a request, whole: which fields, in which order, with which values, as JSON and on a terminal."""

from __future__ import annotations

import io

import pytest

from pipeline import (
    HEAD_SECONDS,
    TARGET_USED,
    Body,
    GatewayError,
    InvalidRequest,
    Outcome,
    OutcomeKind,
    Request,
    Response,
    Target,
    UpstreamInterrupted,
    Usage,
    observe,
)
from pipeline.observe import AccessRecord, Emit, LogFormat, access_log, access_record

BEGINNING = """{"event":"request","ts":"2023-11-14T22:13:20.250+00:00","request_id":"r1","method":"POST","path":"/v1",\
"bytes_in":850,"key_id":"demo","model_resolved":"origin-1k","upstream":"local","upstream_model":"origin-1k",\
"upstream_status":201,"late":"last","status":201,"outcome":"""
ENGINE = """"gateway":"edge","operation":"chat","model":"chat-1k","stream":false,"upstream_ms":6.134,"pieces":1,\
"bytes_out":1100,"input_tokens":12,"output_tokens":34,"first_byte_ms":12.346,"own_ms":6.212,"""

# structlog's renderer sorts the fields.
SHOWN = """request bytes_in=850 bytes_out=1100 first_byte_ms=12.346 gateway=edge input_tokens=12 key_id=demo late=last \
method=POST model=chat-1k model_resolved=origin-1k operation=chat outcome=complete output_tokens=34 own_ms=6.212 \
path=/\N{REPLACEMENT CHARACTER} pieces=1 request_id=r1 status=201 stream=False total_ms=250.0 \
ts=2023-11-14T22:13:20.250+00:00 upstream=local upstream_model=origin-1k upstream_ms=6.134 upstream_status=201"""


@pytest.fixture(autouse=True)
def watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch stands at a quarter past seven when a line is written."""
    monkeypatch.setattr(observe, "perf_counter", lambda: 7.25)


def record(emit: Emit, unix_milliseconds: int) -> AccessRecord:
    """The record of a request that came at seven."""
    access = access_record(emit, "r1", unix_milliseconds)
    access._started = 7.0
    return access


def line_of(format: LogFormat, path: str, error: GatewayError | None = None) -> str:
    """The line of an answered request: all that the engine and the stages of a bundle tell, in their order."""
    stream = io.StringIO()
    access = record(access_log(format, stream), 1_700_000_000_250)
    access.arrived("POST", path)
    access.received(850)
    access.asked(Request("chat", model="chat-1k"), "edge")
    access.note({"key_id": "demo"})
    access.note({"model_resolved": "origin-1k"})
    access.note({"upstream": "local", "upstream_model": "origin-1k", "upstream_status": 201})
    response = Response(Body.of(()), status=201).with_slot(TARGET_USED, Target("local", "origin-1k"))
    access.answered(response.with_slot(HEAD_SECONDS, 0.0051234))
    kind = OutcomeKind.COMPLETE if error is None else OutcomeKind.FAILED
    access.ended(Outcome(kind, error, Usage(12, 34), 1, 1100, first_out_at=7.0123456, first_waited_seconds=0.0010111))
    access.note({"late": "last"})
    access.write()
    return stream.getvalue()


def test_the_line_of_a_complete_answer() -> None:
    assert line_of("json", "/v1") == f'{BEGINNING}"complete",{ENGINE}"total_ms":250.0}}\n'


def test_the_line_of_an_answer_that_was_cut() -> None:
    error = UpstreamInterrupted("cut", detail="after a while")
    error.stage = "s1"
    reason = """"error":"stream_interrupted","error_origin":"upstream","error_stage":"s1",\
"error_detail":"after a while","""
    assert line_of("json", "/v1", error) == f'{BEGINNING}"failed",{ENGINE}{reason}"total_ms":250.0}}\n'


def test_the_line_of_a_request_that_was_refused() -> None:
    stream = io.StringIO()
    access = record(access_log("json", stream), 0)
    access.arrived("POST", "/v1")
    access.failed(InvalidRequest("no", code="bad", detail="of no use"))
    access.write()
    assert (
        stream.getvalue()
        == """{"event":"request","ts":"1970-01-01T00:00:00.000+00:00","request_id":"r1","method":"POST","path":"/v1",\
"status":400,"outcome":"failed","error":"bad","error_origin":"caller","error_detail":"of no use","total_ms":250.0}\n"""
    )


def test_the_line_on_a_terminal() -> None:
    assert " ".join(line_of("console", "/\x1b").split()) == SHOWN


def test_a_stage_s_word_for_what_the_engine_knows_is_not_taken() -> None:
    lines: list[dict[str, object]] = []
    access = record(lines.append, 0)
    access.asked(Request("chat", model="m"), "edge")
    access.note({"status": 200, "model": "other", "total_ms": 1.0, "outcome": "fine"})
    access.write()
    assert list(lines[0]) == [
        *("event", "ts", "request_id", "status", "model", "total_ms", "outcome", "gateway", "operation", "stream"),
    ]
    assert [lines[0][name] for name in ("status", "model", "total_ms", "outcome")] == [499, "m", 250.0, "aborted"]
