"""What an Ollama server's error text means (protocol.md 1.11, 3.9): it has sentences where others have codes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from pipeline import Data
from stages.dialects.wire import NOT_JSON, as_dict, as_int, as_text, decode

_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Said:
    """The words of an error object; `status` and `kind` where it tells them, `sign_in` where an account is wanted."""

    text: str
    status: int | None = None
    kind: str = ""
    sign_in: str = ""


@dataclass(frozen=True, slots=True)
class Meaning:
    """Errors of `status` whose words match: what they are called elsewhere. `param` None: the first group."""

    status: int
    words: re.Pattern[str]
    becomes: int
    code: str
    param: str | None


def _row(status: int, words: str, becomes: int, code: str, param: str | None) -> Meaning:
    return Meaning(status, re.compile(words), becomes, code, param)


_TOO_LONG = "longer than the context length|exceeds the context length|exceeds the available context"
MEANINGS = (
    _row(400, "model is required", 400, "missing_required_parameter", "model"),
    _row(400, "invalid model name", 404, "model_not_found", "model"),
    _row(404, "model .*not found", 404, "model_not_found", "model"),
    _row(404, "not found, try pulling it first", 404, "model_not_found", "model"),
    _row(400, "does not support tools", 400, "unsupported_parameter", "tools"),
    _row(400, "does not support thinking", 400, "unsupported_value", "reasoning_effort"),
    _row(400, "think value .* not supported", 400, "unsupported_value", "reasoning_effort"),
    _row(400, "does not support insert", 400, "unsupported_parameter", "suffix"),
    _row(400, "does not support (?:chat|generate|embed)", 400, "unsupported_parameter", "model"),
    _row(400, "input length exceeds the context length", 400, "context_length_exceeded", "input"),
    _row(400, _TOO_LONG, 400, "context_length_exceeded", "messages"),
    _row(400, "illegal base64 data", 400, "invalid_base64_image", "messages"),
    _row(500, 'option "([^"]+)" must be of', 400, "invalid_type", None),
    _row(500, "invalid format:", 400, "invalid_value", "response_format"),
)
_CONTEXT_KIND = "exceed_context_size_error"
CONTEXT = _row(400, _TOO_LONG, 400, "context_length_exceeded", "messages")


def meaning(status: int | None, said: Said) -> tuple[Meaning, str] | None:
    """The first row that fits, with its `param`; None if these words are known to mean nothing more.

    `status` None is that of an error after a 200: a stream tells only the words, even before its first line.
    """
    if said.kind == _CONTEXT_KIND:
        return CONTEXT, "messages"
    for row in MEANINGS:
        if status in (None, row.status) and (match := row.words.search(said.text)):
            return row, row.param or match[1]
    return None


def said(body: bytes) -> Said | None:
    """The error object in `body`, or None if it has none or an empty one.

    The text may itself be the error document of the engine inside (1.11): then that one's words count.
    """
    try:
        answer = as_dict(decode(body))
    except NOT_JSON:
        return None
    error = answer.get("error")
    status = _status(answer.get("StatusCode"))
    if isinstance(error, dict) and error:
        return Said(_message(error), status or _status(error.get("code")), as_text(error.get("type")))
    if not isinstance(error, str) or not error:
        return None
    return replace(_unwrapped(error, status), sign_in=as_text(answer.get("signin_url")))


def _unwrapped(text: str, status: int | None) -> Said:
    kind = ""
    for _ in range(_DEEPEST):
        inner = _document(text)
        if inner is None:
            break
        if not (message := _message(inner)):
            break
        text, kind, status = message, as_text(inner.get("type")) or kind, status or _status(inner.get("code"))
    return Said(text, status, kind)


def _document(text: str) -> Data | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        document = as_dict(decode(text.encode("utf-8", "replace")))
    except NOT_JSON:
        return None
    error = document.get("error", document)
    return {"message": error} if isinstance(error, str) else as_dict(error)


def _message(error: Data) -> str:
    return as_text(error.get("message")) or as_text(error.get("error"))


def _status(value: Any) -> int | None:
    status = as_int(value, 0)
    return status if 400 <= status < 600 else None
