"""Request ids: a caller's clean one is kept, anything else is replaced by a UUIDv7 (RFC 9562 5.7)."""

from __future__ import annotations

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.identity import request_id, uuid7

CLEAN = "abcXYZ019._-"


def zeros(count: int) -> bytes:
    return bytes(count)


@given(seconds=st.floats(0, 2**47 / 1000), random=st.binary(min_size=10, max_size=10))
def test_a_new_id_holds_the_time_the_version_and_the_random_bits(seconds: float, random: bytes) -> None:
    made = uuid.UUID(uuid7(seconds, random))
    assert str(made) == uuid7(seconds, random)
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == int(seconds * 1000)
    given_bits = int.from_bytes(random, "big")
    mask = ~(0xF << 76 | 0x3 << 62) & (1 << 80) - 1
    assert made.int & mask == given_bits & mask


@given(times=st.lists(st.integers(0, 2**46), min_size=2, max_size=5, unique=True))
def test_ids_sort_by_time(times: list[int]) -> None:
    ids = [uuid7(milliseconds / 1000 + 0.0001, b"\xff" * 10) for milliseconds in times]
    assert sorted(ids) == [made for _, made in sorted(zip(times, ids, strict=True))]


@given(offered=st.text(CLEAN, min_size=1, max_size=128))
def test_a_clean_id_is_kept(offered: str) -> None:
    assert request_id(offered, unix_seconds=1.0, random_bytes=zeros) == offered


@given(offered=st.text(max_size=140) | st.text(CLEAN, min_size=129, max_size=200) | st.none())
def test_no_id_can_harm_a_log_line_or_a_header(offered: str | None) -> None:
    kept = request_id(offered, unix_seconds=1.0, random_bytes=zeros)
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,128}", kept)
    assert kept == offered or uuid.UUID(kept).version == 7


@pytest.mark.parametrize("offered", ["", "a\n", "a\r\nx: y", "a b", "é", "٣", "a" * 129, "\x00"])
def test_an_unclean_id_is_replaced(offered: str) -> None:
    kept = request_id(offered, unix_seconds=1.0, random_bytes=zeros)
    assert kept == uuid7(1.0, bytes(10)) == "00000000-03e8-7000-8000-000000000000"
