"""A stage that blocks is found out, with the place; a busy machine is not taken for one."""

from __future__ import annotations

import signal
import threading
import time

import anyio
import pytest
from hypothesis import strategies as st

from pipeline import Handler, Request, Response
from pipeline.testing import LawBroken, Subject, law_of, try_law, watchdog
from pipeline.testing.place import place_in
from pipeline.testing.search import search
from pipeline.testing.watchdog import LOOKS, Blocked, Patience, interrupting
from tests.kit.mutants import Twin

SHORT_SECONDS = 0.4


def looks_until_over(used_seconds_each: float, *, most: int = 1000) -> int | None:
    """How often it is looked until the patience of 10 seconds is over, if each time so much more has been used."""
    patience = Patience(10)
    return next((look for look in range(most) if patience.is_over(1, 5.0 + look * used_seconds_each)), None)


def test_patience_ends_with_the_time_that_was_used() -> None:
    assert looks_until_over(0.5) == 20
    assert looks_until_over(0.05) == 200


def test_patience_ends_with_looks_at_which_nothing_was_used() -> None:
    assert looks_until_over(0.0) == LOOKS


def test_a_machine_that_gives_it_little_time_costs_no_patience() -> None:
    assert looks_until_over(0.02) == 500  # by what was used in the end, and by nothing else


def test_now_and_then_without_any_costs_no_patience() -> None:
    patience = Patience(10)
    assert not any(patience.is_over(1, look // LOOKS * 0.02) for look in range(1000))


def test_each_example_has_patience_of_its_own() -> None:
    patience = Patience(10)
    assert not any(patience.is_over(example, example * 9.0) for example in range(1, 100))
    patience = Patience(10)
    assert not any(patience.is_over(look // LOOKS, 0.0) for look in range(1000))


def spins() -> None:
    while True:
        pass


def waits_for_a_lock() -> None:
    lock = threading.Lock()
    with lock:
        lock.acquire()


def sleeps() -> None:
    time.sleep(60)  # interrupted at once


def waits_on_a_loop() -> None:
    anyio.run(anyio.sleep_forever)


@pytest.mark.parametrize("block", [spins, waits_for_a_lock, sleeps, waits_on_a_loop])
def test_what_does_not_go_on_is_interrupted_where_it_is(block: object) -> None:
    assert callable(block)
    with pytest.raises(Blocked, match=r"test_watchdog\.py:\d+"), interrupting(SHORT_SECONDS):
        block()


def test_what_beats_is_left_alone_and_the_handler_of_others_comes_back() -> None:
    before = signal.getsignal(signal.SIGUSR1)
    with interrupting(SHORT_SECONDS) as beat:
        ends = time.process_time() + 2 * SHORT_SECONDS
        while time.process_time() < ends:
            beat()
    assert signal.getsignal(signal.SIGUSR1) == before


class Blocks(Twin):
    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        spins()
        return await super().__call__(request, call_next)


class WaitsForEver(Twin):
    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        await anyio.sleep_forever()
        return await super().__call__(request, call_next)


@pytest.mark.parametrize("cls", [Blocks, WaitsForEver])
def test_a_stage_that_does_not_go_on_breaks_the_law_at_hand(monkeypatch: pytest.MonkeyPatch, cls: type[Twin]) -> None:
    monkeypatch.setattr(watchdog, "SECONDS", 1.0)
    with pytest.raises(LawBroken, match=r"it does not end: .* it was in \S+test_watchdog\.py:\d+") as caught:
        try_law(law_of("L3"), Subject("kit.twin", cls))
    assert caught.value.scenario.settings is not None


def test_an_example_whose_making_does_not_end_is_told_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "SECONDS", SHORT_SECONDS)
    with pytest.raises(Blocked, match=r"it was in \S+test_watchdog\.py:\d+"):
        search(st.builds(spins), lambda example: None, examples=1, from_seed=0)


def test_the_place_of_an_error_is_not_in_the_library() -> None:
    with pytest.raises(ValueError, match="stray %") as caught:
        time.strptime("", "%Y%")
    assert "test_watchdog.py" in place_in(caught.value)
