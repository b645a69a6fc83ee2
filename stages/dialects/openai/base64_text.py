"""Base64 as clients write it, made standard and padded (protocol.md 3.1), and data URLs around it."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64

_URL = re.compile(r"data:([^;,]*)((?:;[^;,]*)*?);base64,", re.IGNORECASE)
_FROM_URL_SAFE = str.maketrans("-_", "+/")


def standard(given: str) -> str | None:
    """`given` as standard padded base64; url-safe letters, line breaks and lacking padding are put right.

    None if it holds nothing or cannot be decoded.
    """
    text = "".join(given.split()).rstrip("=").translate(_FROM_URL_SAFE)
    try:
        raw = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (NotBase64, ValueError):
        return None
    return b64encode(raw).decode() if raw else None


def data_url(url: str) -> tuple[str, str] | None:
    """The media type, which may be "", and the encoded data of a data URL; None if `url` is none or not base64."""
    match = _URL.match(url)
    if match is None:
        return None
    return match[1].strip().lower(), url[match.end() :]
