"""A stage that blocks is found out, with the place, and the run goes on."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from pipeline import Handler, Request, Response
from pipeline.testing import LawBroken, Subject, law_of, try_law, watchdog
from pipeline.testing.watchdog import Blocked, unblocked
from tests.kit.mutants import Twin


def spins() -> None:
    while True:
        pass


def waits_for_a_lock() -> None:
    lock = threading.Lock()
    with lock:
        lock.acquire()


def sleeps() -> None:
    time.sleep(60)  # interrupted at once


@pytest.mark.parametrize("block", [spins, waits_for_a_lock, sleeps])
def test_what_holds_the_thread_is_interrupted_where_it_is(block: object) -> None:
    assert callable(block)
    with pytest.raises(Blocked, match=r"test_watchdog\.py:\d+"), unblocked(0.05):
        block()


def test_what_is_quick_is_left_alone_and_timers_of_others_go_on() -> None:
    before = signal.getitimer(signal.ITIMER_REAL)[1], signal.getsignal(signal.SIGALRM)
    with unblocked(5):
        pass
    assert (signal.getitimer(signal.ITIMER_REAL)[1], signal.getsignal(signal.SIGALRM)) == before


class Blocks(Twin):
    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        spins()
        return await super().__call__(request, call_next)


def test_a_stage_that_blocks_breaks_the_law_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "SECONDS", 0.1)
    with pytest.raises(LawBroken, match="it blocks") as caught:
        try_law(law_of("L3"), Subject("kit.twin", Blocks))
    assert caught.value.scenario.settings is not None
