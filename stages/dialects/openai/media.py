"""What the bytes of a picture or a sound are, where nobody says (protocol.md 3.3, images)."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64

_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)
_UNKNOWN = "image/jpeg"
_LOOK = 16  # characters of base64: twelve bytes, which is as far as the longest mark reaches


def image_type(data: str) -> str:
    """The media type of a picture in standard base64; JPEG if it is none that is known."""
    head = _head(data)
    if head.startswith(b"RIFF") and head[8:] == b"WEBP":
        return "image/webp"
    return next((media_type for mark, media_type in _IMAGES if head.startswith(mark)), _UNKNOWN)


def audio_format(data: str) -> str | None:
    """`wav` or `mp3`; None if it is neither."""
    head = _head(data)
    if head.startswith(b"RIFF") and head[8:] == b"WAVE":
        return "wav"
    # MPEG audio: an ID3 tag, or a frame's eleven set bits with layer III.
    frame = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2
    return "mp3" if head.startswith(b"ID3") or frame else None


def _head(data: str) -> bytes:
    try:
        return b64decode(data[:_LOOK])
    except (NotBase64, ValueError):
        return b""
