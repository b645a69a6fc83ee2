"""What a request says beside its content: the parameters at its top level, and its options (protocol.md 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline import Given, InvalidRequest, Losses, Parameter
from stages.dialects.ollama import durations
from stages.dialects.ollama.fields import Fields
from stages.dialects.ollama.read_options import read_options
from stages.dialects.ollama.table import READS

_LEVELS = ("low", "medium", "high", "max")
_MOST_LOGPROBS = 20


def read_parameters(fields: Fields, operation: str, losses: Losses) -> dict[Parameter, Given]:
    """The parameters by their rows in the table; what the table has no meaning for is reported, the unknown too."""
    found: dict[Parameter, Given] = {}
    for row in _ROWS[operation]:
        name = row.field
        given = fields.get(name)
        if given is None:
            continue
        if isinstance(row.means, Parameter):
            value = _READERS[row.means](fields, name)
            if value is not None:
                found[row.means] = Given(value, fields.at(name))
        elif given:
            losses.drop(fields.at(name), row.if_lost)
    for path in fields.unknown():
        losses.drop(path, _UNKNOWN.if_lost)
    found.update(read_options(fields.object("options"), operation, losses))
    if Parameter.TOP_LOGPROBS in found and Parameter.LOGPROBS not in found:
        del found[Parameter.TOP_LOGPROBS]  # the server looks at it only with the other
    return found


_ROWS = {
    operation: [
        row
        for row in READS
        if operation in row.operations and (isinstance(row.means, Parameter) or row.means is None)
        if row.field != "*" and "." not in row.field and "[" not in row.field
    ]
    for operation in ("chat", "completion", "embedding", "embedding.single")
}
_UNKNOWN = next(row for row in READS if row.field == "*")


def _think(fields: Fields, name: str) -> str | None:
    think = fields.get(name)
    if think is None:
        return None
    if isinstance(think, bool):
        return "medium" if think else "none"
    if isinstance(think, str) and think in _LEVELS:
        return think
    said = f'"{think[:40]}"' if isinstance(think, str) else "of that type"
    message = f'invalid think value: {said} (must be "high", "medium", "low", "max", true, or false)'
    raise InvalidRequest(message, param=fields.at(name), code="invalid_value")


def _keep_alive(fields: Fields, name: str) -> str | float | None:
    value: str | float | None = fields.get(name)
    if value is None:
        return None
    try:
        durations.keep_alive(value)
    except ValueError as error:
        said = f"time: {error}" if isinstance(value, str) else str(error)
        raise InvalidRequest(said, param=fields.at(name), code="invalid_value") from None
    return value


def _top_logprobs(fields: Fields, name: str) -> int | None:
    count = fields.whole(name)
    if count is not None and not 0 <= count <= _MOST_LOGPROBS:
        message = f"top_logprobs must be between 0 and {_MOST_LOGPROBS}"
        raise InvalidRequest(message, param=fields.at(name), code="invalid_value")
    return count or None


def _dimensions(fields: Fields, name: str) -> int | None:
    count = fields.whole(name)
    return count if count is not None and count > 0 else None


_READERS: Mapping[Parameter, Callable[[Fields, str], Any]] = {
    Parameter.REASONING: _think,
    Parameter.KEEP_ALIVE: _keep_alive,
    Parameter.TRUNCATE: Fields.flag,
    Parameter.SHIFT: Fields.flag,
    Parameter.LOGPROBS: lambda fields, name: fields.flag(name) or None,
    Parameter.TOP_LOGPROBS: _top_logprobs,
    Parameter.SUFFIX: lambda fields, name: fields.text(name) or None,
    Parameter.TEMPLATE: lambda fields, name: fields.text(name) or None,
    Parameter.DIMENSIONS: _dimensions,
}
