"""Embedding vectors as numbers and as base64 of little-endian float32 (protocol.md 2.7; law 40)."""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from typing import Any

from pipeline import UpstreamGarbage

_BYTES = 4


def as_base64(numbers: Sequence[Any]) -> str:
    try:
        return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
    except (struct.error, OverflowError) as error:
        raise _garbage(str(error)) from None


def as_floats(given: Any) -> list[Any]:
    """The numbers of either form."""
    if isinstance(given, list):
        return given
    if not isinstance(given, str):
        raise _garbage("neither a list nor base64")
    try:
        raw = b64decode(given, validate=True)
    except (NotBase64, ValueError) as error:
        raise _garbage(str(error)) from None
    if len(raw) % _BYTES:
        raise _garbage("bytes that are no float32")
    return list(struct.unpack(f"<{len(raw) // _BYTES}f", raw))


def _garbage(detail: str) -> UpstreamGarbage:
    return UpstreamGarbage("The upstream's answer holds no embedding.", work_done="maybe", detail=detail)
