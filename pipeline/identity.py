"""Request ids: a clean one from the caller is kept, otherwise a UUIDv7 (RFC 9562 5.7), which sorts by time."""

from __future__ import annotations

import re
from collections.abc import Callable

_CLEAN = re.compile(r"[A-Za-z0-9._-]{1,128}\Z")


def request_id(offered: str | None, *, unix_seconds: float, random_bytes: Callable[[int], bytes]) -> str:
    """`offered` if it cannot harm a log line or a header, else a new id."""
    if offered is not None and _CLEAN.match(offered):
        return offered
    return uuid7(unix_seconds, random_bytes(10))


def uuid7(unix_seconds: float, random: bytes) -> str:
    """A UUIDv7 from a time and ten random bytes: 48 bits of milliseconds, version, 74 random bits."""
    number = (int(unix_seconds * 1000) & (1 << 48) - 1) << 80 | int.from_bytes(random, "big")
    number = number & ~(0xF << 76) | 0x7 << 76
    number = number & ~(0x3 << 62) | 0x2 << 62
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
