"""Neutral parameters as fields of this protocol, by the rows of the table (protocol.md 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline import Data, Given, IfLost, Losses, Parameter, Target
from stages.dialects.openai.profiles import LLAMA_CPP, PROFILES, VLLM, Profile
from stages.dialects.openai.table import WRITES

_OFF = {"chat_template_kwargs": {"enable_thinking": False}}
"""How templates of local servers are told not to reason; an effort of `none` is no word of theirs."""

Write = Callable[[Given, Profile, Losses], Any]


def _temperature(given: Given, profile: Profile, losses: Losses) -> Any:
    most = profile.max_temperature
    if most is None or given.value <= most:
        return given.value
    losses.change(given.path)
    return most


def _stop(given: Given, profile: Profile, losses: Losses) -> Any:
    most = profile.max_stops
    if most is None or len(given.value) <= most:
        return list(given.value)
    losses.change(given.path, f"At most {most} stop texts are supported by the model server.")
    return list(given.value[:most])


def _reasoning(given: Given, profile: Profile, losses: Losses) -> Any:
    written = profile.efforts.get(given.value, given.value)
    if written != given.value and (given.value, written) != ("max", "xhigh"):
        losses.change(given.path)
    return written


_WRITE: Mapping[Parameter, Write] = {
    Parameter.TEMPERATURE: _temperature,
    Parameter.STOP: _stop,
    Parameter.REASONING: _reasoning,
}


def _fields(operation: str, profile: str) -> dict[Parameter, str]:
    return {
        row.means: row.field
        for row in WRITES
        if isinstance(row.means, Parameter)
        and operation in row.operations
        and (row.profiles is None or profile in row.profiles)
    }


_FIELDS = {
    (operation, profile): _fields(operation, profile)
    for operation in ("chat", "completion", "embedding")
    for profile in PROFILES
}


def write_parameters(
    parameters: Mapping[Parameter, Given], operation: str, target: Target, losses: Losses, profile: str
) -> Data:
    """The fields of a payload. What has no row for this operation and profile is lost, by its own rule."""
    fields = _FIELDS[operation, profile]
    written: Data = {}
    for parameter, given in parameters.items():
        field = fields.get(parameter)
        if field is None or _is_vain(parameter, target):
            losses.drop(given.path, _if_lost(parameter, given.value))
        elif parameter is Parameter.REASONING and given.value == "none" and profile in (LLAMA_CPP, VLLM):
            written.update(_OFF)
        else:
            write = _WRITE.get(parameter)
            _put(written, field, given.value if write is None else write(given, PROFILES[profile], losses))
    if operation == "completion" and Parameter.LOGPROBS in parameters:
        _count_logprobs(written, parameters, PROFILES[profile], losses)
    return written


def _is_vain(parameter: Parameter, target: Target) -> bool:
    """Whether the model is known not to reason: then an effort is refused by some and used by none."""
    return parameter is Parameter.REASONING and target.card is not None and target.card.lacks("thinking")


def _if_lost(parameter: Parameter, value: Any) -> IfLost:
    """Its own rule, unless it asks for what happens without it."""
    harmless = (parameter is Parameter.TRUNCATE and value is not True) or (
        parameter is Parameter.REASONING and value == "none"
    )
    return IfLost.DROP if harmless else parameter.if_lost


def _count_logprobs(written: Data, parameters: Mapping[Parameter, Given], profile: Profile, losses: Losses) -> None:
    """Text completions say both in one number: how many alternatives, 0 being the chosen token alone."""
    top = parameters.get(Parameter.TOP_LOGPROBS)
    wanted = 0 if top is None else top.value
    most = profile.max_text_logprobs
    if top is not None and most is not None and wanted > most:
        losses.change(top.path)
        wanted = most
    written["logprobs"] = wanted


def _put(written: Data, field: str, value: Any) -> None:
    owner, _, name = field.rpartition(".")
    (written.setdefault(owner, {}) if owner else written)[name] = value
