"""Request ids: a clean one from the caller is kept, otherwise a UUIDv7 (RFC 9562 5.7), which sorts by time."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

_TIME = (1 << 48) - 1
_PARTS = re.compile("(.{4})(.{4})(.{12})")
_CLEAN = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")

_AT_ONCE = 16
_RANDOM = int.from_bytes(bytes.fromhex("0fff 3fff ffff ffff ffff") * _AT_ONCE)
_FIXED = int.from_bytes(bytes.fromhex("7000 8000 0000 0000 0000") * _AT_ONCE)  # the version, and the variant 10


class RequestIds:
    """A source of request ids, for one process: a copy of it in a forked one would go on with the same random bits.

    The random bits of sixteen ids are drawn and written at once: alone, asking the system for them would cost as much
    as all the rest of an id.
    """

    __slots__ = ("_random_bytes", "_tails")

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._tails: list[str] = []

    def id_for(self, offered: str | None, unix_milliseconds: int) -> str:
        """`offered` if it cannot harm a log line or a header, else a new id."""
        if offered is not None and _CLEAN.match(offered):
            return offered
        try:
            tail = self._tails.pop()
        except IndexError:
            tail, *self._tails = _tails(self._random_bytes(10 * _AT_ONCE))
        return _head(unix_milliseconds) + tail


@lru_cache(maxsize=1)
def _head(unix_milliseconds: int) -> str:
    """48 bits of milliseconds. A busy gateway takes several requests in one of them."""
    time = f"{unix_milliseconds & _TIME:012x}"
    return f"{time[:8]}-{time[8:]}-"


def _tails(random: bytes) -> list[str]:
    """What follows the time in sixteen ids: version, variant, and 74 of ten bytes' random bits."""
    digits = f"{int.from_bytes(random) & _RANDOM | _FIXED:0{2 * len(random)}x}"
    return [*map("-".join, _PARTS.findall(digits))]
