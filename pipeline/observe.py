"""One structured line per request, written after its last byte, aborts included.

The line is one dict through one renderer bound at start: the usual chain of log processors with context variables
costs several times as much per request as the whole gateway. No prompt and no secret is ever put into the dict.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from time import perf_counter
from typing import Any, Literal, TextIO

import msgspec

from pipeline.errors import GatewayError, as_gateway_error
from pipeline.log import NAME
from pipeline.outcome import Outcome, OutcomeKind
from pipeline.request import Request
from pipeline.response import Response
from pipeline.wellknown import HEAD_SECONDS, TARGET_USED

LogFormat = Literal["json", "console", "off"]
Emit = Callable[[dict[str, Any]], None]

_MAX_TEXT = 256
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

    def emit_json(record: dict[str, Any]) -> None:
        # JSON escapes control characters, so a caller's text cannot forge a second line.
        out.write(encode(record).decode() + "\n")
        out.flush()

    return emit_json


class AccessRecord:
    """What is known of one request so far. Whoever owns the last byte calls `write`, exactly once.

    Stages add to it through the slot `NOTES`. Times are milliseconds from the first sight of the request; `own_ms` is
    the gateway's share of the time to the first byte: everything but waiting for the upstream.
    """

    __slots__ = ("_emit", "_facts", "_outcome", "_started", "_written", "id")

    def __init__(self, emit: Emit, *, id: str, unix_seconds: float) -> None:
        self.id = id
        self._emit = emit
        self._started = perf_counter()
        self._written = False
        self._facts: dict[str, Any] = {"event": "request", "ts": _timestamp(unix_seconds), "request_id": id}
        self._outcome: str | None = None

    def note(self, **facts: Any) -> None:
        """Add facts. Text is cut at 256 characters when the line is written: some of it is a caller's."""
        self._facts.update(facts)

    def asked(self, request: Request, gateway: str) -> None:
        self.note(gateway=gateway, operation=request.operation, model=request.model, stream=request.stream)

    def answered(self, response: Response) -> None:
        """What the response head tells: the target, and how long the upstream took."""
        target = response.slots.get(TARGET_USED)
        self.note(status=response.status)
        if target is not None:
            self.note(upstream=target.upstream, upstream_model=target.model)
        head_seconds = response.slots.get(HEAD_SECONDS)
        if head_seconds is not None:
            self._facts["upstream_ms"] = _ms(head_seconds)

    def failed(self, error: BaseException) -> None:
        """The request failed before its first byte; the first error is the one that counts."""
        if "error" not in self._facts:
            typed = as_gateway_error(error)
            self.note(**typed.facts())
            self._facts["status"] = typed.status
            self._outcome = "failed"

    def ended(self, outcome: Outcome) -> None:
        """The body ended. Counts what was handed out and the tokens that the upstream reported."""
        facts = self._facts
        facts["pieces"] = outcome.pieces
        facts["bytes_out"] = outcome.bytes
        if outcome.usage is not None:
            self.note(input_tokens=outcome.usage.input_tokens, output_tokens=outcome.usage.output_tokens)
        if outcome.first_out_at is not None:
            facts["first_byte_ms"] = _ms(outcome.first_out_at - self._started)
            facts["upstream_ms"] = round(facts.get("upstream_ms", 0.0) + _ms(outcome.first_waited_seconds), 3)
            facts["own_ms"] = max(round(facts["first_byte_ms"] - facts["upstream_ms"], 3), 0.0)
        if outcome.kind is OutcomeKind.FAILED and outcome.error is not None:
            if outcome.pieces:
                self.note(**outcome.error.facts())
                self._outcome = "failed"
            else:
                self.failed(outcome.error)
        elif self._outcome is None:
            self._outcome = "complete" if outcome.kind is OutcomeKind.COMPLETE else "aborted"

    def write(self) -> None:
        """Write the line. Later calls do nothing: one line per request."""
        if self._written:
            return
        self._written = True
        facts = self._facts
        facts["outcome"] = self._outcome or "aborted"
        # 499 is nginx's word for a client that left before there was a status.
        facts.setdefault("status", 499)
        facts["total_ms"] = _ms(perf_counter() - self._started)
        for name, value in facts.items():
            if type(value) is str and len(value) > _MAX_TEXT:
                facts[name] = value[:_MAX_TEXT]
        self._emit(facts)


def log_cause(error: GatewayError) -> None:
    """Log the cause behind an opaque error once, under the id that the caller was given."""
    cause = error.__cause__
    if cause is not None and error.status == 500:
        logging.getLogger(NAME).error("unexpected exception, request %s", error.id, exc_info=cause)


@lru_cache(maxsize=1)
def _to_the_second(unix_seconds: int) -> str:
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _timestamp(unix_seconds: float) -> str:
    """RFC 3339 in UTC, to the millisecond. The date is worked out once a second, not once a request."""
    second = int(unix_seconds)
    return f"{_to_the_second(second)}.{int((unix_seconds - second) * 1000):03d}+00:00"


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
