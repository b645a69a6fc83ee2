"""The translation tables: what each field of a dialect means, as data that the code runs on and the docs are made of.

A dialect has two tables. `Reads` rows say what a client's field means in the neutral form, or that nothing there can
mean it. `Writes` rows say where an upstream of the dialect is told that. The path of a field from one dialect to
another is the join of the two on `means`; a meaning without a `Writes` row is lost there, by the rule of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from pipeline import IfLost, Parameter


class Content(Enum):
    """What a request says that is no parameter, and what it means to lose it."""

    MODEL = ("model", IfLost.REJECT)
    STREAM = ("stream", IfLost.REJECT)
    ROLE = ("role", IfLost.REJECT)
    TEXT = ("text", IfLost.REJECT)
    IMAGE = ("image", IfLost.REJECT)
    AUDIO = ("audio", IfLost.REJECT)
    PAST_REASONING = ("past reasoning", IfLost.WARN)
    TOOL_CALL = ("tool call", IfLost.REJECT)
    TOOL_CALL_ID = ("tool call id", IfLost.DROP)
    TOOL_RESULT = ("tool result", IfLost.REJECT)
    TOOL = ("tool", IfLost.REJECT)
    TOOL_CHOICE = ("tool choice", IfLost.REJECT)
    ANY_JSON = ("any JSON", IfLost.REJECT)
    SCHEMA_JSON = ("JSON of a schema", IfLost.REJECT)
    PROMPT = ("prompt", IfLost.REJECT)
    INPUT = ("input", IfLost.REJECT)

    def __init__(self, key: str, if_lost: IfLost) -> None:
        self.key = key
        self.if_lost = if_lost


Meaning = Parameter | Content


@dataclass(frozen=True, slots=True)
class Reads:
    """A field of a client's request, as the client writes it, for instance `messages[].content[].image_url`.

    `means` is None where nothing neutral means it: then `if_lost` says what happens. `loss` says in a few words what is
    lost even so ("" if nothing), `emulated` by what the gateway stands in for it. `operations` are those that have it.
    """

    field: str
    means: Meaning | None
    if_lost: IfLost = IfLost.DROP
    loss: str = ""
    emulated: str = ""
    operations: tuple[str, ...] = ("chat",)


@dataclass(frozen=True, slots=True)
class Writes:
    """Where an upstream of the dialect is told `means`. `profiles` None: all of them understand it."""

    means: Meaning
    field: str
    loss: str = ""
    emulated: str = ""
    profiles: tuple[str, ...] | None = None
    operations: tuple[str, ...] = ("chat",)
