"""Typed side data that travels with a request (down) and with a response (up).

A stage that learns something later stages need, such as who is calling, writes it into a *slot*. A slot is a
typed key, so `request.slots.get(PRINCIPAL)` is a `Principal` to the type checker, and a stage that forgets to
declare what it reads is found at start-up rather than in production (design: the builder proves slot order).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Generic, TypeVar, overload

T = TypeVar("T")
D = TypeVar("D")


class Slot(Generic[T]):
    """A typed key. Two slots are the same only if they are the same object; the name is for people."""

    __slots__ = ("doc", "name")

    def __init__(self, name: str, doc: str = "") -> None:
        self.name: Final = name
        self.doc: Final = doc

    def __repr__(self) -> str:
        return f"Slot({self.name})"


class Slots:
    """An immutable set of slot values. Writing makes a new set that shares nothing mutable with the old one.

    Values are whatever the writer put in; the values themselves should be immutable too, because a retry sees
    the same request again.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[Slot[Any], Any] | None = None) -> None:
        self._values: Mapping[Slot[Any], Any] = values if values is not None else {}

    def __getitem__(self, slot: Slot[T]) -> T:
        """The value of `slot`; `KeyError` names the slot when no stage wrote it."""
        try:
            value: T = self._values[slot]
        except KeyError:
            raise KeyError(f"slot {slot.name!r} was not written") from None
        return value

    @overload
    def get(self, slot: Slot[T]) -> T | None: ...
    @overload
    def get(self, slot: Slot[T], default: D) -> T | D: ...
    def get(self, slot: Slot[Any], default: Any = None) -> Any:
        return self._values.get(slot, default)

    def with_(self, slot: Slot[T], value: T) -> Slots:
        """These slots plus one."""
        return Slots({**self._values, slot: value})

    def overlay(self, other: Slots) -> Slots:
        """These slots, covered by those of `other` where both have a value."""
        return Slots({**self._values, **other._values}) if other._values else self

    def __contains__(self, slot: object) -> bool:
        return slot in self._values

    def names(self) -> tuple[str, ...]:
        """The names written, for logs and error texts. Values stay out: a slot may hold a secret."""
        return tuple(slot.name for slot in self._values)

    def keys(self) -> frozenset[Slot[Any]]:
        """The slots written: what the strict composer compares with a stage's declaration."""
        return frozenset(self._values)

    def __repr__(self) -> str:
        return f"Slots({', '.join(self.names())})"


EMPTY: Final = Slots()
