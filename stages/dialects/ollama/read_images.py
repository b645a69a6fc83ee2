"""Images, and sound: bare base64 beside the text, with nothing said of what they are or where they stand.

What they are is sniffed from their first bytes. Where they stand is said, if at all, by markers in the text: `[img]`
takes the next one, `[img-2]` a certain one (protocol.md 1.4, 3.3).
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any

from pipeline import Audio, Image, InvalidRequest, Part, Text
from stages.dialects.ollama import go_json

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_NO_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_MARKER = re.compile(r"\[img(?:-([0-9]{1,9}))?\]")
_SNIFFED_LETTERS = 16

_IMAGES = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
    (re.compile(rb"BM"), "image/bmp"),
)
_SOUNDS = (
    (re.compile(rb"RIFF....WAVE", re.DOTALL), "wav"),
    (re.compile(rb"ID3|\xff[\xfb\xfa\xf3\xf2\xe3\xe2]"), "mp3"),
)


def read_image(value: Any, path: str, field: str) -> Image | Audio:
    """One element of `images`. Raises `InvalidRequest` in the server's words for what is no base64."""
    if not isinstance(value, str):
        raise go_json.mismatch(go_json.kind_of(value), field, "api.ImageData", path)
    data = value.replace("\n", "").replace("\r", "")  # Go reads base64 in lines
    if not _BASE64.fullmatch(data):
        message = f"illegal base64 data at input byte {_first_illegal(value)}"
        raise InvalidRequest(message, param=path, code="invalid_value")
    start = b64decode(data[:_SNIFFED_LETTERS])
    for pattern, sound in _SOUNDS:
        if pattern.match(start):
            return Audio(data, sound, path)
    return Image(data, next((kind for pattern, kind in _IMAGES if pattern.match(start)), "image/jpeg"), path)


def placed(text: str, path: str, images: list[Image | Audio]) -> tuple[Part, ...]:
    """The text and its images in order: where a marker stands, else after the text. A marker of nothing is text."""
    if not images:
        return (Text(text, path),) if text else ()
    parts: list[Part] = []
    named = {int(found[1]) for found in _MARKER.finditer(text) if found[1]}
    unnamed = [at for at in range(len(images)) if at not in named]
    used: set[int] = set()
    begin = 0
    for found in _MARKER.finditer(text):
        at = int(found[1]) if found[1] else next((at for at in unnamed if at not in used), len(images))
        if at >= len(images) or at in used:
            continue
        used.add(at)
        parts += [Text(text[begin : found.start()], path), images[at]]
        begin = found.end()
    parts.append(Text(text[begin:], path))
    parts += [image for at, image in enumerate(images) if at not in used]
    return tuple(part for part in parts if not isinstance(part, Text) or part.text)


def _first_illegal(value: str) -> int:
    """Where Go's decoder stops, or near it: the first byte of a data URL's `:`, the padding, or the end."""
    found = _NO_BASE64.search(value.replace("\n", "A").replace("\r", "A"))
    return len(value[: found.start()].encode()) if found else len(value)
