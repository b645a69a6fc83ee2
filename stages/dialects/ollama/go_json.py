"""JSON as Go's decoder reads it, since clients of this protocol lean on its habits (protocol.md 1.1).

Keys match whatever their case, the last of duplicates counts, null means "not set", what follows the first value is
not looked at. The trap: the gateway must mean by a body what the server behind it will mean, so known keys are put into
their one spelling here; else `Stream` could say one thing to a check and `stream` another to the server.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

import msgspec

from pipeline import InvalidRequest, Payload

_KINDS = {"{": "object", "[": "array", '"': "string", "t": "bool", "f": "bool", "n": "null"}
_LARGEST = 1 << 63
_LONGEST = len(str(-_LARGEST))


def parse(body: bytes, known: Collection[str], struct: str) -> Payload:
    """The JSON object that begins `body`, its `known` keys spelled as they are there.

    Raises `InvalidRequest`: a body that is no JSON object has no field to name.
    """
    if not body.strip(b" \t\r\n"):
        raise InvalidRequest("missing request body", code="invalid_json")
    try:
        payload = Payload.parse(body)
    except ValueError as error:
        body, payload = _first_value(body, str(error), struct)
    return _spelled(payload, body, known)


def folded(key: str) -> str:
    """A key as Go compares it: besides case, its long s is an s (and `lower` makes the Kelvin sign a k)."""
    return key.lower().replace("\u017f", "s")


def kind(raw: bytes) -> str:
    """What Go calls the kind of a JSON text; a number with its digits if it is no 64-bit integer."""
    found = _KINDS.get(chr(raw[0]))
    if found is not None:
        return found
    digits = raw.decode()
    whole = digits.lstrip("-").isdigit() and len(digits) <= _LONGEST and -_LARGEST <= int(digits) < _LARGEST
    return "number" if whole else f"number {digits[:40]}"


def kind_of(value: Any) -> str:
    """The same of a decoded value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return kind(repr(value).encode()) if abs(value) < 1 << 63 else f"number {value:.6g}"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def mismatch(found: str, field: str, wanted: str, param: str) -> InvalidRequest:
    """Go's words for a value of the wrong type, to be raised. It quotes digits only where an integer is wanted."""
    found = found if wanted == "int" else found.partition(" ")[0]
    message = f"json: cannot unmarshal {found} into Go struct field {field} of type {wanted}"
    return InvalidRequest(message, param=param, code="invalid_type")


def _first_value(body: bytes, problem: str, struct: str) -> tuple[bytes, Payload]:
    """Rare: bytes follow the value, or it is no object. Bytes that are no UTF-8 keep their place by surrogateescape."""
    text = body.decode("utf-8", "surrogateescape").lstrip(" \t\r\n")
    try:
        _, end = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode(text)
    except (ValueError, RecursionError):
        raise InvalidRequest(f"invalid JSON: {problem}", code="invalid_json") from None
    first = text[:end].encode("utf-8", "surrogateescape")
    if first == b"null":
        return b"{}", Payload()
    if not first.startswith(b"{"):
        message = f"json: cannot unmarshal {kind(first)} into Go value of type api.{struct}"
        raise InvalidRequest(message, code="invalid_type")
    try:
        return first, Payload.parse(first)
    except ValueError as error:
        raise InvalidRequest(f"invalid JSON: {error}", code="invalid_json") from None


def _spelled(payload: Payload, body: bytes, known: Collection[str]) -> Payload:
    names = {key: name for key in payload if key not in known and (name := folded(key)) in known}
    if not names:
        return payload
    keys: Iterable[str] = payload
    if len({names.get(key, key) for key in payload}) < len(payload):
        keys = _by_last_place(body)
    return Payload({names.get(key, key): msgspec.Raw(payload.raw(key) or b"null") for key in keys})


def _by_last_place(body: bytes) -> list[str]:
    """The keys of the object `body` in the order in which each was last written: of two spellings the later counts."""
    last: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> None:
        nonlocal last
        last = [key for key, _ in pairs]  # the outermost object is complete last

    try:
        json.JSONDecoder(object_pairs_hook=note, parse_int=str, parse_float=str).decode(body.decode())
    except RecursionError:
        raise InvalidRequest("invalid JSON: JSON is nested too deeply", code="invalid_json") from None
    return list(dict.fromkeys(reversed(last)))[::-1]
