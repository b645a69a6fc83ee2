"""A started catalogue: lists are kept up to date by themselves, and no request waits for that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from pipeline import ModelNotFound, UpstreamAnswer, UpstreamUnavailable
from stages.catalogue.resource import ModelCatalogue
from tests.stages.fakes import PARK, FakeClock, FakeSource, FakeUpstream, answers, fake_host
from tests.stages.model_lists import listing, listing_upstream


class Naps:
    """A `sleep` that a test ends, all sleepers at once, by moving the clock."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._until: list[tuple[float, anyio.Event]] = []

    async def __call__(self, seconds: float) -> None:
        awake = anyio.Event()
        self._until.append((self._clock.now + seconds, awake))
        await awake.wait()

    @property
    def seconds(self) -> list[float]:
        """How long those that sleep will."""
        return [round(until - self._clock.now, 6) for until, _ in self._until]

    async def passing(self, seconds: float) -> None:
        """Let time pass, and let everybody do what there is to do then."""
        self._clock.advance(seconds)
        due = [(until, awake) for until, awake in self._until if until <= self._clock.now]
        self._until = [sleeper for sleeper in self._until if sleeper not in due]
        for _, awake in due:
            awake.set()
        await anyio.wait_all_tasks_blocked()


@asynccontextmanager
async def started(*upstreams: FakeUpstream, **settings: Any) -> AsyncIterator[tuple[ModelCatalogue, Naps]]:
    clock = FakeClock()
    named = {upstream.name: upstream for upstream in upstreams}
    given = ModelCatalogue.Settings.model_validate({"upstreams": list(named), **settings})
    naps = Naps(clock)
    models = ModelCatalogue(given, fake_host(clock=clock, upstreams=named), "models", sleep=naps)
    await models.start()
    try:
        await anyio.wait_all_tasks_blocked()
        yield models, naps
    finally:
        await models.stop()


def fails(_: Any) -> UpstreamAnswer:
    raise UpstreamUnavailable("down")


async def test_the_lists_are_asked_for_at_once_and_then_regularly() -> None:
    one, two = listing_upstream("one", "a"), listing_upstream("two", "b")
    async with started(one, two, refresh_seconds=30) as (_, naps):
        for asked in (1, 2, 3):
            assert (len(one.calls), len(two.calls)) == (asked, asked)
            assert naps.seconds == [30, 30]
            await naps.passing(30)


async def test_starting_waits_for_no_upstream() -> None:
    upstream = listing_upstream("one", "a")
    upstream.gate = anyio.Event()
    async with started(upstream) as (models, _):
        found: list[str] = []

        async def ask() -> None:
            found.extend([target.model for target in (await models.resolve("a")).targets])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            assert found == [], "nothing is known yet: this one waits"
            upstream.gate.set()
        assert (found, len(upstream.calls)) == (["a"], 1), "and shares the answer"


async def test_requests_do_not_wait_where_there_is_an_old_list() -> None:
    upstream = listing_upstream("one", "a")
    async with started(upstream, aliases={"x*": "a"}) as (models, naps):
        upstream.gate = anyio.Event()
        upstream.answer = lambda call: listing("a", "b")
        await naps.passing(30)
        assert len(upstream.calls) == 2, "it is being renewed"
        for name in ("a", "x", "x1"):
            assert [target.model for target in (await models.resolve(name)).targets] == ["a"]
        assert [card.id for card in await models.models()] == ["a"]
        upstream.gate.set()
        await anyio.wait_all_tasks_blocked()
        assert [card.id for card in await models.models()] == ["a", "b"]
        assert len(upstream.calls) == 2


async def test_a_name_that_would_not_be_found_waits_for_the_news() -> None:
    upstream = listing_upstream("one", "a")
    async with started(upstream) as (models, naps):
        upstream.answer = lambda call: listing("a", "new")
        with pytest.raises(ModelNotFound):
            await models.resolve("new")
        assert len(upstream.calls) == 1, "asked less than two seconds ago"
        await naps.passing(2)
        assert [target.model for target in (await models.resolve("new")).targets] == ["new"]
        await naps.passing(28)
        assert len(upstream.calls) == 2, "the news is young"
        await naps.passing(2)
        assert len(upstream.calls) == 3


async def test_a_server_that_comes_back_is_noticed_without_a_request() -> None:
    upstream = FakeUpstream("one", fails)
    async with started(upstream, refresh_seconds=12) as (models, naps):
        for pause in (2, 4, 8, 12, 12):
            assert naps.seconds == [pause]
            assert [target.upstream for target in (await models.resolve("a")).targets] == ["one"]
            await naps.passing(pause)
        assert len(upstream.calls) == 6, "requests did not ask: somebody is looking after it"
        upstream.answer = lambda call: listing("a")
        await naps.passing(12)
        with pytest.raises(ModelNotFound):
            await models.resolve("b")
        assert naps.seconds == [12]
        upstream.answer = fails
        await naps.passing(12)
        assert naps.seconds == [2], "patience begins anew"
        assert [card.id for card in await models.models()] == ["a"]


async def test_what_a_caller_has_changed_is_told_to_the_next_who_asks() -> None:
    upstream = listing_upstream("one", "a")
    async with started(upstream) as (models, _):
        upstream.answer = lambda call: listing("b")
        models.changed()
        assert [card.id for card in await models.models()] == ["b"]
        await models.models()
        assert len(upstream.calls) == 2


async def test_fresh_news_are_at_most_two_seconds_old() -> None:
    upstream = listing_upstream("one", "a")
    async with started(upstream) as (models, naps):
        for seconds, calls in ((1, 1), (1, 2), (1, 2), (1, 3)):
            await naps.passing(seconds)
            await models.models(fresh=True)
            assert len(upstream.calls) == calls


async def test_null_asks_nothing_in_the_background() -> None:
    upstream = listing_upstream("one", "a")
    async with started(upstream, refresh_seconds=None) as (models, naps):
        assert (upstream.calls, naps.seconds) == ([], [])
        assert [card.id for card in await models.models()] == ["a"]
        await naps.passing(30)
        await models.models()
        assert len(upstream.calls) == 2


async def test_a_broken_dialect_does_not_end_the_refreshing_nor_its_host() -> None:
    def broken(_: Any) -> UpstreamAnswer:
        raise RuntimeError("bug")

    upstream = FakeUpstream("one", broken)
    async with started(upstream) as (models, naps):
        assert naps.seconds == [2]
        assert [target.upstream for target in (await models.resolve("a")).targets] == ["one"]
        upstream.answer = lambda call: listing("a")
        await naps.passing(2)
        assert [card.id for card in await models.models()] == ["a"]


async def test_stopping_lets_go_of_what_is_under_way() -> None:
    parked = answers(200, b'{"data"', PARK)
    async with started(FakeUpstream("one", lambda call: parked)) as (models, _):
        pass
    assert isinstance(parked.source, FakeSource)
    assert parked.source.closes == 1
    await models.stop()
    await models.start()
    await models.start()
    await models.stop()


async def test_once_stopped_it_asks_on_demand_again() -> None:
    upstream = listing_upstream("one", "a")
    async with started(upstream) as (models, naps):
        pass
    await naps.passing(29)
    await models.models()
    assert len(upstream.calls) == 1
    await naps.passing(1)
    await models.models()
    assert len(upstream.calls) == 2


async def test_a_host_that_is_cancelled_stops_it_too() -> None:
    upstream = listing_upstream("one", "a")
    with anyio.CancelScope() as scope:
        async with started(upstream):
            scope.cancel()
            await anyio.lowlevel.checkpoint()
    assert scope.cancelled_caught
