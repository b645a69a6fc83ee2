"""Differential twins: whatever an upstream does, both lanes refuse it or both accept it with equal status, headers and
bytes. What they may do differently is listed below, each with its reason; nothing else is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.testing.wire import Wire
from tests.stages.upstreams.h1.responses import Reply, replies, splits, tampered
from tests.wire.answers import always, sized
from tests.wire.h1.lane import Upstream
from tests.wire.h1.twins import Difference, Outcome, Plan, Twins, outcome, running

ALLOWED = (
    Difference("h1", r"content-length.*transfer-encoding|transfer-encoding.*content-length", "RFC 9112 6.3 rule 3"),
    Difference("h1", r"content-length:.*\ncontent-length:", "equal lengths twice may be refused, RFC 9112 6.3 rule 5"),
    Difference("h1", r"content-length:[^\n]*,", "and so may a list of equal lengths"),
    Difference("h1", r"\r\n[ \t]", "a folded field may be refused, RFC 9112 5.2"),
    Difference("h1", r"\n[0-9a-f]+[ \t]*;|\n[0-9a-f]+[ \t]+\r\n", "a chunk extension that is none, RFC 9112 7.1.1"),
    Difference("h1", r"(?:^|[^\r])\n", "a line must end with CR and LF in a response, RFC 9112 2.2"),
    Difference("h1", r"HTTP/1\.[01] 1\d\d.*connection: close|HTTP/1\.0 1", "interim and close, RFC 9110 15.2"),
    Difference("h1", r"HTTP/(?!1\.[01] )\d\.\d ", "a version that was not asked for, RFC 9112 2.3"),
    Difference("h1", r"HTTP/1\.1 101", "a switch that was not asked for, RFC 9110 15.2.2"),
    Difference("httpx2", r"\r\n\r\n\r?\n.*HTTP/1\.", "httptools skips empty lines after an interim answer"),
    Difference("httpx2", r"HTTP/1\.[01] \d{3}[^\n]*[^\t\x20-\x7e\x80-\xff\r\n]", "no one reads the reason, RFC 9112 4"),
)

# How many exchanges are played on both lanes, on each event loop; the five differential laws share them alike.
EXCHANGES = {"ci": 300, "thorough": 5_000}
a_fifth = settings(max_examples=EXCHANGES[settings.get_current_profile_name()] // 5)


def same(plan: Plan, h1: Outcome, httpx2: Outcome) -> bool:
    return h1 == httpx2 or (h1.refused is not None and httpx2.refused is not None)


def agree(plan: Plan, h1: Outcome, httpx2: Outcome) -> None:
    explained = same(plan, h1, httpx2) or any(known.explains(plan, h1, httpx2) for known in ALLOWED)
    assert explained, f"{plan}\n  h1:     {h1}\n  httpx2: {httpx2}"


@st.composite
def intact(draw: st.DrawFn) -> tuple[Reply, Plan]:
    reply = draw(replies())
    return reply, Plan(tuple(draw(splits(reply.wire))))


@st.composite
def cut(draw: st.DrawFn) -> Plan:
    wire = draw(replies()).wire
    wire = wire[: draw(st.integers(0, len(wire)))]
    return Plan(tuple(draw(splits(wire))), kept=draw(st.booleans()))


@st.composite
def damaged(draw: st.DrawFn) -> Plan:
    wire = draw(st.one_of(tampered(), tampered(), st.binary(max_size=60)))
    return Plan(tuple(draw(splits(wire))))


@st.composite
def ended(draw: st.DrawFn, ending: Literal["reset", "hold"]) -> tuple[Reply, Plan]:
    reply = draw(replies())
    at = draw(st.integers(0, len(reply.wire)))
    return reply, Plan((reply.wire[:at],), ending, kept=ending == "reset" and draw(st.booleans()))


def expected(reply: Reply) -> Outcome:
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in reply.headers)
    return Outcome(None, reply.status, headers, reply.body)


@pytest.fixture(scope="module")
def twins() -> Iterator[Twins]:
    with Upstream(always(b"")) as upstream:
        yield Twins(upstream)


@pytest.fixture(scope="module")
def hasty() -> Iterator[Twins]:
    """Twins that do not wait long."""
    with Upstream(always(b"")) as upstream:
        yield Twins(upstream, first_byte_seconds=0.03, idle_seconds=0.03)


@a_fifth
@given(intact())
async def test_a_well_formed_answer_is_the_same_on_both_lanes_in_every_split(
    twins: Twins, drawn: tuple[Reply, Plan]
) -> None:
    reply, plan = drawn
    assert await twins.play(plan) == (expected(reply), expected(reply))


@a_fifth
@given(cut())
async def test_an_answer_cut_at_any_byte(twins: Twins, plan: Plan) -> None:
    agree(plan, *await twins.play(plan))


@a_fifth
@given(damaged())
async def test_an_answer_that_was_tampered_with(twins: Twins, plan: Plan) -> None:
    agree(plan, *await twins.play(plan))


@a_fifth
@given(ended("reset"))
async def test_an_answer_that_a_reset_ends(twins: Twins, drawn: tuple[Reply, Plan]) -> None:
    """A reset may overtake the bytes before it, for either lane; but a cut answer is complete for neither.

    On a kept connection that may leave nothing of the answer: then the request is sent again, to a fresh connection.
    """
    reply, plan = drawn
    for made in await twins.play(plan):
        again = plan.kept and made.body == b"first"
        assert again or made.refused is not None or (plan.wire == reply.wire and made == expected(reply))


@a_fifth
@given(ended("hold"))
async def test_an_answer_that_stalls_at_any_byte(hasty: Twins, drawn: tuple[Reply, Plan]) -> None:
    h1, httpx2 = await hasty.play(drawn[1])
    assert h1 == httpx2
    assert h1.refused in (None, "timeout")


@pytest.mark.parametrize("lane", [0, 1], ids=["h1", "httpx2"])
@given(reply=replies(), surplus=st.sampled_from((sized(b"poison"), b"p", b"\0")))
async def test_surplus_is_never_the_next_answer(twins: Twins, lane: int, reply: Reply, surplus: bytes) -> None:
    """The surplus comes in the same write; the next request gets its own answer, whatever became of the first."""

    async def poison(wire: Wire) -> None:
        await wire.request()
        await wire.send(reply.wire + surplus)
        if not reply.ends_with_close:
            await wire.request()
            await wire.send(sized(b"again"))

    transport, url = twins.transports[lane], twins.upstream.url
    twins.upstream.scripts[:] = [poison]
    async with running(transport):
        first = await outcome(transport, url)
        assert reply.ends_with_close or first == expected(reply)
        twins.upstream.scripts[:] = [always(sized(b"own"))]
        assert (await outcome(transport, url)).body in (b"own", b"again")
