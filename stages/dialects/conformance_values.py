"""Strategies for what stands inside requests and answers of every dialect: words, numbers, objects, pictures."""

from __future__ import annotations

import base64
import json
from typing import Any

from hypothesis import strategies as st

MODEL = "asked"

_WORDS = [
    "Hi",
    " there",
    "é😀",
    '"',
    "\\",
    "\n\n",
    "\r",
    "\u0085",
    "\u2028",
    "\u2029",
    "\x0b",
    "data: x",
    "[DONE]",
    "<&>",
]

pieces = st.sampled_from(_WORDS)
"""A piece of text that is not empty; many of them break readers that split lines where they should not."""

texts = st.lists(pieces, max_size=4).map("".join)
filled_texts = st.lists(pieces, min_size=1, max_size=4).map("".join)
names = st.sampled_from(["look_up", "find", "f-1"])
keys = st.sampled_from(["a", "b", "Key", "é", "with space", "index", "id"])

scalars = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts
)
json_values: st.SearchStrategy[Any] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(keys, inner, max_size=2), max_leaves=5
)
arguments = st.dictionaries(keys, json_values, max_size=3)
"""The arguments of a tool call: an object whose integers are exact as doubles (protocol.md 6, subset C)."""

counts = st.integers(0, 2**31)
logarithms = st.floats(-100, 0, allow_nan=False).map(lambda number: round(number, 6))

# Signatures as in protocol.md 3.3; the last is of no kind that is known.
_SIGNATURES = [
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"GIF89a",
    b"RIFF\x24\x00\x00\x00WEBPVP8 ",
    b"BM",
    b"",
    b"??>",
]
pictures = st.builds(lambda head, rest: head + b"\0" + rest, st.sampled_from(_SIGNATURES), st.binary(max_size=7))

_PROPERTY: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "description": "which \u2028 one", "enum": ["a", "b"]},
        {"type": ["number", "null"]},
        {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        {"type": "array", "items": {"type": "object", "properties": {"x": {"type": "boolean"}}}},
    ]
)
schemas: st.SearchStrategy[dict[str, Any]] = st.builds(
    lambda properties, required: {
        "type": "object",
        "properties": properties,
        **({"required": sorted(properties)} if required and properties else {}),
    },
    st.dictionaries(st.sampled_from(["q", "limit", "where"]), _PROPERTY, max_size=2),
    st.booleans(),
)
"""Only the keywords that every model server keeps (protocol.md 1.4)."""


def sniffed(picture: bytes) -> str:
    """The media type by the first bytes; image/jpeg where they say nothing (protocol.md 3.3)."""
    if picture.startswith(b"RIFF") and picture[8:12] == b"WEBP":
        return "image/webp"
    kinds = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg", b"GIF8": "gif", b"BM": "bmp"}
    return next((f"image/{kind}" for magic, kind in kinds.items() if picture.startswith(magic)), "image/jpeg")


def standard(picture: bytes) -> str:
    """Standard, padded base64."""
    return base64.b64encode(picture).decode()


def unpacked(text: str) -> bytes:
    """Base64 of either alphabet, padded or not."""
    text = text.replace("-", "+").replace("_", "/").rstrip("=")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def compact(arguments: Any) -> str:
    """JSON text without spaces, the order of the keys kept."""
    return json.dumps(arguments, separators=(",", ":"))


def spaced(arguments: Any) -> str:
    """The same over several lines, as some clients write it."""
    return json.dumps(arguments, indent=1, ensure_ascii=False)


def cut(draw: st.DrawFn, text: str, *, most: int = 3) -> list[str]:
    """`text` in up to `most` pieces, none of them empty."""
    at = sorted(draw(st.sets(st.integers(1, max(1, len(text) - 1)), max_size=most - 1)))
    return [piece for piece in (text[i:j] for i, j in zip([0, *at], [*at, len(text)], strict=True)) if piece]


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object with a few of `fields`; only those are drawn."""
    chosen = st.sets(st.sampled_from(sorted(fields)), max_size=5).map(sorted)
    return chosen.flatmap(lambda keys: st.fixed_dictionaries({key: fields[key] for key in keys}))


def bent(right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly `right`, sometimes anything."""
    return st.integers(0, 11).flatmap(lambda die: anything if die == 0 else right)


@st.composite
def bent_somewhere(draw: st.DrawFn, requests: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """A valid request in which one place, however deep, is anything else or is not there."""
    request: dict[str, Any] = json.loads(json.dumps(draw(requests)))
    owner: Any = request
    while True:
        places = sorted(owner) if isinstance(owner, dict) else range(len(owner))
        place = draw(st.sampled_from(places))
        inner = owner[place]
        if not isinstance(inner, dict | list) or not inner or draw(st.integers(0, 3)) == 0:
            break
        owner = inner
    if draw(st.integers(0, 3)):
        owner[place] = draw(anything)
    else:
        del owner[place]
    return request


_KEYS = ("role", "content", "type", "text", "image_url", "url", "function", "name", "arguments", "id", "index", "data")
anything: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.just(1.5)
    | st.sampled_from(["", "a", "auto", "json", "\ud7ff"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=3),
    max_leaves=5,
)
