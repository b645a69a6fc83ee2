"""What a field of a client's request must be; anything else is a 400 that names it (protocol.md 2.10).

Null stands for absent in this protocol, so every reader here takes None and gives None back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline import Data, InvalidRequest


def text(value: Any, path: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise wrong(path, "a string")


def flag(value: Any, path: str) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise wrong(path, "a boolean")


def number(value: Any, path: str) -> int | float | None:
    if value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)):
        return value
    raise wrong(path, "a number")


def whole(value: Any, path: str, *, least: int | None = None, most: int | None = None) -> int | None:
    """An integer; `100.0` is one too, as JSON does not tell them apart (protocol.md 4, row 47)."""
    given = number(value, path)
    if given is None:
        return None
    if isinstance(given, float):
        if not given.is_integer():
            raise wrong(path, "an integer")
        given = int(given)
    if least is not None and given < least:
        raise InvalidRequest(f"`{path}` must be at least {least}.", param=path, code="integer_below_min_value")
    if most is not None and given > most:
        raise InvalidRequest(f"`{path}` must be at most {most}.", param=path, code="integer_above_max_value")
    return given


def thing(value: Any, path: str) -> Data | None:
    """A JSON object."""
    if value is None or isinstance(value, dict):
        return value
    raise wrong(path, "an object")


def array(value: Any, path: str) -> list[Any] | None:
    if value is None or isinstance(value, list):
        return value
    raise wrong(path, "an array")


def word(value: Any, path: str, words: Sequence[str]) -> str | None:
    """One of `words`."""
    given = text(value, path)
    if given is None or given in words:
        return given
    raise invalid(path, f"`{path}` must be one of {', '.join(words)}.")


def required_text(owner: Data, key: str, path: str) -> str:
    """A string that must be there and say something. `path` is its owner's: what is absent has no path to name."""
    given = owner.get(key)
    if given is None:
        raise InvalidRequest(f"`{path}` has no `{key}`.", param=path, code="missing_required_parameter")
    if not isinstance(given, str):
        raise wrong(f"{path}.{key}", "a string")
    if not given:
        raise invalid(f"{path}.{key}", f"`{path}.{key}` must not be empty.")
    return given


def required_thing(owner: Data, key: str, path: str) -> Data:
    given = thing(owner.get(key), f"{path}.{key}")
    if given is None:
        raise InvalidRequest(f"`{path}` has no `{key}`.", param=path, code="missing_required_parameter")
    return given


def wrong(path: str, what: str) -> InvalidRequest:
    return InvalidRequest(f"`{path}` must be {what}.", param=path, code="invalid_type")


def invalid(path: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, param=path, code="invalid_value")
