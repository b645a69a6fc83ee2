"""RFC 3339 timestamps with up to nine fractional digits (protocol.md 1.2), exact to the nanosecond.

By arithmetic and not by `datetime`, which holds microseconds and cuts off the rest (pitfall 46).
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

SECOND = 1_000_000_000
ZERO = "0001-01-01T00:00:00Z"
"""How "no time" is written."""

_FORM = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:[.,]([0-9]+))?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_DAY = 86_400
_EPOCH = 719_468  # days from 0000-03-01 to 1970-01-01
_ERA = 146_097  # days in 400 years
_FIRST, _LAST = -62_135_596_800, 253_402_300_799  # the years 1 to 9999 in Unix seconds


def rfc3339(seconds: float) -> str:
    """Unix time in UTC. What no year from 1 to 9999 holds is written as the zero time.

    Never later than `seconds` by rounding up: `floor(unix(rfc3339(t))) == t` for whole seconds (law 47).
    """
    if not _FIRST <= seconds <= _LAST:  # false for NaN too
        return ZERO
    whole = math.floor(seconds)
    return _written(whole, int((seconds - whole) * SECOND))


def from_nanoseconds(nanoseconds: int) -> str:
    """Nanoseconds of Unix time in UTC, trailing zeros of the fraction trimmed."""
    seconds, fraction = divmod(nanoseconds, SECOND)
    return _written(seconds, fraction) if _FIRST <= seconds <= _LAST else ZERO


def _written(seconds: int, fraction: int) -> str:
    shown = f".{fraction:09}".rstrip("0") if fraction else ""
    return f"{_to_the_second(seconds)}{shown}Z"


@lru_cache(maxsize=8)  # the lines of all streams are written in the same few seconds
def _to_the_second(seconds: int) -> str:
    days, second = divmod(seconds, _DAY)
    year, month, day = _date(days)
    return f"{year:04}-{month:02}-{day:02}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def nanoseconds(text: str) -> int | None:
    """Unix time in nanoseconds, with any offset; None for what is no timestamp. More than nine digits are cut off."""
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    to_the_second, fraction, sign, hours, minutes = form.groups()
    seconds = _from_the_second(to_the_second)
    if seconds is None or int(minutes or 0) >= 60:
        return None
    if sign is not None:
        seconds -= (int(hours) * 60 + int(minutes)) * (-60 if sign == "-" else 60)
    return seconds * SECOND + (int(fraction[:9].ljust(9, "0")) if fraction else 0)


@lru_cache(maxsize=8)  # as above
def _from_the_second(text: str) -> int | None:
    year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
    hour, minute, second = int(text[11:13]), int(text[14:16]), int(text[17:])
    if not (1 <= month <= 12 and hour < 24 and minute < 60 and second < 60):
        return None
    days = _days(year, month, day)
    if _date(days) != (year, month, day):  # the 31st of a month that has 30
        return None
    return days * _DAY + hour * 3600 + minute * 60 + second


def unix(text: str) -> float | None:
    """Unix time in seconds; None for what is no timestamp."""
    exact = nanoseconds(text)
    return None if exact is None else exact / SECOND


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01. The year is counted from March, so that the leap day is its last."""
    counted = year - (month <= 2)
    era, of_era = divmod(counted, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * _ERA + of_era * 365 + of_era // 4 - of_era // 100 + of_year - _EPOCH


def _date(days: int) -> tuple[int, int, int]:
    """The inverse of `_days`."""
    era, of_era = divmod(days + _EPOCH, _ERA)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    return era * 400 + year + (month >= 10), month + 3 if month < 10 else month - 9, day
