"""What the requests for a model say of its parameters, whatever their callers say."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import Field

from pipeline import Dialect, Parameter, ParameterRules, SettingsError, StageSettings
from stages.catalogue.wildcards import wildcard

_PARAMETERS = {parameter.key: parameter for parameter in Parameter}


class ParameterRule(StageSettings):
    """What becomes of the parameters of a model's requests, by neutral names: `max_tokens`, `temperature`, `stop`."""

    defaults: dict[str, Any] = Field(default={}, description="Values for what the caller leaves out.")
    overrides: dict[str, Any] = Field(default={}, description="Values that count whatever the caller says.")
    drops: list[str] = Field(default=[], description="What is taken out of the caller's request.")


class ModelParameters:
    """The rules of all models. Those of a pattern count less than those of a longer one, and these less than a name's.

    Raises `SettingsError` for a name that is no parameter's, with the nearest that is.
    """

    def __init__(self, rules: Mapping[str, ParameterRule]) -> None:
        patterns = sorted((name for name in rules if "*" in name), key=len)
        self._patterns = [(wildcard(pattern), _checked(pattern, rules[pattern])) for pattern in patterns]
        self._exact = {name: _checked(name, rule) for name, rule in rules.items() if "*" not in name}

    def of(self, names: Collection[str], dialect: Dialect) -> ParameterRules | None:
        """The rules for a model that is called by all of `names` and served in `dialect`; None if there are none.

        A rule for `llama3` is meant for `llama3:latest` too, where the dialect says that the two are one.
        """
        if not self._patterns and not self._exact:
            return None
        matching = [*self._matching(names, dialect)]
        return _merged(matching) if matching else None

    def _matching(self, names: Collection[str], dialect: Dialect) -> Iterator[ParameterRules]:
        yield from (rules for pattern, rules in self._patterns if _any_matches(pattern, names))
        keys = {dialect.model_names(name)[0] for name in names}
        for name, rules in self._exact.items():
            if name in names or dialect.model_names(name)[0] in keys:
                yield rules


def _any_matches(pattern: re.Pattern[str], names: Collection[str]) -> bool:
    return any(pattern.fullmatch(name) for name in names)


def _checked(name: str, rule: ParameterRule) -> ParameterRules:
    return ParameterRules(
        defaults={_parameter(name, key): value for key, value in rule.defaults.items()},
        overrides={_parameter(name, key): value for key, value in rule.overrides.items()},
        drops=frozenset(_parameter(name, key) for key in rule.drops),
    )


def _parameter(name: str, key: str) -> Parameter:
    if key not in _PARAMETERS:
        near = get_close_matches(key, _PARAMETERS, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise SettingsError(f"the rules for {name!r} name {key!r}, which is no parameter{hint}", field="parameters")
    return _PARAMETERS[key]


def _merged(matching: list[ParameterRules]) -> ParameterRules:
    """All of them, the last word on each parameter being that of the last rule that speaks of it."""
    defaults: dict[Parameter, Any] = {}
    overrides: dict[Parameter, Any] = {}
    drops: set[Parameter] = set()
    for rules in matching:
        for spoken in (*rules.defaults, *rules.overrides, *rules.drops):
            defaults.pop(spoken, None)
            overrides.pop(spoken, None)
            drops.discard(spoken)
        defaults.update(rules.defaults)
        overrides.update(rules.overrides)
        drops.update(rules.drops)
    return ParameterRules(defaults, overrides, frozenset(drops))
