"""Timestamps: every form of protocol.md 1.2, and law 47."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.dialects.ollama.timestamps import SECOND, ZERO, from_nanoseconds, nanoseconds, rfc3339, unix


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_700_000_000, "2023-11-14T22:13:20Z"),
        (1_700_000_000.5, "2023-11-14T22:13:20.5Z"),
        (951_782_400, "2000-02-29T00:00:00Z"),
        (-0.25, "1969-12-31T23:59:59.75Z"),
        (-62_135_596_800, ZERO),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
        (253_402_300_800, ZERO),
        (float("nan"), ZERO),
        (float("inf"), ZERO),
    ],
)
def test_unix_time_is_written(seconds: float, text: str) -> None:
    assert rfc3339(seconds) == text


@pytest.mark.parametrize(
    ("text", "exact"),
    [
        ("2023-11-14T22:13:20Z", 1_700_000_000 * SECOND),
        ("2023-11-14T22:13:20.123456789Z", 1_700_000_000_123_456_789),
        ("2023-11-14T22:13:20.1Z", 1_700_000_000_100_000_000),
        ("2023-11-14T22:13:20.1234567891Z", 1_700_000_000_123_456_789),
        ("2023-11-15T03:43:20.25+05:30", 1_700_000_000_250_000_000),
        ("2023-11-14T14:13:20-08:00", 1_700_000_000 * SECOND),
        ("2023-11-14t22:13:20z", 1_700_000_000 * SECOND),
        (ZERO, -62_135_596_800 * SECOND),
        ("2318-11-23T10:00:00.5-07:00", 11_010_013_200_500_000_000),
    ],
)
def test_every_fraction_and_offset_is_read(text: str, exact: int) -> None:
    assert nanoseconds(text) == exact
    assert unix(text) == exact / SECOND


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "2023-11-14", "2023-11-14T22:13:20", "2023-11-14T22:13Z", "2023-11-14T22:13:20.Z"),
        *("2023-13-01T00:00:00Z", "2023-00-01T00:00:00Z", "2023-02-29T00:00:00Z", "2023-04-31T00:00:00Z"),
        *("2023-01-00T00:00:00Z", "2023-01-01T24:00:00Z", "2023-01-01T00:60:00Z", "2023-01-01T00:00:60Z"),
        *(
            "2023-01-01T00:00:00+0100",
            "2023-01-01T00:00:00+01:60",
            " 2023-01-01T00:00:00Z",
            "\u0662023-01-01T00:00:00Z",
        ),
    ],
)
def test_what_is_no_timestamp_is_none(text: str) -> None:
    assert nanoseconds(text) is None
    assert unix(text) is None


@given(st.integers(0, 2**33))
def test_law_47_whole_seconds_survive(seconds: int) -> None:
    read = unix(rfc3339(seconds))
    assert read is not None
    assert math.floor(read) == seconds


@given(st.floats(0, 2**33))
def test_a_fraction_never_makes_it_later(seconds: float) -> None:
    exact = nanoseconds(rfc3339(seconds))
    assert exact is not None
    assert 0 <= seconds - exact / SECOND < 1e-6


@given(st.integers(-62_135_596_800 * SECOND, 253_402_300_799 * SECOND))
def test_nanoseconds_survive(exact: int) -> None:
    assert nanoseconds(from_nanoseconds(exact)) == exact


@given(st.datetimes(), st.integers(-24 * 60 + 1, 24 * 60 - 1))
def test_it_agrees_with_the_calendar(moment: datetime, offset: int) -> None:
    sign, minutes = ("-" if offset < 0 else "+"), abs(offset)
    exact = nanoseconds(f"{moment.isoformat()}{sign}{minutes // 60:02}:{minutes % 60:02}")
    since = moment.replace(tzinfo=UTC) - timedelta(minutes=offset) - datetime(1970, 1, 1, tzinfo=UTC)
    assert exact == (since // timedelta(microseconds=1)) * 1000
