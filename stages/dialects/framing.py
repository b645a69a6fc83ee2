"""What the framers of streams share."""

from __future__ import annotations


class EventTooLarge(ValueError):
    """An event is over the cap; `frames` are the whole ones before it."""

    def __init__(self, max_event_bytes: int, frames: list[bytes]) -> None:
        super().__init__(f"an event is over {max_event_bytes} bytes")
        self.frames = frames
