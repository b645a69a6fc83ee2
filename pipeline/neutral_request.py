"""A request as no provider writes it: read from one dialect, written into another.

The two halves of a translation meet here, so a new dialect is one reader and one writer and not a table for each other
dialect. What a reader finds and no field here can hold it reports (`Losses`); what a writer finds here and cannot say
it reports too. So nothing is lost silently on either half of the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal

import msgspec

from pipeline.conversation import AnswerFormat, Message, Text, Tool, ToolChoice
from pipeline.events import Data
from pipeline.losses import IfLost


class Parameter(Enum):
    """What a request may say beside its content: the name used in rules and tables, and what losing it means.

    Values are plain JSON. `REASONING` is one of none, minimal, low, medium, high, xhigh, max; `STOP` a list of texts,
    not empty; `KEEP_ALIVE` seconds or a duration such as `5m`; `SERVER_OPTIONS` an object of all else.
    """

    MAX_TOKENS = ("max_tokens", IfLost.WARN)
    TEMPERATURE = ("temperature", IfLost.WARN)
    TOP_P = ("top_p", IfLost.WARN)
    TOP_K = ("top_k", IfLost.WARN)
    MIN_P = ("min_p", IfLost.WARN)
    TYPICAL_P = ("typical_p", IfLost.WARN)
    FREQUENCY_PENALTY = ("frequency_penalty", IfLost.WARN)
    PRESENCE_PENALTY = ("presence_penalty", IfLost.WARN)
    REPEAT_PENALTY = ("repeat_penalty", IfLost.WARN)
    REPEAT_LAST_N = ("repeat_last_n", IfLost.WARN)
    SEED = ("seed", IfLost.WARN)
    STOP = ("stop", IfLost.WARN)
    REASONING = ("reasoning", IfLost.WARN)
    LOGPROBS = ("logprobs", IfLost.WARN)
    TOP_LOGPROBS = ("top_logprobs", IfLost.WARN)
    CHOICES = ("n", IfLost.REJECT)
    LOGIT_BIAS = ("logit_bias", IfLost.REJECT)
    PARALLEL_TOOL_CALLS = ("parallel_tool_calls", IfLost.WARN)
    SUFFIX = ("suffix", IfLost.REJECT)
    TEMPLATE = ("template", IfLost.REJECT)
    DIMENSIONS = ("dimensions", IfLost.WARN)
    TRUNCATE = ("truncate", IfLost.WARN)
    SHIFT = ("shift", IfLost.DROP)
    KEEP_ALIVE = ("keep_alive", IfLost.DROP)
    NUM_CTX = ("num_ctx", IfLost.DROP)
    SERVER_OPTIONS = ("options", IfLost.DROP)
    VERBOSITY = ("verbosity", IfLost.WARN)

    def __init__(self, key: str, if_lost: IfLost) -> None:
        self.key = key
        self.if_lost = if_lost

    __hash__ = object.__hash__  # members are one of a kind; an enum's own hash is that of the name, made each time


class Given(msgspec.Struct, frozen=True):
    """A parameter's value, and where the caller wrote it."""

    value: Any
    path: str


class NeutralRequest(msgspec.Struct, frozen=True):
    """A request that generates or embeds. What does not belong to its operation stays empty.

    - `chat`: `messages`, `tools`, `tool_choice`, `format`.
    - `completion`: `prompts`, each continued as raw text; several prompts want several answers.
    - `embedding`: `inputs`.
    """

    operation: Literal["chat", "completion", "embedding"]
    stream: bool = False
    messages: tuple[Message, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    format: AnswerFormat | None = None
    prompts: tuple[Text, ...] = ()
    inputs: tuple[Text, ...] = ()
    parameters: Mapping[Parameter, Given] = msgspec.field(default_factory=dict)


class Answered(msgspec.Struct, frozen=True):
    """A request that needs no model server, with the neutral data of its answer (protocol.md 3.3: load and unload)."""

    data: Data


class Translated(msgspec.Struct, frozen=True):
    """What to ask an upstream, in its dialect: the payload, and the operation, which may be another one there.

    `again` says that the call before asks the same, for another choice: its prompt is counted already.
    """

    operation: str
    payload: Mapping[str, Any]
    again: bool = False
