"""Another name for the model in an answer that otherwise leaves as it came (laws 21, 49).

Nearly every answer says the name once, at its top and before anything nested. There its bytes are replaced and no JSON
is read; every other shape is decoded one level deep and written again.
"""

from __future__ import annotations

import re

import msgspec

from stages.dialects.wire import NOT_JSON, decode_top, encode

# Up to the name there are no brackets and no escapes, so the quotes pair up and the key is one of the outermost object.
_NAMED = re.compile(rb'\s*\{[^{}\[\]\\]*?"model"\s*:\s*("[^"\\]*")')


def splice(data: bytes, name: bytes, start: int = 0) -> bytes | None:
    """`data` with the model's name replaced by `name` (JSON text); None where that is not certain to be right.

    The object begins at `start`. The key must not come twice, escaped neither: readers take the last.
    """
    found = _NAMED.match(data, start)
    if found is None or data.count(b'"model"', start) != 1 or b"\\u006" in data:
        return None
    return data[: found.start(1)] + name + data[found.end(1) :]


def rename(data: bytes, name: bytes) -> bytes:
    """`data` under another name and all else JSON-equal; what is no JSON object, or has no name, stays as it is."""
    if b'"model"' not in data:
        return data
    spliced = splice(data, name)
    if spliced is not None:
        return spliced
    try:
        top = decode_top(data)
    except NOT_JSON:
        return data
    if "model" not in top:
        return data
    return encode({**top, "model": msgspec.Raw(name)}) + (b"\n" if data.endswith(b"\n") else b"")
