"""The arguments of a tool call: JSON text in the neutral form, an object here (protocol.md 3.4, pitfall 19)."""

from __future__ import annotations

from pipeline import Data, UpstreamGarbage
from stages.dialects.wire import NOT_JSON, decode


def parse(text: str) -> Data:
    """The object; no text is an empty one. Raises `UpstreamGarbage` on what is none: Ollama fails there too."""
    if not text.strip():
        return {}
    try:
        arguments = decode(text.encode("utf-8", "replace"))
    except NOT_JSON as error:
        raise _garbage(str(error)) from None
    if arguments is None:
        return {}
    if not isinstance(arguments, dict):
        raise _garbage(f"a JSON {type(arguments).__name__}")
    return arguments


def is_whole(text: str) -> bool:
    """Whether `text` is all of an object already."""
    try:
        return isinstance(decode(text.encode("utf-8", "replace")), dict)
    except NOT_JSON:
        return False


def _garbage(detail: str) -> UpstreamGarbage:
    # Never the text itself: it may repeat the prompt.
    message = "The model called a tool with arguments that are not a JSON object."
    return UpstreamGarbage(message, work_done="maybe", detail=detail[:200])
