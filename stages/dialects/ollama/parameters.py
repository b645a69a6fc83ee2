"""A model's parameter rules applied to a client's request, at the places where this dialect says them.

The values of rules are neutral (`Parameter`). Here they are put into the words of the client's own protocol, so that
all that follows sees one request and need not know who wrote which field.
"""

from __future__ import annotations

from typing import Any

from pipeline import Data, Parameter, ParameterRules, Payload, Request
from stages.dialects.ollama.write_parameters import LEVELS, PLACES


def with_parameters(request: Request, rules: ParameterRules) -> Payload:
    """The payload of `request` with what the rules fill in, replace and take out. Null counts as left out."""
    payload = request.payload
    top: Data = {}
    given = payload.get("options")
    options: Data = dict(given) if isinstance(given, dict) else {}
    for parameter, value in rules.defaults.items():
        if parameter not in rules.overrides and parameter not in rules.drops:
            _put(parameter, value, request, top, options, replace=False)
    for parameter, value in rules.overrides.items():
        if parameter not in rules.drops:
            _put(parameter, value, request, top, options, replace=True)
    dropped = [_take_out(parameter, request, options) for parameter in rules.drops]
    if options != (given or {}):
        top["options"] = options
    gone = [name for name in dropped if name in payload]
    return payload.without(*gone).with_(**top) if top or gone else payload


def _place(parameter: Parameter, request: Request) -> str | None:
    if request.operation != "embedding.single":
        return PLACES.get((parameter, request.operation))
    # The oldest way of embedding knows the options and how long to keep the model, no more (protocol.md 1.6).
    place = PLACES.get((parameter, "embedding"), "")
    return place if place.startswith("options") or place == "keep_alive" else None


def _put(parameter: Parameter, value: Any, request: Request, top: Data, options: Data, *, replace: bool) -> None:
    place = _place(parameter, request)
    if place is None:
        return
    if parameter is Parameter.REASONING:
        value = LEVELS.get(value, value)
    if place == "options":
        said = value.items()
    elif place.startswith("options."):
        said = {place.removeprefix("options."): value}.items()
    else:
        if replace or request.payload.get(place) is None:
            top[place] = value
        return
    for name, each in said:
        if replace or options.get(name) is None:
            options[name] = each


def _take_out(parameter: Parameter, request: Request, options: Data) -> str:
    """Out of the options, or the name of the field that must go. Of `options` all goes that has no other name."""
    place = _place(parameter, request) or ""
    if place.startswith("options."):
        options.pop(place.removeprefix("options."), None)
        return ""
    if place == "options":
        named = {other.removeprefix("options.") for other in PLACES.values()}
        for name in set(options) - named:
            del options[name]
        return ""
    return place
