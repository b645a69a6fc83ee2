"""Request ids: a clean one from the caller is kept, otherwise a UUIDv7 (RFC 9562 5.7), which sorts by time."""

from __future__ import annotations

import re
from collections.abc import Callable

_TIME = (1 << 48) - 1
_VARIANTS = "89ab"  # the two variant bits, 10, before two of the random ones
_CLEAN = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")


def request_id(offered: str | None, *, unix_seconds: float, random_bytes: Callable[[int], bytes]) -> str:
    """`offered` if it cannot harm a log line or a header, else a new id."""
    if offered is not None and _CLEAN.match(offered):
        return offered
    return uuid7(unix_seconds, random_bytes(10))


def uuid7(unix_seconds: float, random: bytes) -> str:
    """A UUIDv7 from a time and ten random bytes: 48 bits of milliseconds, version, 74 random bits."""
    time, rest = f"{int(unix_seconds * 1000) & _TIME:012x}", random.hex()
    return f"{time[:8]}-{time[8:]}-7{rest[1:4]}-{_VARIANTS[random[2] >> 4 & 3]}{rest[5:8]}-{rest[8:]}"
