"""An answer that can be given again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline import TARGET_USED, Body, Event, Headers, Response, Target, Usage

NOTHING_SPENT = Usage(0, 0)


@dataclass(frozen=True, slots=True)
class Recorded:
    """The head of an answer and its events. Events are immutable, so all who get them may share them."""

    headers: Headers
    target: Target | None
    events: Sequence[Event]

    @classmethod
    def of(cls, response: Response, events: Sequence[Event]) -> Recorded:
        return cls(response.headers, response.slots.get(TARGET_USED), tuple(events))

    def response(self) -> Response:
        """The answer anew, with a body of its own. Its counts are told to the client, but nothing was spent on it."""
        response = Response(Body.of(self.events, usage=lambda: NOTHING_SPENT), headers=self.headers)
        return response if self.target is None else response.with_slot(TARGET_USED, self.target)
