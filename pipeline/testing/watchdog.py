"""Finding a stage that does not go on: it computes for ever, sleeps, or waits for what never comes.

A thread looks on from beside, because nothing inside can be trusted: a loop may catch everything that is raised in it.
What it counts is the process's own time, so that a busy machine is nobody's fault: processor time that was used, and
looks on end at which hardly any had been used although the process was there to look.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from pipeline.testing.place import place_of

SECONDS = 10.0
LOOKS = 20
# A starved process gets more than this of one look or another; one that sleeps, or asks again and again, does not.
_IDLE_PART = 0.03


class Patience:
    """How long one example may take: so many seconds of processor time, or as long on end without any."""

    def __init__(self, seconds: float) -> None:
        self.look_seconds = seconds / LOOKS
        self._seconds = seconds
        self._beat = -1
        self._seen_seconds = 0.0
        self._begun_seconds = 0.0
        self._idle_looks = 0

    def is_over(self, beat: int, used_seconds: float) -> bool:
        """To be asked every `look_seconds`: `beat` is the number of the example, `used_seconds` the process's time."""
        step, self._seen_seconds = used_seconds - self._seen_seconds, used_seconds
        if beat != self._beat:
            self._beat, self._begun_seconds, self._idle_looks = beat, used_seconds, 0
            return False
        self._idle_looks = self._idle_looks + 1 if step < self.look_seconds * _IDLE_PART else 0
        return self._idle_looks >= LOOKS or used_seconds - self._begun_seconds >= self._seconds


class Watchdog:
    """Calls `stuck` with the place, from a thread of its own, when there was no `beat` for too long; then again and
    again. `looked` is called at each look. It rests until the first beat.
    """

    def __init__(self, seconds: float, stuck: Callable[[str], None], looked: Callable[[], None] = lambda: None) -> None:
        self._patience = Patience(seconds)
        self._stuck = stuck
        self._looked = looked
        self._beats = 0
        self._rests = True
        self._watched = threading.get_ident()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="gatewright watchdog", daemon=True)

    def beat(self) -> None:
        """Something begins that may take its time."""
        self._beats += 1
        self._rests = False

    def rest(self) -> None:
        """Nothing is expected until the next beat."""
        self._rests = True

    def __enter__(self) -> Watchdog:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._done.set()
        self._thread.join()

    def _look_on(self) -> None:
        while not self._done.wait(self._patience.look_seconds):
            self._looked()
            if not self._rests and self._patience.is_over(self._beats, time.process_time()):
                self._stuck(place_of(self._watched))


class Blocked(BaseException):
    """An example that does not end. Not an `Exception`: Hypothesis would look for a smaller one for hours."""

    def __init__(self, seconds: float, place: str) -> None:
        super().__init__(never_ends(seconds, place))


def never_ends(seconds: float, place: str) -> str:
    return f"it does not end: {seconds:g} s of its own were not enough, and at last it was in {place}"


@contextmanager
def interrupting(seconds: float) -> Iterator[Callable[[], None]]:
    """Raise `Blocked` in what runs inside, where it is, when the function that is given was not called for too long.

    A signal interrupts loops, sleeps, locks and reads of sockets; not a loop that catches everything, `BaseException`
    too. Only in the main thread, and only where there are such signals.
    """
    main = threading.main_thread()
    if threading.current_thread() is not main or not hasattr(signal, "pthread_kill"):
        yield lambda: None
        return
    places = ["an unknown place"]

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise Blocked(seconds, places[-1])

    def stuck(place: str) -> None:
        places.append(place)
        signal.pthread_kill(main.ident or 0, signal.SIGUSR1)

    handler = signal.signal(signal.SIGUSR1, interrupt)
    try:
        with Watchdog(seconds, stuck) as watchdog:
            watchdog.beat()
            yield watchdog.beat
    finally:
        signal.signal(signal.SIGUSR1, handler)
