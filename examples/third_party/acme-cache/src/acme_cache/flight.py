"""One request on its way, for which others wait."""

from __future__ import annotations

from enum import Enum

import anyio

from acme_cache.recorded import Recorded


class Landing(Enum):
    """How it ended: with an ANSWER for all, HANDED OVER to one of those who wait, or EACH for itself."""

    ANSWER = "answer"
    HANDED_OVER = "handed over"
    EACH = "each"


class Flight:
    """Lands exactly once; later landings change nothing. `answer` is set if that is how it ended."""

    def __init__(self) -> None:
        self.landing: Landing | None = None
        self.answer: Recorded | None = None
        self._landed: anyio.Event | None = None

    def land(self, landing: Landing, answer: Recorded | None = None) -> None:
        if self.landing is None:
            self.landing, self.answer = landing, answer
            if self._landed is not None:
                self._landed.set()

    async def wait(self, seconds: float) -> Landing:
        """How it landed; EACH if it has not within `seconds`. Holds nothing, so it may be cancelled at any time."""
        # Made by the first who waits: most flights are alone, and an event belongs to a loop.
        if self._landed is None:
            self._landed = anyio.Event()
        with anyio.move_on_after(seconds):
            await self._landed.wait()
        return self.landing or Landing.EACH
