"""Request ids: a caller's clean one is kept, anything else is replaced by a UUIDv7 (RFC 9562 5.7)."""

from __future__ import annotations

import os
import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.identity import RequestIds

CLEAN = "abcXYZ019._-"


def ids(ten: bytes = bytes(10)) -> RequestIds:
    """Ids whose random bits are those ten bytes, over and over."""
    return RequestIds(lambda count: (ten * count)[:count])


def random_bits(number: int) -> int:
    """Those 74 of the last 80 bits that neither version nor variant take."""
    return number & ~(0xF << 76 | 0x3 << 62) & (1 << 80) - 1


@given(time=st.integers(0, 2**48 - 1), random=st.binary(min_size=10, max_size=10))
def test_a_new_id_holds_the_time_the_version_and_the_random_bits(time: int, random: bytes) -> None:
    text = ids(random).id_for(None, time)
    made = uuid.UUID(text)
    assert str(made) == text
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == time
    assert random_bits(made.int) == random_bits(int.from_bytes(random))


def test_each_id_has_ten_random_bytes_of_its_own() -> None:
    drawn: list[bytes] = []

    def random_bytes(count: int) -> bytes:
        drawn.append(os.urandom(count))
        return drawn[-1]

    source = RequestIds(random_bytes)
    made = {random_bits(uuid.UUID(source.id_for(None, 1)).int) for _ in range(100)}
    everything = b"".join(drawn)
    tens = {random_bits(int.from_bytes(everything[at : at + 10])) for at in range(0, len(everything), 10)}
    assert len(made) == 100
    assert made <= tens


@given(times=st.lists(st.integers(0, 2**46), min_size=2, max_size=5, unique=True))
def test_ids_sort_by_time(times: list[int]) -> None:
    source = ids(b"\xff" * 10)
    made = [source.id_for(None, time) for time in times]
    assert sorted(made) == [each for _, each in sorted(zip(times, made, strict=True))]


@given(offered=st.text(CLEAN, min_size=1, max_size=128))
def test_a_clean_id_is_kept(offered: str) -> None:
    assert ids().id_for(offered, 1000) == offered


@given(offered=st.text(max_size=140) | st.text(CLEAN, min_size=129, max_size=200) | st.none())
def test_no_id_can_harm_a_log_line_or_a_header(offered: str | None) -> None:
    kept = ids().id_for(offered, 1000)
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", kept)
    assert kept == offered or uuid.UUID(kept).version == 7


@pytest.mark.parametrize("offered", ["", "a\n", "a\r\nx: y", "a b", "é", "٣", "a" * 129, "\x00"])
def test_an_unclean_id_is_replaced(offered: str) -> None:
    assert ids().id_for(offered, 1000) == "00000000-03e8-7000-8000-000000000000"
