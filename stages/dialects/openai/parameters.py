"""A model's parameter rules applied to a client's request, which stays in this dialect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline import Parameter, ParameterRules, Payload, Request
from stages.dialects.openai.read_parameters import NAMED_OPTIONS, ROWS
from stages.dialects.openai.table import OPTION_OBJECTS
from stages.dialects.wire import as_dict


def _paths(operation: str) -> dict[Parameter, list[str]]:
    paths: dict[Parameter, list[str]] = {}
    for row, means in ROWS[operation]:
        if means is not Parameter.SERVER_OPTIONS:
            paths.setdefault(means, []).append(row.field)
    return paths


_PATHS = {operation: _paths(operation) for operation in ROWS}


def with_parameters(request: Request, rules: ParameterRules) -> Payload:
    """Each rule in the field that the caller used, else in the first: an upstream may know only one of two names."""
    payload = request.payload
    for parameter, paths in _PATHS.get(request.operation, {}).items():
        used = [path for path in paths if _look(payload, path) is not None]
        if parameter in rules.drops:
            for path in used:
                payload = _set(payload, path, None)
        elif parameter in rules.overrides:
            for path in used[1:]:
                payload = _set(payload, path, None)
            payload = _set(payload, (used or paths)[0], rules.overrides[parameter])
        elif parameter in rules.defaults and not used:
            payload = _set(payload, paths[0], rules.defaults[parameter])
    return _with_options(payload, request.operation, rules)


def _with_options(payload: Payload, operation: str, rules: ParameterRules) -> Payload:
    """The options of the server's own: a rule sets single ones, so that it need not know all."""
    which = Parameter.SERVER_OPTIONS
    if operation not in ROWS:
        return payload
    if which in rules.drops:
        for path in OPTION_OBJECTS:
            options = as_dict(_look(payload, path))
            if options:
                kept = {name: value for name, value in options.items() if name in NAMED_OPTIONS[operation]}
                payload = _set(payload, path, kept or None)
        return payload
    defaults, overrides = as_dict(rules.defaults.get(which)), as_dict(rules.overrides.get(which))
    if not defaults and not overrides:
        return payload
    path = next((path for path in OPTION_OBJECTS if _look(payload, path)), OPTION_OBJECTS[0])
    return _set(payload, path, {**defaults, **as_dict(_look(payload, path)), **overrides})


def _look(values: Mapping[str, Any], path: str) -> Any:
    name, _, rest = path.partition(".")
    return _look(as_dict(values.get(name)), rest) if rest else values.get(name)


def _set(payload: Payload, path: str, value: Any) -> Payload:
    """`payload` with the field at a dotted path set, or taken out if `value` is None."""
    name, _, rest = path.partition(".")
    if rest:
        owner = _set(Payload(as_dict(payload.get(name))), rest, value)
        value = {key: owner[key] for key in owner}
    return payload.without(name) if value is None else payload.with_(**{name: value})
