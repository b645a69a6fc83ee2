"""A serving process seldom looks for garbage, and never among what start-up has made; what is garbage still goes."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from pipeline.adapters.garbage import YOUNG_CONTAINERS, collect_seldom


class Circle:
    """Refers to itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def tuned() -> Iterator[None]:
    before = gc.get_threshold()
    collect_seldom()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.usefixtures("tuned")
def test_what_start_up_made_is_kept_out_of_the_search() -> None:
    assert gc.get_freeze_count() > 1000
    assert not any(thing is Circle for thing in gc.get_objects())


@pytest.mark.usefixtures("tuned")
def test_a_circle_is_found_in_the_end() -> None:
    circle = weakref.ref(Circle())
    assert circle() is not None
    kept: list[list[object]] = []
    while circle() is not None and len(kept) <= 2 * YOUNG_CONTAINERS:
        kept.append([])
    assert YOUNG_CONTAINERS // 2 < len(kept) <= YOUNG_CONTAINERS + 1000
