"""What a request says beside its content, each at its place in the table (protocol.md 3.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline import Data, Given, Losses, ModelCard, NeutralRequest, Parameter
from stages.dialects.ollama.table import WRITES
from stages.dialects.ollama.versions import supports

LEVELS: Mapping[str, Any] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "max",
    "max": "max",
}
"""How hard a model is asked to think, in this dialect's words."""

PLACES: Mapping[tuple[Parameter, str], str] = {
    (row.means, operation): row.field
    for row in WRITES
    if isinstance(row.means, Parameter)
    for operation in row.operations
}
"""Where a parameter of an operation is told."""

_NOT_LOST = frozenset({Parameter.CHOICES, Parameter.PARALLEL_TOOL_CALLS})
"""Said in another way than by a field, by `write` and by `write_tools`."""


def write_parameters(asked: NeutralRequest, card: ModelCard | None, losses: Losses) -> Data:
    """The fields at the top level, `options` among them only if there are any."""
    top: Data = {}
    options: Data = {}
    for parameter, given in asked.parameters.items():
        if parameter in _NOT_LOST and asked.operation != "embedding":
            continue
        place = PLACES.get((parameter, asked.operation))
        if place is None:
            if given.value != {}:  # an empty object of biases biases nothing
                losses.drop(given.path, parameter.if_lost)
            continue
        value = _WRITERS.get(parameter, _as_it_is)(given, card, losses)
        if value is None:
            continue
        if place == "options":
            options = {**value, **options}  # what has a name of its own was said more clearly
        elif place.startswith("options."):
            options[place.removeprefix("options.")] = value
        else:
            top[place] = value
    return {**top, "options": options} if options else top


def _as_it_is(given: Given, card: ModelCard | None, losses: Losses) -> Any:
    return given.value


def _seed(given: Given, card: ModelCard | None, losses: Losses) -> int:
    """-1 is random to the server, and numbers over 2**53 lose digits there (pitfall 67)."""
    seed: int = given.value
    reduced = seed % (1 << 31)
    if reduced != seed:
        losses.change(given.path)
    return reduced


def _think(given: Given, card: ModelCard | None, losses: Losses) -> bool | str | None:
    """As hard as the model and its server can be asked to: what they do not know they answer with 400 (pitfall 31)."""
    effort: str = given.value
    level: bool | str | None = LEVELS.get(effort)
    unable = card is not None and card.lacks("thinking")
    if level is None or unable or not supports(card, "think"):
        if level is not False:
            losses.drop(given.path, Parameter.REASONING.if_lost)
        return None
    if isinstance(level, str) and not supports(card, "think levels"):
        losses.change(given.path)
        return True
    if level == "max" and not supports(card, "think max"):
        losses.change(given.path)
        return "high"
    if level is not False and level != effort:
        losses.change(given.path)
    return level


def _since(feature: str) -> Callable[[Given, ModelCard | None, Losses], Any]:
    """As it is, of servers that know it: older ones would ignore it without a word."""

    def write_it(given: Given, card: ModelCard | None, losses: Losses) -> Any:
        if supports(card, feature):
            return given.value
        losses.drop(given.path, Parameter.LOGPROBS.if_lost)
        return None

    return write_it


def _suffix(given: Given, card: ModelCard | None, losses: Losses) -> Any:
    if card is not None and card.lacks("insert"):
        losses.drop(given.path, Parameter.SUFFIX.if_lost, "The model does not support insert.")
        return None
    return given.value


_WRITERS: Mapping[Parameter, Callable[[Given, ModelCard | None, Losses], Any]] = {
    Parameter.SEED: _seed,
    Parameter.REASONING: _think,
    Parameter.SUFFIX: _suffix,
    Parameter.LOGPROBS: _since("logprobs"),
    Parameter.TOP_LOGPROBS: _since("logprobs"),
    Parameter.DIMENSIONS: _since("dimensions"),
}
