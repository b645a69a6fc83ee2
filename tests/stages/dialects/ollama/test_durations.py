"""Durations: the grammar of Go, and law 46."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.dialects.ollama.durations import FOREVER, MOST, SECOND, format, keep_alive, parse


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("5m", 300 * SECOND),
        ("1h30m", 5400 * SECOND),
        ("300ms", SECOND * 3 // 10),
        ("1.5h", 5400 * SECOND),
        (".5s", SECOND // 2),
        ("1.s", SECOND),
        ("1us1\u00b5s1\u03bcs1ns", 3001),
        ("-1.5m", -90 * SECOND),
        ("+2s", 2 * SECOND),
        ("0", 0),
        ("-0", 0),
        ("0s", 0),
        ("1s1s", 2 * SECOND),
        ("0.9999999999s", 999_999_999),
        ("0.1s", 100_000_000),
        ("9223372036854775807ns", MOST),
        ("-9223372036854775808ns", -MOST - 1),
    ],
)
def test_a_duration_is_read_exactly(text: str, nanoseconds: int) -> None:
    assert parse(text) == nanoseconds


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("10", 'missing unit in duration "10"'),
        ("-1", 'missing unit in duration "-1"'),
        ("1h5", 'missing unit in duration "1h5"'),
        ("5d", 'unknown unit "d" in duration "5d"'),
        ("1mms", 'unknown unit "mms" in duration "1mms"'),
        ("9223372036854775808ns", "longer than 292 years"),
        ("300000000000h", "longer than 292 years"),
        *((text, "unknown unit") for text in ("1s ", "1 s", "1S", "1s-1s")),
        *((text, "invalid duration") for text in ("", "-", "+", ".s", "s", "--1s", " 1s", "\u0661s")),
        ("9" * 5000 + "s", "invalid duration"),
    ],
)
def test_what_is_no_duration_says_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=r"duration") as caught:
        parse(text)
    assert why in str(caught.value)
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1_100, "1.1\u00b5s"),
        (300_000_000, "300ms"),
        (1_500_000_000, "1.5s"),
        (60 * SECOND, "1m0s"),
        (300 * SECOND, "5m0s"),
        (3600 * SECOND, "1h0m0s"),
        (5400 * SECOND + 1, "1h30m0.000000001s"),
        (-90 * SECOND, "-1m30s"),
        (MOST, "2562047h47m16.854775807s"),
    ],
)
def test_a_duration_is_written_as_go_does(nanoseconds: int, text: str) -> None:
    assert format(nanoseconds) == text


@given(st.integers(-MOST - 1, MOST) | st.integers(-(10**12), 10**12))
def test_law_46_what_is_written_is_read_again(nanoseconds: int) -> None:
    assert parse(format(nanoseconds)) == nanoseconds


@given(st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9).filter(lambda number: "e" not in str(number)))
def test_law_46_a_number_counts_seconds(number: float) -> None:
    assert parse(number) == parse(f"{number}s")


@given(st.floats(max_value=0, exclude_max=True, allow_nan=False) | st.integers(max_value=-1))
def test_law_46_negative_is_for_ever(number: float) -> None:
    if abs(number) < 1e9 and parse(number) < 0:
        assert keep_alive(number) == keep_alive(format(parse(number))) == FOREVER


@pytest.mark.parametrize(("value", "nanoseconds"), [(0, 0), ("0", 0), (0.25, SECOND // 4), ("5m", 300 * SECOND)])
def test_a_model_is_kept_for_so_long(value: Any, nanoseconds: int) -> None:
    assert keep_alive(value) == nanoseconds


@pytest.mark.parametrize("value", [-1, -0.5, "-1s", "-1ns"])
def test_a_model_is_kept_for_ever(value: Any) -> None:
    assert keep_alive(value) == FOREVER


@pytest.mark.parametrize("value", [True, None, [], {}, "10", "", 1e300, float("inf"), float("nan"), 10**400])
def test_what_means_no_time_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"keep_alive|duration"):
        keep_alive(value)
