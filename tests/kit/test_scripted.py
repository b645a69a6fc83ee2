"""The scripted upstream and the host of the kit: they do what their script says, and remember."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Registry, Target, UnknownName, UpstreamInterrupted
from pipeline.testing import KEY, KitHost, Points, ScriptedSource, ScriptedUpstream, Stall, VirtualClock, by_hand
from pipeline.testing.scripted import cut, one_byte_each
from stages.dialects.openai.dialect import OpenAI


def source(*steps: object) -> tuple[ScriptedSource, VirtualClock]:
    clock = VirtualClock()
    return ScriptedSource(steps, Points(by_hand=True), clock), clock


def test_a_source_hands_out_its_pieces_and_ends_released() -> None:
    scripted, _ = source(b"a", b"b")
    assert [by_hand(scripted.next).value for _ in range(3)] == [b"a", b"b", None]
    assert (scripted.asked, scripted.handed_out, scripted.released, scripted.closes) == (3, 2, True, 0)


def test_a_stall_takes_virtual_time_and_a_failure_releases() -> None:
    scripted, clock = source(Stall(30), UpstreamInterrupted("cut"))
    before = clock.monotonic()
    assert isinstance(by_hand(scripted.next).error, UpstreamInterrupted)
    assert clock.monotonic() - before == 30
    assert scripted.released
    assert isinstance(scripted.failed, UpstreamInterrupted)


def test_only_a_close_that_releases_counts_and_a_read_after_it_is_seen() -> None:
    scripted, _ = source(b"a")
    by_hand(scripted.aclose)
    by_hand(scripted.aclose)
    assert (scripted.closes, scripted.asked_after_release) == (1, False)
    assert by_hand(scripted.next).value is None
    assert scripted.asked_after_release


@given(st.binary(max_size=40), st.lists(st.integers(-5, 60)))
def test_cutting_loses_nothing_and_leaves_no_empty_piece(data: bytes, at: list[int]) -> None:
    pieces = cut(data, at)
    assert b"".join(pieces) == data
    assert all(pieces)
    assert one_byte_each(data) == cut(data, range(len(data)))


def host(seed: int = 0) -> KitHost:
    points = Points(by_hand=True)
    upstream = ScriptedUpstream("kit", OpenAI(), lambda call: pytest.fail("called"), points)
    return KitHost(
        upstream,
        points,
        clock=VirtualClock(),
        registry=Registry.default(),
        seed=seed,
        resources={"limits": lambda host, name: f"limit {name}"},
    )


def test_every_name_exists_in_the_groups_that_are_known() -> None:
    kit = host()
    assert kit.key_store("any").check(KEY) is not None
    assert kit.key_store("any").check("other") is None
    assert kit.catalogue("x") is kit.catalogue("x")
    resolved = by_hand(lambda: kit.catalogue("x").resolve("m")).unwrap()
    assert resolved.targets == (Target("kit", "m-there"),)
    assert kit.resource("limits", "per_key") == "limit per_key"
    assert kit.dialect("openai").name == "openai"
    with pytest.raises(UnknownName, match="stores"):
        kit.resource("stores", "a")


def test_randomness_is_seeded() -> None:
    assert host(1).random_bytes(8) == host(1).random_bytes(8) != host(2).random_bytes(8)


def test_both_logs_are_kept() -> None:
    kit = host()
    kit.log.bind(stage="a").warning("late", seconds=3)
    with kit.capturing():
        logging.getLogger("gatewright").error("raised %s", "here")
    logging.getLogger("gatewright").addHandler(logging.NullHandler())
    assert kit.records == ["warning late  {'stage': 'a', 'seconds': 3}", "ERROR raised here"]
