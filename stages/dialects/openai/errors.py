"""Errors, both ways (protocol.md 2.10, 3.9)."""

from __future__ import annotations

from pipeline import (
    Data,
    GatewayError,
    Headers,
    UpstreamError,
    UpstreamInterrupted,
    UpstreamRefusedUs,
    UpstreamRejected,
)
from stages.dialects.retry_after import parse_retry_after
from stages.dialects.wire import NOT_JSON, as_dict, as_text, decode, encode

_RETRYABLE = frozenset({408, 409, 429, 500, 502, 503, 504, 529})
_NOT_THE_CALLERS = frozenset({408, 429})
_STATUS_TYPE = {
    429: "requests",
    500: "server_error",
    503: "server_error",
}


def encode_error(error: GatewayError, model: str = "") -> bytes:
    """`{"error": {...}}` with all four keys; `code` is a string or null, never a number.

    An upstream that misses a model calls it by its own name, which is none of the caller's: the one that was asked for
    is named instead (protocol.md 3.0.2).
    """
    told = error.public()
    if model and isinstance(error, UpstreamRejected) and error.code == "model_not_found":
        told["message"] = f"The model `{model}` does not exist or you do not have access to it."
    return encode({"error": told})


def decode_error(status: int, headers: Headers, body: bytes) -> GatewayError:
    """An upstream's error answer, its words kept.

    401 and 403 are about the gateway's own key, so the caller gets a 502. A body that is not OpenAI's shape still
    yields a typed error: its text may be anything, so it goes to the log and not to the caller.
    """
    if status in (401, 403):
        return UpstreamRefusedUs("The upstream refused the gateway's credentials.", detail=f"status {status}")
    said = _said(body)
    known = said or {}
    default_type = _STATUS_TYPE.get(status, "invalid_request_error" if status < 500 else "api_error")
    error = UpstreamRejected(
        as_text(known.get("message")) or f"The upstream answered with status {status}.",
        status=_client_status(status),
        type=as_text(known.get("type")) or default_type,
        param=as_text(known.get("param")) or None,
        retry_after=parse_retry_after(headers),
        # Never a piece of the body: it may repeat the prompt.
        detail=f"upstream status {status}" + ("" if said else f", {len(body)} bytes that are no error object"),
    )
    error.code = _code(known, status) or (None if said else error.code)
    if 400 <= status < 500 and status not in _NOT_THE_CALLERS:
        error.origin = "caller"
    # Without credit, trying again is vain (pitfall 57).
    error.retryable = status in _RETRYABLE and error.code != "insufficient_quota"
    return error


def in_band(data: bytes) -> GatewayError | None:
    """The error inside a 200 answer or a stream, or None if `data` has no truthy `error` (protocol.md 2.5)."""
    said = _said(data)
    if said is None:
        return None
    error: UpstreamError = UpstreamInterrupted(
        as_text(said.get("message")) or "The upstream failed while answering.",
        type=as_text(said.get("type")) or "api_error",
        param=as_text(said.get("param")) or None,
        work_done="maybe",
    )
    error.code = _code(said, 0) or error.code
    return error


def _said(data: bytes) -> Data | None:
    """The error object of an answer; a bare string becomes its message."""
    try:
        error = as_dict(decode(data)).get("error")
    except NOT_JSON:
        return None
    if isinstance(error, str) and error:
        return {"message": error}
    return error if isinstance(error, dict) and error else None


def _code(said: Data, status: int) -> str | None:
    code = said.get("code")
    if isinstance(code, str) and code:
        return code
    # A number is how llama.cpp and others repeat the status; the name of the type says more.
    kind = as_text(said.get("type"))
    if kind == "exceed_context_size_error":
        return "context_length_exceeded"
    return {404: "model_not_found", 429: "rate_limit_exceeded"}.get(status)


def _client_status(status: int) -> int:
    """An upstream's status for the caller: its own 4xx, 500 and 503 stay; everything unheard of is a bad gateway."""
    return status if 400 <= status < 500 or status in (500, 503, 504) else 502
