"""Reading the parameters of a request by the table's rows: what each may be, what says nothing (protocol.md 3.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from pipeline import Data, Given, InvalidRequest, Losses, Parameter
from stages.dialects.openai import expect
from stages.dialects.openai.lost import lose
from stages.dialects.openai.table import OPTION_OBJECTS, READS
from stages.dialects.table import Reads

Parse = Callable[[Any, str], Any]
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_REST = "*"


def _stop(value: Any, path: str) -> list[str] | None:
    """Texts; empty ones stop nothing, and servers disagree on them."""
    if isinstance(value, list):
        for at, item in enumerate(value):
            if not isinstance(item, str):
                raise expect.wrong(f"{path}[{at}]", "a string")
        return [item for item in value if item] or None
    if value is not None and not isinstance(value, str):
        raise expect.wrong(path, "a string or an array of strings")
    return [value] if value else None


def _think(value: Any, path: str) -> str | None:
    """Some servers switch reasoning on and off instead of naming an effort."""
    if isinstance(value, bool):
        return "medium" if value else "none"
    return expect.word(value, path, _EFFORTS)


def _keep_alive(value: Any, path: str) -> str | int | float | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, type(None))):
        raise expect.wrong(path, "a number of seconds or a duration")
    return None if value == "" else value


_PARSE: Mapping[Parameter, Parse] = {
    Parameter.MAX_TOKENS: lambda value, path: expect.whole(value, path, least=1),
    Parameter.TOP_K: expect.whole,
    Parameter.REPEAT_LAST_N: expect.whole,
    Parameter.SEED: expect.whole,
    Parameter.NUM_CTX: expect.whole,
    Parameter.STOP: _stop,
    Parameter.REASONING: lambda value, path: expect.word(value, path, _EFFORTS),
    # The ways to say what is so anyway are nothing at all: there is no loss in not passing them on.
    Parameter.LOGPROBS: lambda value, path: expect.flag(value, path) or None,
    Parameter.PARALLEL_TOOL_CALLS: lambda value, path: None if expect.flag(value, path) is not False else False,
    Parameter.CHOICES: lambda value, path: _over_one(expect.whole(value, path, least=1, most=128)),
    Parameter.LOGIT_BIAS: lambda value, path: expect.thing(value, path) or None,
    Parameter.SUFFIX: lambda value, path: expect.text(value, path) or None,
    Parameter.TOP_LOGPROBS: lambda value, path: expect.whole(value, path, least=0, most=20),
    Parameter.DIMENSIONS: lambda value, path: expect.whole(value, path, least=1),
    Parameter.TRUNCATE: expect.flag,
    Parameter.SHIFT: expect.flag,
    Parameter.KEEP_ALIVE: _keep_alive,
    Parameter.VERBOSITY: lambda value, path: expect.word(value, path, ("low", "medium", "high")),
}
_PARSE_FIELD: Mapping[str, Parse] = {"think": _think, "ollama.think": _think}


def _over_one(choices: int | None) -> int | None:
    return None if choices == 1 else choices


def _rows(operation: str) -> list[tuple[Reads, Parameter]]:
    return [(row, row.means) for row in READS if isinstance(row.means, Parameter) and operation in row.operations]


ROWS = {operation: _rows(operation) for operation in ("chat", "completion", "embedding")}
"""The rows of parameters, by operation."""

_OPTION = f"{OPTION_OBJECTS[0]}."
NAMED_OPTIONS = {
    operation: frozenset(row.field.removeprefix(_OPTION) for row, _ in rows if row.field.startswith(_OPTION))
    for operation, rows in ROWS.items()
}
"""The options that mean something to other servers too."""


def read_parameters(payload: Mapping[str, Any], operation: str, losses: Losses) -> dict[Parameter, Given]:
    """All parameters that `payload` sets; of several fields for one, the first in the table counts."""
    given: dict[Parameter, Given] = {}
    rest: Data = {}
    for path, means, value in _said(payload, operation):
        if means is Parameter.SERVER_OPTIONS:
            for name, option in value.items():
                rest.setdefault(name, Given(option, f"{path}.{name}"))
        elif means not in given:
            given[means] = Given(value, path)
        elif given[means].value != value:
            lose(losses, path)
    if rest:
        where = next(iter(rest.values())).path.rpartition(".")[0]
        given[Parameter.SERVER_OPTIONS] = Given({name: option.value for name, option in rest.items()}, where)
    if operation == "chat" and Parameter.TOP_LOGPROBS in given and Parameter.LOGPROBS not in given:
        message = "`top_logprobs` is only allowed when `logprobs` is true."
        raise InvalidRequest(message, param=given[Parameter.TOP_LOGPROBS].path, code="invalid_value")
    if operation == "completion" and (top := given.get(Parameter.TOP_LOGPROBS)) is not None:
        given[Parameter.LOGPROBS] = Given(True, top.path)  # 0 asks for the chosen token alone (protocol.md 2.6)
    return given


class _Row(NamedTuple):
    """What there is to know of a row of parameters when a request is read."""

    path: str
    owner: str
    name: str
    means: Parameter
    parse: Parse


def _row(path: str, means: Parameter) -> _Row:
    owner, _, name = path.rpartition(".")
    return _Row(path, owner, name, means, _PARSE_FIELD.get(path) or _PARSE.get(means, expect.number))


_BY_OWNER = {
    operation: [
        (owner, tuple(group))
        for owner, group in groupby((_row(row.field, means) for row, means in rows), key=attrgetter("owner"))
    ]
    for operation, rows in ROWS.items()
}
"""The same in runs of one object, of which most are absent or empty."""


def _said(payload: Mapping[str, Any], operation: str) -> Iterator[tuple[str, Parameter, Any]]:
    """Every field that says something: its path, what it means and its value."""
    objects = _objects(payload)
    top = frozenset(payload)
    native = {name: _native(objects[name], operation) for name in OPTION_OBJECTS}
    for owner, rows in _BY_OWNER[operation]:
        values = objects[owner] if owner else payload
        names = objects[owner] if owner else top
        if not names:
            continue
        only_native = native.get(owner, {})
        for path, _, name, means, parse in rows:
            if name == _REST:
                if only_native:
                    yield owner, means, only_native
                continue
            if name not in names or name in only_native or (value := values[name]) is None:
                continue
            parsed = parse(value, path)
            if parsed is not None:
                yield path, means, parsed


def _objects(payload: Mapping[str, Any]) -> Mapping[str, Data]:
    """The objects that hold parameters by their paths, empty where there is none."""
    reasoning = expect.thing(payload.get("reasoning"), "reasoning") or {}
    ollama = expect.thing(payload.get("ollama"), "ollama") or {}
    options = expect.thing(payload.get("options"), "options") or {}
    inner = expect.thing(ollama.get("options"), "ollama.options") or {}
    return {"reasoning": reasoning, "ollama": ollama, "options": options, "ollama.options": inner}


def _native(options: Data, operation: str) -> Data:
    """The options that only a server of their kind can read, set back to its own default (-1) included."""
    if not options:
        return options
    named = NAMED_OPTIONS[operation]
    return {
        name: value
        for name, value in options.items()
        if value is not None and (name not in named or (name in _OWN_DEFAULT and _OWN_DEFAULT[name](value)))
    }


def _is_below(value: Any, least: int) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value < least


_OWN_DEFAULT: Mapping[str, Callable[[Any], bool]] = {
    "num_predict": lambda value: _is_below(value, 1),
    "seed": lambda value: _is_below(value, 0),
}
"""Where a number has no counterpart elsewhere: open-ended (protocol.md 1.3), and random."""
