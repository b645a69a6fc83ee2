"""What is kept, for how long, and how much of it."""

from __future__ import annotations

from collections import OrderedDict

from pipeline import Clock

from acme_cache.recorded import Recorded


class Shelf:
    """At most `entries` answers, the least recently used leaves first; none older than `ttl_seconds`."""

    def __init__(self, entries: int, ttl_seconds: float, clock: Clock) -> None:
        self._entries = entries
        self._ttl_seconds = ttl_seconds
        self._clock = clock
        self._kept: OrderedDict[bytes, tuple[float, Recorded]] = OrderedDict()

    def get(self, key: bytes) -> Recorded | None:
        found = self._kept.get(key)
        if found is None:
            return None
        until, recorded = found
        if self._clock.monotonic() >= until:
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return recorded

    def put(self, key: bytes, recorded: Recorded) -> None:
        self._kept[key] = (self._clock.monotonic() + self._ttl_seconds, recorded)
        self._kept.move_to_end(key)
        if len(self._kept) > self._entries:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)
