"""The durations of the done line, measured here for servers that do not tell them (protocol.md 3.4, law 33)."""

from __future__ import annotations

from pipeline import Clock, Data

_NANO = 1_000_000_000


class Stopwatch:
    """Runs from its making, which is when the response head is there.

    Every duration is at least 1 ns, because clients divide by them, and the total is at least the sum of its parts.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._started = clock.monotonic()
        self._first: float | None = None
        self._last = self._started

    def said(self) -> None:
        """A token came."""
        self._last = self._clock.monotonic()
        if self._first is None:
            self._first = self._last

    def total(self) -> Data:
        """Of an answer without tokens, such as an embedding."""
        return {"total_duration": max(1, self._since(self._started))}

    def all(self, *, streamed: bool) -> Data:
        """To the first token, from there to the last, and the total.

        Nobody saw the first token of an answer that came whole: then all of the time was spent on generating, which
        tells clients a rate that is too low rather than one out of this world.
        """
        total = self._since(self._started)
        if self._first is None or not streamed:
            prompt, generated = 1, max(1, total)
        else:
            prompt = max(1, int((self._first - self._started) * _NANO))
            generated = max(1, int((self._last - self._first) * _NANO))
        return {
            "total_duration": max(total, prompt + generated),
            "prompt_eval_duration": prompt,
            "eval_duration": generated,
        }

    def _since(self, moment: float) -> int:
        return int((self._clock.monotonic() - moment) * _NANO)
