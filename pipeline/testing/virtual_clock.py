"""Time for tests: it stands still until somebody moves it, so a stall of an hour costs nothing."""

from __future__ import annotations


class VirtualClock:
    """Implements `pipeline.Clock`. Monotonic and Unix time are one number: what measures spans does not care."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
