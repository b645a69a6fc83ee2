"""Reading a request body, bounded before a byte of it is parsed."""

from __future__ import annotations

from functools import lru_cache

from pipeline.adapters.disconnect import Receive
from pipeline.adapters.paths import Fields
from pipeline.errors import BodyTooLarge, InvalidRequest, UnsupportedMediaType

_USUAL_BYTES = 100  # of a content type: what is remembered is kept, and may be a stranger's
_MOST_DIGITS = 18  # of a length in bytes; Python refuses to read a number of thousands


class ClientLeft(Exception):
    """The client left before its request was complete. There is nobody to answer."""


async def read_body(receive: Receive, fields: Fields, max_bytes: int) -> bytes:
    """The whole body. Raises `BodyTooLarge` from the declared length where there is one, else from the count."""
    length = fields.get(b"content-length")
    if length is not None:
        if not length.isdigit():
            raise InvalidRequest("Content-Length must be a number.")
        if len(length) > _MOST_DIGITS or int(length) > max_bytes:
            raise _too_large(max_bytes)
    if fields.get(b"content-encoding", b"identity").lower() != b"identity":
        raise UnsupportedMediaType("Compressed request bodies are not read here.")
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft
        piece = message.get("body", b"")
        size += len(piece)
        if size > max_bytes:
            raise _too_large(max_bytes)
        pieces.append(piece)
        if not message.get("more_body", False):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def check_content_type(fields: Fields, read: frozenset[str] | None) -> None:
    """Raises `UnsupportedMediaType` for a body that is called something else than what is `read`.

    A body without a type is taken for what it is read as: many clients say none.
    """
    value = fields.get(b"content-type")
    if read is None or value is None:
        return
    called = _remembered(value) if len(value) <= _USUAL_BYTES else _media_type(value)
    if called and called not in read:
        raise UnsupportedMediaType(f"A body of type {called[:100]} is not read here; send {min(read)}.")


def _media_type(content_type: bytes) -> str:
    return content_type.decode("latin-1").partition(";")[0].strip().lower()


_remembered = lru_cache(maxsize=64)(_media_type)  # clients say the same few


def _too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"The request body is over {max_bytes} bytes.", code="request_too_large")
