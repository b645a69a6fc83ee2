"""One structured line per request, written after its last byte, aborts included.

The line is one dict through one renderer bound at start: the usual chain of log processors with context variables
costs several times as much per request as the whole gateway. No prompt and no secret is ever put into the dict.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from time import perf_counter
from typing import Any, Literal, TextIO

import msgspec

from pipeline.deadline import soon
from pipeline.errors import GatewayError, as_gateway_error
from pipeline.log import NAME
from pipeline.outcome import COMPLETE, Outcome
from pipeline.request import Request
from pipeline.response import Response
from pipeline.wellknown import HEAD_SECONDS, TARGET_USED

LogFormat = Literal["json", "console", "off"]
Emit = Callable[[dict[str, Any]], None]

_MAX_TEXT = 256
_US = 1_000_000  # times are rounded as whole microseconds: `round` to a number of places costs three times as much
_MOST_WAITING_LINES = 1000
_CONTROL = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), "\N{REPLACEMENT CHARACTER}")


def access_log(format: LogFormat, stream: TextIO | None = None) -> Emit:
    """The function that writes a record: JSON lines for production, a readable line for a terminal."""
    out = stream if stream is not None else sys.stdout
    if format == "off":
        return lambda record: None
    if format == "console":
        import structlog  # on first use: with rich installed it doubles the cost of importing the engine

        render = structlog.dev.ConsoleRenderer(colors=out.isatty())

        def emit_text(record: dict[str, Any]) -> None:
            # A terminal obeys control characters, so a caller's text must not bring any.
            shown = {
                key: value.translate(_CONTROL) if isinstance(value, str) else value for key, value in record.items()
            }
            out.write(str(render(None, "info", shown)) + "\n")
            out.flush()

        return emit_text
    encode = msgspec.json.Encoder(enc_hook=str).encode
    lines: list[bytes] = []

    def write_lines() -> None:
        text = b"".join(lines).decode()
        lines.clear()
        out.write(text)
        out.flush()

    def emit_json(record: dict[str, Any]) -> None:
        # JSON escapes control characters, so a caller's text cannot forge a second line.
        lines.append(encode(record) + b"\n")
        # A busy gateway ends several requests in one turn of its loop, and writes once for them. Asked again after many
        # lines, because a loop that was thrown away never has its next turn.
        if len(lines) % _MOST_WAITING_LINES == 1:
            soon(write_lines)

    return emit_json


class AccessRecord(msgspec.Struct, eq=False):
    """What is known of one request so far. Whoever owns the last byte calls `write`, exactly once.

    Stages add to it through the slot `NOTES`. Times are milliseconds from the first sight of the request; `own_ms` is
    the gateway's share of the time to the first byte: everything but waiting for the upstream. The line is one dict
    from the first fact to the last. What the engine knows it leaves here as it is, and tells when the line is written:
    after the notes, and instead of one of the same name.

    A msgspec struct because it is made once a request, in half the time of a class with slots.
    """

    _emit: Emit | None
    id: str
    _facts: dict[str, Any]
    _started: float = msgspec.field(default_factory=perf_counter)
    _gateway: str = ""
    _request: Request | None = None
    _response: Response | None = None
    _outcome: Outcome | None = None
    _error: GatewayError | None = None

    def arrived(self, method: str, path: str) -> None:
        """The head of an HTTP request is there."""
        self._facts["method"] = method
        self._facts["path"] = path

    def received(self, bytes: int) -> None:
        """The body of an HTTP request is there."""
        self._facts["bytes_in"] = bytes

    def note(self, facts: Mapping[str, Any], /) -> None:
        """Add facts. Text is cut at 256 characters when the line is written: some of it is a caller's."""
        self._facts.update(facts)

    def asked(self, request: Request, gateway: str) -> None:
        self._request = request
        self._gateway = gateway

    def answered(self, response: Response) -> None:
        """The response head is there, and tells the target and how long the upstream took."""
        self._response = response

    def failed(self, error: BaseException) -> None:
        """The request failed before its first byte; the first error is the one that counts."""
        if self._error is None:
            self._error = as_gateway_error(error)

    def ended(self, outcome: Outcome) -> None:
        """The body ended. What is behind an opaque error is logged, under the id that the caller was given."""
        self._outcome = outcome
        error = outcome.error
        if error is not None:
            error.id = self.id
            log_cause(error)
            if not outcome.pieces:
                self.failed(error)

    def write(self) -> None:
        """Write the line. Later calls do nothing: one line per request."""
        emit, self._emit = self._emit, None
        if emit is not None:
            facts, self._facts = self._facts, {}  # what is noted later changes no line that somebody has
            self._tell(facts)
            # They refer to this record in turn: without that circle the garbage collector has nothing to do.
            self._request = self._response = self._outcome = None
            emit(facts)

    def _tell(self, facts: dict[str, Any]) -> None:
        """Add to the notes what the engine knows."""
        # 499 is nginx's word for a client that left before there was a status.
        facts["status"] = 499
        facts["outcome"] = "aborted"
        request, response, outcome, error = self._request, self._response, self._outcome, self._error
        waited = None
        if request is not None:
            facts["gateway"] = self._gateway
            facts["operation"] = request.operation
            facts["model"] = request.model
            facts["stream"] = request.stream
        if response is not None:
            facts["status"] = response.status
            target = response.slots.get(TARGET_USED)
            if target is not None:
                facts["upstream"] = target.upstream
                facts["upstream_model"] = target.model
            waited = response.slots.get(HEAD_SECONDS)
        _cut(facts)  # now, because what follows are numbers, but for an error's words
        head_us = 0
        if waited is not None:
            head_us = round(waited * _US)
            facts["upstream_ms"] = head_us / 1000
        if outcome is not None:
            self._tell_end(outcome, head_us, facts)
        if error is not None:
            facts.update(_cut(error.facts()), status=error.status, outcome="failed")
        facts["total_ms"] = round((perf_counter() - self._started) * _US) / 1000

    def _tell_end(self, outcome: Outcome, head_us: int, facts: dict[str, Any]) -> None:
        """What was handed out, the tokens that the upstream reported, and where the time to the first byte went."""
        facts["pieces"] = outcome.pieces
        facts["bytes_out"] = outcome.bytes
        if outcome.usage is not None:
            facts["input_tokens"] = outcome.usage.input_tokens
            facts["output_tokens"] = outcome.usage.output_tokens
        if outcome.first_out_at is not None:
            taken = round((outcome.first_out_at - self._started) * _US)
            waited = head_us + round(outcome.first_waited_seconds * _US)
            facts["first_byte_ms"] = taken / 1000
            facts["upstream_ms"] = waited / 1000
            facts["own_ms"] = max(taken - waited, 0) / 1000
        if outcome.kind is COMPLETE:
            facts["outcome"] = "complete"
        elif outcome.error is not None:
            facts.update(_cut(outcome.error.facts()), outcome="failed")


def access_record(emit: Emit, id: str, unix_milliseconds: int) -> AccessRecord:
    """The record of a request that was first seen just now."""
    facts = {"event": "request", "ts": _timestamp(unix_milliseconds), "request_id": id}
    return AccessRecord(emit, id, facts)


def _cut(facts: dict[str, Any]) -> dict[str, Any]:
    """Shorten the texts among them, in place."""
    for name, value in facts.items():
        if type(value) is str and len(value) > _MAX_TEXT:
            facts[name] = value[:_MAX_TEXT]
    return facts


def log_cause(error: GatewayError) -> None:
    """Log the cause behind an opaque error once, under the id that the caller was given."""
    cause = error.__cause__
    if cause is not None and error.status == 500:
        logging.getLogger(NAME).error("unexpected exception, request %s", error.id, exc_info=cause)


@lru_cache(maxsize=1)
def _to_the_second(unix_seconds: int) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=1)
def _timestamp(unix_milliseconds: int) -> str:
    """RFC 3339 in UTC. A busy gateway takes several requests in a millisecond, and reads the calendar once a second."""
    seconds, milliseconds = divmod(unix_milliseconds, 1000)
    return f"{_to_the_second(seconds)}.{milliseconds:03d}+00:00"
