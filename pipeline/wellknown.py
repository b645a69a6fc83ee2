"""The slots that stages of different authors share. A stage may define its own beside these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from pipeline.model_card import ModelCard
from pipeline.outcome import Outcome
from pipeline.request import Request
from pipeline.slots import Slot


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is calling. `id` is public and may be logged and limited upon; the secret half of a key is never kept."""

    id: str
    scopes: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: the name of an upstream, and the model's name there.

    `card` is what the catalogue knows of the model, None where it knows nothing.
    """

    upstream: str
    model: str
    card: ModelCard | None = field(default=None, compare=False, repr=False)


class Reservation(Protocol):
    """Requests, tokens or a place that a limit has set aside; settled exactly once when the body ends."""

    async def settle(self, outcome: Outcome) -> None: ...


class Notes(Protocol):
    """Where a stage leaves facts for the access line, by the function `note`.

    They come as one mapping, not by keyword, which would copy them once more a note.
    """

    def note(self, facts: Mapping[str, Any], /) -> None: ...


def note(request: Request, **facts: Any) -> None:
    """Add facts to the access line of `request`: names, counts and codes, never a prompt or a secret.

    Without an access line, as in a stage's unit test, do nothing.
    """
    notes = request.slots.get(NOTES)
    if notes is not None:
        notes.note(facts)


NOTES: Final[Slot[Notes]] = Slot("notes", "The access line in the making; written by the engine.")
ORIGINAL: Final[Slot[Request]] = Slot("original", "The request as the caller made it; written by the engine.")
PRINCIPAL: Final[Slot[Principal]] = Slot("principal", "The authenticated caller.")
RESERVATION: Final[Slot[Reservation]] = Slot("reservation", "What the limits set aside for this request.")
MODEL: Final[Slot[str]] = Slot("model", "The resolved model name: what access lists and limits look at.")
TARGETS: Final[Slot[tuple[Target, ...]]] = Slot("targets", "Where the request may go, best first.")
TARGET: Final[Slot[Target]] = Slot("target", "Where this attempt goes.")
CHOICE: Final[Slot[int]] = Slot("choice", "The choice that this call is for, where one request became several calls.")

TARGET_USED: Final[Slot[Target]] = Slot("target_used", "Response: the target that answered.")
HEAD_SECONDS: Final[Slot[float]] = Slot("head_seconds", "Response: how long the upstream took to its response head.")
