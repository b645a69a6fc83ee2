"""The `options` object of a client's request (protocol.md 1.3, 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline import Data, Given, InvalidRequest, Losses, Parameter
from stages.dialects.ollama.table import READS, SERVER_OPTIONS
from stages.dialects.table import Reads

_INTEGERS = frozenset(
    {"top_k", "repeat_last_n", "seed", "num_predict", "num_ctx", *SERVER_OPTIONS} - {"use_mmap", "stop"}
)
_LARGEST = 1 << 63


def read_options(options: Data, operation: str, losses: Losses) -> dict[Parameter, Given]:
    """What the options mean; the server's own matters together under `SERVER_OPTIONS`.

    A wrong type is a 400 here and a 500 of the server: the words are the server's. An option unknown there is no error
    there either, so a misspelt one is not noticed (pitfall 25).
    """
    rows = _ROWS[operation]
    found: dict[Parameter, Given] = {}
    ours: Data = {}
    for name, given in options.items():
        path = f"options.{name}"
        if given is None:
            continue
        row = rows.get(name, rows["*"])
        value = given if row.field not in _CHECKED else _checked(name, given, path)
        if not isinstance(row.means, Parameter):
            losses.drop(path, row.if_lost)
        elif row.means is Parameter.SERVER_OPTIONS:
            ours[name] = value
        elif (meant := _meant(row.means, value, path, losses)) is not None:
            found[row.means] = Given(meant, path)
    if ours:
        found[Parameter.SERVER_OPTIONS] = Given(ours, "options")
    return found


def _by_name(operation: str) -> Mapping[str, Reads]:
    rows = [row for row in READS if row.field.startswith("options.") and operation in row.operations]
    return {row.field.removeprefix("options."): row for row in rows}


_ROWS = {operation: _by_name(operation) for operation in ("chat", "completion", "embedding", "embedding.single")}
_CHECKED = frozenset(row.field for row in READS if isinstance(row.means, Parameter))


def _checked(name: str, value: Any, path: str) -> Any:
    if name == "stop":
        return _texts(value, path)
    if name == "use_mmap":
        if not isinstance(value, bool):
            raise _wrong(name, "of type boolean", path)
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(name, "of type integer" if name in _INTEGERS else "of type float32", path)
    if name not in _INTEGERS:
        return value
    if not -_LARGEST <= value < _LARGEST:
        raise _wrong(name, "of type integer", path)
    return int(value)  # here 7.9 is 7: numbers of `options` are floats to the server before they are anything


def _texts(value: Any, path: str) -> list[str]:
    """A bare text is what other protocols allow and what the server answers 500 to (pitfall 24)."""
    if isinstance(value, str):
        return [value] if value else []
    if not isinstance(value, list):
        raise _wrong("stop", "of type array", path)
    if not all(isinstance(text, str) for text in value):
        raise _wrong("stop", "of an array of strings", path)
    return [text for text in value if text]


def _meant(parameter: Parameter, value: Any, path: str, losses: Losses) -> Any:
    """What the value means where it is not itself, None for nothing."""
    if parameter is Parameter.SEED and value == -1:
        return None  # random, as without it
    if parameter is Parameter.MAX_TOKENS and value <= 0:
        if value == 0:
            losses.change(path)
        return None  # negative is open-ended
    if parameter is Parameter.STOP and not value:
        return None
    return value


def _wrong(name: str, must_be: str, path: str) -> InvalidRequest:
    return InvalidRequest(f'option "{name}" must be {must_be}', param=path, code="invalid_type")
