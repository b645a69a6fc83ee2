"""Errors, both ways (protocol.md 1.11, 3.9)."""

from __future__ import annotations

from pipeline import (
    ErrorReply,
    GatewayError,
    Headers,
    Unauthenticated,
    UpstreamError,
    UpstreamInterrupted,
    UpstreamRefusedUs,
    UpstreamRejected,
)
from stages.dialects.ollama.error_words import Said, meaning, said
from stages.dialects.retry_after import parse_retry_after
from stages.dialects.wire import encode

CONTENT_TYPE = "application/json; charset=utf-8"
_BUSY_SECONDS = 1.0
_NOT_THE_CALLERS = frozenset({405, 408, 429, 499})
_PLAIN = frozenset({404, 405})
_RETRYABLE = frozenset({408, 409, 429, 500, 502, 503, 504})


def error_reply(error: GatewayError, model: str) -> ErrorReply:
    """`{"error": text}`. Clients pull a model on a 404, so a missing one is exactly that, in the server's own words.

    A 401 begins the client's sign-in, so it is only ever about the gateway's own key (pitfall 54).
    """
    status, text = error.status, error.message
    if isinstance(error, Unauthenticated):
        text = "unauthorized"
    elif status == 401:
        status = 502
    elif error.code == "model_not_found":
        status, text = 404, f"model '{model}' not found"
    return ErrorReply(status, encode({"error": text or "the gateway failed"}), CONTENT_TYPE)


def decode_error(status: int, headers: Headers, body: bytes) -> GatewayError:
    """An upstream's error answer, its words kept.

    What is no error object goes to the log and not to the caller, since it may be anything. So does the address to
    sign in at (section 4, row 26): it is for whoever runs the server, and tells that machine's name. A plain 404 or 405
    is a server without the route, which no caller can help; an empty 404 is the answer to a HEAD.
    """
    found = said(body)
    if status in (401, 403):
        forbidden = status == 403 and not body.strip()
        return UpstreamRefusedUs(
            "The upstream refused the gateway's host or origin."
            if forbidden
            else "The upstream refused the gateway's credentials.",
            code="upstream_forbidden" if forbidden else None,
            detail=f"upstream status {status}" + (f", sign in at {found.sign_in}" if found and found.sign_in else ""),
        )
    if found is None and status in _PLAIN and (body.strip() or status == 405):
        message = "The upstream does not have this operation."
        return UpstreamRejected(message, status=502, retryable=False, detail=f"upstream status {status}")
    error = _worded(status, found or Said(""))
    if error.status in (429, 503):
        error.retry_after = parse_retry_after(headers)
        if error.status == 503 and error.retry_after is None:
            error.retry_after = _BUSY_SECONDS
    error.detail = f"upstream status {status}" + ("" if found else f", {len(body)} bytes that are no error object")
    return error


def in_band(body: bytes) -> GatewayError | None:
    """The error inside a 200 answer or a stream, or None if `body` has no truthy `error` (protocol.md 1.10.5).

    Servers of models elsewhere tell the status they got there; the others tell none.
    """
    found = said(body)
    if found is None:
        return None
    if found.status in (401, 403):
        return UpstreamRefusedUs("The upstream refused the gateway's credentials.", work_done="maybe")
    error: GatewayError
    if found.status is None and meaning(None, found) is None:
        error = UpstreamInterrupted(found.text or "The upstream failed while answering.", code="upstream_error")
    else:
        error = _worded(found.status, found)
    error.work_done = "maybe"
    return error


def incomplete() -> UpstreamInterrupted:
    """An answer that just stops: servers do so after thirty equal tokens, with every sign of success but one."""
    message = "The upstream's answer ended before it was done."
    return UpstreamInterrupted(message, code="upstream_incomplete", work_done="maybe", detail="no done line")


def _worded(status: int | None, found: Said) -> UpstreamError:
    message = found.text or f"The upstream answered with status {status}."
    known = meaning(status, found)
    if known is not None:
        row, param = known
        error = UpstreamRejected(
            message, status=row.becomes, type="invalid_request_error", code=row.code, param=param, retryable=False
        )
        error.origin = "caller"
        return error
    status = status or 502
    error = UpstreamRejected(message, status=_client_status(status), retryable=status in _RETRYABLE)
    if status == 429:
        error.type, error.code = "requests", "rate_limit_exceeded"
    elif status == 503:
        error.type, error.code = "server_error", "server_overloaded"
    elif status == 504:
        error.code = "upstream_timeout"
    elif status < 500 and status not in _NOT_THE_CALLERS:
        error.type, error.code, error.origin = "invalid_request_error", None, "caller"
    return error


def _client_status(status: int) -> int:
    """The caller's own 4xx, 429, 503 and 504 stay; everything else is a bad gateway."""
    if status in (429, 503, 504):
        return status
    return status if 400 <= status < 500 and status not in _NOT_THE_CALLERS else 502
