"""Durations as Ollama writes them: the text form of Go (protocol.md 1.2), exact to the nanosecond."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

SECOND = 1_000_000_000
MOST = (1 << 63) - 1
FOREVER = MOST
"""What a negative `keep_alive` means."""

_UNITS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,  # the micro sign
    "\u03bcs": 1_000,  # the Greek letter, which looks the same
    "ms": 1_000_000,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3_600 * SECOND,
}
_TERM = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^.0-9]*)")
_MOST_DIGITS = 4_000  # Python refuses to read longer integers


def parse(value: str | float) -> int:
    """Nanoseconds, negative where `value` is. A number counts seconds. Raises `ValueError` with a text for callers.

    Fractions below a nanosecond are cut off, as Go does.
    """
    if isinstance(value, str):
        return _within(_parse_text(value), value)
    try:
        # By its decimal text, not by its binary value: 0.1 is 100 ms sharp, as the text `0.1s` is.
        return _within(int(Fraction(str(value)) * SECOND), value)
    except (ValueError, OverflowError):
        raise ValueError(f"invalid duration {value}") from None


def _parse_text(text: str) -> int:
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    total = 0
    at = 0
    if unsigned == "0":
        return 0
    if not unsigned or len(unsigned) > _MOST_DIGITS:
        raise ValueError(f"invalid duration {_quoted(text)}")
    while at < len(unsigned):
        term = _TERM.match(unsigned, at)
        whole, fraction, unit = term.groups(default="") if term else ("", "", "")
        if not whole and not fraction:
            raise ValueError(f"invalid duration {_quoted(text)}")
        if not unit:
            raise ValueError(f"missing unit in duration {_quoted(text)}")
        if unit not in _UNITS:
            raise ValueError(f"unknown unit {_quoted(unit)} in duration {_quoted(text)}")
        total += int(whole or "0") * _UNITS[unit] + int(fraction or "0") * _UNITS[unit] // 10 ** len(fraction)
        at = term.end() if term else len(unsigned)
    return -total if text.startswith("-") else total


def _within(nanoseconds: int, said: object) -> int:
    if not -MOST - 1 <= nanoseconds <= MOST:
        raise ValueError(f"invalid duration {_quoted(str(said))}: longer than 292 years")
    return nanoseconds


def _quoted(text: str) -> str:
    return f'"{text[:40]}"'


def keep_alive(value: Any) -> int:
    """How long a request wants its model kept, in nanoseconds. Raises `ValueError` for what means no time at all.

    Anything negative is for ever, 0 unloads the model after the request.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("keep_alive must be a number of seconds or a duration such as 5m")
    nanoseconds = parse(value)
    return FOREVER if nanoseconds < 0 else nanoseconds


def format(nanoseconds: int) -> str:
    """As Go writes it: `1h30m0s`, `1.5s`, `300ms`, `0s`."""
    if nanoseconds < 0:
        return "-" + format(-nanoseconds)
    if nanoseconds == 0:
        return "0s"
    if nanoseconds < SECOND:
        unit = next(unit for unit in ("ms", "\u00b5s", "ns") if nanoseconds >= _UNITS[unit])
        return _decimal(nanoseconds, _UNITS[unit]) + unit
    minutes, rest = divmod(nanoseconds, _UNITS["m"])
    hours, minutes_left = divmod(minutes, 60)
    seconds = _decimal(rest, SECOND) + "s"
    if hours:
        return f"{hours}h{minutes_left}m{seconds}"
    return f"{minutes}m{seconds}" if minutes else seconds


def _decimal(count: int, unit: int) -> str:
    """`count / unit`, where `unit` is a power of ten, without trailing zeros."""
    whole, rest = divmod(count, unit)
    fraction = str(unit + rest)[1:].rstrip("0")
    return f"{whole}.{fraction}" if fraction else str(whole)
