"""Any number of timers, few of the loop's: each in time and never early, and nothing is left of one that was stopped.

The loop is a toy and its time is moved by hand; `test_deadline.py` has the real ones.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextvars import Context
from weakref import ref

import pytest

from pipeline.timer import GRAIN_SECONDS, Loop, Timer


class ToyLoop:
    """Calls back when told that time has passed, up to a grain early, as uvloop does."""

    def __init__(self, *, early: float = 0.0) -> None:
        self.now = 1000.0
        self.asked = 0
        self.early = early
        self.calls: list[tuple[float, int, Callable[..., object]]] = []

    def call_later(
        self, delay: float, callback: Callable[..., object], /, *args: object, context: Context | None = None
    ) -> object:
        assert context is not None
        assert not context, "what another had in its context"
        self.asked += 1
        self.calls.append((self.now + max(delay - self.early, GRAIN_SECONDS / 10), self.asked, callback))
        return None

    def time(self) -> float:
        return self.now

    def run(self, seconds: float) -> None:
        until = self.now + seconds
        while self.calls and min(self.calls)[0] <= until:
            first = min(self.calls)
            self.calls.remove(first)
            self.now = first[0]
            first[2]()
        self.now = until


class Alarm(Timer):
    """Notes when it went off."""

    __slots__ = ("__weakref__", "_loop", "at", "then")

    def __init__(self, loop: ToyLoop, seconds: float, then: Callable[[], None] = lambda: None) -> None:
        self.at: float | None = None
        self.then = then
        self._loop = loop
        self._start(loop, seconds)

    def _expire(self) -> None:
        assert self.at is None, "once"
        self.at = self._loop.now
        self.then()

    stop = Timer._stop


@pytest.fixture
def loop() -> ToyLoop:
    return ToyLoop()


@pytest.mark.parametrize("early", [0.0, 0.0015])
@pytest.mark.parametrize("seconds", [0.0001, 0.001, 0.003, 0.02, 0.5, 1.0, 3.7, 600.0, 1799.999])
def test_it_goes_off_in_time_and_never_early(loop: ToyLoop, seconds: float, early: float) -> None:
    loop.early = early
    due = loop.now + seconds
    alarm = Alarm(loop, seconds)
    loop.run(seconds + 1)
    assert alarm.at is not None
    assert due <= alarm.at <= due + 3 * GRAIN_SECONDS


def test_what_had_passed_goes_off_at_the_next_look(loop: ToyLoop) -> None:
    alarm = Alarm(loop, -3.5)
    loop.run(3 * GRAIN_SECONDS)
    assert alarm.at is not None


def test_each_of_many_goes_off_at_its_own_time(loop: ToyLoop) -> None:
    alarms: list[tuple[float, Alarm]] = []
    for i in range(200):
        seconds = (0.02, 0.5, 600.0, 0.013 * i + 0.001)[i % 4]
        alarms.append((loop.now + seconds, Alarm(loop, seconds)))
        loop.run(0.0037)
    loop.run(700)
    assert all(alarm.at is not None and due <= alarm.at <= due + 3 * GRAIN_SECONDS for due, alarm in alarms)


def test_one_that_was_stopped_does_not_go_off_and_those_behind_it_do(loop: ToyLoop) -> None:
    first, second, third = (Alarm(loop, 600.0) for _ in range(3))
    first.stop()
    third.stop()
    third.stop()
    loop.run(601)
    assert [first.at is None, second.at is None, third.at is None] == [True, False, True]


def test_one_that_is_stopped_by_another_of_the_same_turn_does_not_go_off(loop: ToyLoop) -> None:
    alarms: list[Alarm] = []
    alarms.append(Alarm(loop, 0.5, lambda: alarms[1].stop()))
    alarms.append(Alarm(loop, 0.5))
    alarms.append(Alarm(loop, 0.5))
    loop.run(1)
    assert [alarm.at is None for alarm in alarms] == [False, True, False]


def test_one_that_is_started_by_another_goes_off_after_its_own_time(loop: ToyLoop) -> None:
    later: list[Alarm] = []
    Alarm(loop, 0.5, lambda: later.append(Alarm(loop, 0.5)))
    loop.run(0.9)
    assert later[0].at is None
    loop.run(0.2)
    assert later[0].at is not None


def test_nothing_is_left_of_one_that_was_stopped(loop: ToyLoop) -> None:
    stays = Alarm(loop, 600.0)
    gc.disable()  # not even for the collector
    try:
        left = []
        for _ in range(100):
            alarm = Alarm(loop, 600.0)
            left.append(ref(alarm))
            alarm.stop()
        del alarm
        assert not any(alive() for alive in left)
    finally:
        gc.enable()
    stays.stop()


@pytest.mark.parametrize("odd", [False, True], ids=["one wait", "a wait of each own"])
def test_the_loop_is_asked_once_for_all_that_wait_about_equally_long(loop: ToyLoop, odd: bool) -> None:
    for i in range(5000):
        Alarm(loop, 520.0 + (i / 100 if odd else 0)).stop()
        loop.run(0.001)
    assert loop.asked == 1


def test_a_line_that_is_empty_asks_for_nothing(loop: ToyLoop) -> None:
    Alarm(loop, 0.02).stop()
    loop.run(1)
    assert (loop.asked, loop.calls) == (1, [])
    alarm = Alarm(loop, 0.02)
    loop.run(1)
    assert alarm.at is not None


def test_two_loops_by_turns_keep_their_own(loop: ToyLoop) -> None:
    other = ToyLoop()
    for _ in range(10):
        alarms = Alarm(loop, 600.0), Alarm(other, 600.0)
    assert (loop.asked, other.asked) == (1, 1)
    loop.run(601)
    assert [alarm.at is None for alarm in alarms] == [False, True]


@pytest.mark.parametrize("seconds", [0.25, 600.0])
def test_one_that_raises_holds_up_no_other(loop: ToyLoop, seconds: float) -> None:
    """What is raised there may also be somebody's Ctrl-C."""

    def fail() -> None:
        raise KeyboardInterrupt

    Alarm(loop, seconds, fail)
    others = [Alarm(loop, seconds + more) for more in (0, 0, 0.001, 0.2)]
    with pytest.raises(KeyboardInterrupt):
        loop.run(seconds + 1)
    due = loop.now
    loop.run(1)
    assert [alarm.at is not None and alarm.at - due <= 5 * GRAIN_SECONDS for alarm in others] == [True] * 3 + [False]
    assert others[-1].at is not None


@pytest.mark.parametrize("waiting", [False, True])
def test_a_loop_that_is_gone_is_not_kept(waiting: bool) -> None:
    gone = ToyLoop()
    alarm = Alarm(gone, 600.0)
    if not waiting:
        alarm.stop()
    alive: ref[Loop] = ref(gone)
    del gone, alarm
    gc.collect()
    assert alive() is None
