"""Slots are typed keys by identity; a set of their values never changes and never shows them."""

from __future__ import annotations

import pytest

from pipeline import Slot, Slots

A: Slot[int] = Slot("a")
SAME_NAME: Slot[int] = Slot("a")
SECRET: Slot[str] = Slot("secret", "What must not be printed.")


def test_writing_makes_a_new_set_and_leaves_the_old_one() -> None:
    empty = Slots()
    one = empty.with_(A, 1)
    two = one.with_(A, 2).with_(SECRET, "s3cr3t")
    assert (empty.get(A), one[A], two[A], two[SECRET]) == (None, 1, 2, "s3cr3t")
    assert (empty.names(), one.names(), two.names()) == ((), ("a",), ("a", "secret"))


def test_two_slots_of_one_name_are_two_slots() -> None:
    slots = Slots().with_(A, 1).with_(SAME_NAME, 2)
    assert (slots[A], slots[SAME_NAME]) == (1, 2)
    assert slots.keys() == {A, SAME_NAME}


def test_a_slot_that_nobody_wrote_is_named() -> None:
    with pytest.raises(KeyError, match="slot 'secret' was not written"):
        Slots()[SECRET]


def test_get_has_a_default_and_tells_a_stored_none_from_nothing() -> None:
    maybe: Slot[int | None] = Slot("maybe")
    assert Slots().get(A, 7) == 7
    assert Slots().with_(maybe, None).get(maybe, 7) is None
    assert maybe in Slots().with_(maybe, None)
    assert maybe not in Slots()


def test_overlay_covers_what_both_have() -> None:
    below = Slots().with_(A, 1).with_(SECRET, "below")
    above = Slots().with_(A, 2)
    assert (below.overlay(above)[A], below.overlay(above)[SECRET]) == (2, "below")
    assert (below[A], above.get(SECRET)) == (1, None)
    assert below.overlay(Slots()) is below


def test_no_value_is_printed() -> None:
    slots = Slots().with_(SECRET, "s3cr3t")
    assert repr(slots) == "Slots(secret)"
    assert repr(SECRET) == "Slot(secret)"
