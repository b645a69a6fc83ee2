"""A neutral request as this dialect's requests: which operation, and how many of them (protocol.md 3.1, 3.5, 3.6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline import (
    AnswerFormat,
    Data,
    InvalidRequest,
    Losses,
    ModelCard,
    NeutralRequest,
    Parameter,
    Target,
    Text,
    Translated,
)
from stages.dialects.ollama.versions import supports
from stages.dialects.ollama.write_messages import write_messages
from stages.dialects.ollama.write_parameters import write_parameters
from stages.dialects.ollama.write_tools import write_tools
from stages.dialects.table import Content

_MOST_CALLS = 128
"""For one request: as many as OpenAI gives choices. Each waits for the one before, and holds a place meanwhile."""


def write(asked: NeutralRequest, target: Target, losses: Losses, *, profile: str) -> Sequence[Translated]:
    """One call, but for several prompts or choices, of which the server takes one at a time.

    Raises `InvalidRequest` with the path of what cannot be said. No sampling option is said that the caller did not
    say: the model's own defaults are better than ours (protocol.md 3.0.3, law 7).
    """
    card = target.card
    fixed: Data = {"model": target.model, **write_parameters(asked, card, losses)}
    if asked.operation == "embedding":
        return [Translated("embedding", {**fixed, "input": _input(asked.inputs)})]
    fixed["stream"] = asked.stream
    copies = _copies(asked, fixed, losses)
    if asked.operation == "chat":
        messages, tools = write_messages(asked, card, losses), write_tools(asked, card, losses)
        said: Data = {"messages": tools.instructed(messages)}
        if tools.offered:
            said["tools"] = tools.offered
        if asked.format is not None and (form := _format(asked.format, card, losses)) is not None:
            said["format"] = form
        return [Translated("chat", {**copy, **said}, again=at > 0) for at, copy in enumerate(copies)]
    prompts = [_prompt(prompt, asked, card, losses) for prompt in asked.prompts]
    if len(prompts) * len(copies) > _MOST_CALLS:
        message = f"More than {_MOST_CALLS} answers are asked of a model server that gives one at a time."
        raise InvalidRequest(message, param="prompt", code="array_above_max_length")
    return [
        Translated("completion", {**copy, **prompt}, again=at > 0)
        for prompt in prompts
        for at, copy in enumerate(copies)
    ]


def _prompt(prompt: Text, asked: NeutralRequest, card: ModelCard | None, losses: Losses) -> Data:
    """The prompt word by word (`raw`), or by the model's template where there is a suffix or the config asks for it."""
    text = prompt.text
    if not text:
        losses.change(prompt.path)
        text = " "  # an empty one would only load the model
    templated = Parameter.SUFFIX in asked.parameters or Parameter.TEMPLATE in asked.parameters
    said: Data = {"prompt": text, "raw": not templated and not losses.emulates("chat_template")}
    thinks = card is None or not card.lacks("thinking")
    if Parameter.REASONING not in asked.parameters and thinks and supports(card, "think"):
        said["think"] = False  # else a thinking model thinks, in words that completions have no place for
    return said


def _copies(asked: NeutralRequest, fixed: Data, losses: Losses) -> list[Data]:
    """The request as often as it has choices, each with a seed of its own: with one seed all were the same."""
    given = asked.parameters.get(Parameter.CHOICES)
    if given is None or given.value == 1:
        return [fixed]
    if not losses.emulates("n"):
        message = "The model server gives one choice."
        losses.drop(given.path, Parameter.CHOICES.if_lost, message, code="unsupported_value")
        return [fixed]
    return [_reseeded(fixed, at) for at in range(given.value)]


def _reseeded(fixed: Data, at: int) -> Data:
    options: Any = fixed.get("options") or {}
    if "seed" not in options:
        return fixed
    return {**fixed, "options": {**options, "seed": (options["seed"] + at) % (1 << 31)}}


def _format(asked: AnswerFormat, card: ModelCard | None, losses: Losses) -> Data | str | None:
    if asked.schema is None:
        return "json"
    if not supports(card, "format schema"):
        losses.drop(asked.path, Content.SCHEMA_JSON.if_lost, "The model server knows no JSON schemas.")
        return None
    return asked.schema


def _input(inputs: tuple[Text, ...]) -> str | list[str]:
    """As the caller gave it: one text, or a list; but the empty text alone would load the model and embed nothing."""
    if len(inputs) == 1 and inputs[0].text and not inputs[0].path.endswith("]"):
        return inputs[0].text
    return [text.text for text in inputs]
