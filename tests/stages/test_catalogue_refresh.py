"""When the upstreams' lists are asked for: not too often, not twice at once, and an old list outlives its upstream."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from pipeline import GatewayError, ModelNotFound, UpstreamAnswer, UpstreamUnavailable
from stages.catalogue.resource import ModelCatalogue
from tests.stages.fakes import PARK, FakeClock, FakeSource, FakeUpstream, answers, fake_host
from tests.stages.model_lists import listing, listing_upstream


def catalogue(clock: FakeClock, *upstreams: FakeUpstream, refresh_seconds: float = 30) -> ModelCatalogue:
    named = {upstream.name: upstream for upstream in upstreams}
    settings = ModelCatalogue.Settings(upstreams=list(named), refresh_seconds=refresh_seconds)
    return ModelCatalogue(settings, fake_host(clock=clock, upstreams=named), "models")


def fails(_: Any) -> UpstreamAnswer:
    raise UpstreamUnavailable("down")


async def miss(models: ModelCatalogue, name: str = "new") -> None:
    with pytest.raises(ModelNotFound):
        await models.resolve(name)


async def test_a_list_is_asked_for_again_once_it_is_old() -> None:
    clock, upstream = FakeClock(), listing_upstream("one", "a")
    models = catalogue(clock, upstream)
    for seconds, calls in ((0, 1), (29.9, 1), (0.2, 2), (29, 2), (2, 3)):
        clock.advance(seconds)
        await models.models()
        await models.models()
        assert len(upstream.calls) == calls


async def test_it_asks_for_the_list_and_nothing_that_generates() -> None:
    upstream = listing_upstream("one", "a")
    await catalogue(FakeClock(), upstream).models()
    assert [(call.method, call.path, call.body) for call in upstream.calls] == [("GET", "/models", b"")]


async def test_a_name_that_is_missing_asks_again_at_most_every_two_seconds() -> None:
    clock, one, two = FakeClock(), listing_upstream("one", "a"), listing_upstream("two", "b")
    models = catalogue(clock, one, two)
    for seconds, calls in ((0, 1), (1.9, 1), (0.1, 2), (1, 2), (1, 3)):
        clock.advance(seconds)
        await miss(models)
        await miss(models)
        assert (len(one.calls), len(two.calls)) == (calls, calls)


async def test_a_new_model_is_found_without_waiting_for_the_refresh() -> None:
    clock, upstream = FakeClock(), listing_upstream("one", "a")
    models = catalogue(clock, upstream, listing_upstream("two"), refresh_seconds=3600)
    await miss(models)
    upstream.answer = lambda call: listing("a", "new")
    await miss(models)
    clock.advance(2)
    assert [target.upstream for target in (await models.resolve("new")).targets] == ["one"]


async def test_a_list_is_kept_when_its_upstream_goes_down() -> None:
    clock, upstream = FakeClock(), listing_upstream("one", "a")
    models = catalogue(clock, upstream)
    await models.models()
    upstream.answer = fails
    for _ in range(3):
        clock.advance(31)
        assert [card.id for card in await models.models()] == ["a"]
    assert len(upstream.calls) == 4


async def test_an_upstream_without_a_list_is_asked_again_at_most_every_two_seconds() -> None:
    clock, upstream = FakeClock(), FakeUpstream("one", fails)
    models = catalogue(clock, upstream)
    for seconds, calls in ((0, 1), (1.9, 1), (0.2, 2)):
        clock.advance(seconds)
        with pytest.raises(UpstreamUnavailable):
            await models.models()
        with pytest.raises(UpstreamUnavailable):
            await models.models()
        assert len(upstream.calls) == calls
    upstream.answer = lambda call: listing("a")
    clock.advance(2)
    assert [card.id for card in await models.models()] == ["a"]


async def test_concurrent_misses_ask_once_and_all_get_the_answer() -> None:
    upstream = listing_upstream("one", "a")
    upstream.gate = anyio.Event()
    models = catalogue(FakeClock(), upstream)
    found: list[list[str]] = []

    async def ask() -> None:
        found.append([card.id for card in await models.models()])

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        assert len(upstream.calls) == 1
        upstream.gate.set()
    assert found == [["a"]] * 10
    assert len(upstream.calls) == 1


async def test_concurrent_callers_of_an_upstream_that_is_down_ask_once_too() -> None:
    upstream = FakeUpstream("one", fails)
    upstream.gate = anyio.Event()
    models = catalogue(FakeClock(), upstream)
    failures: list[GatewayError] = []

    async def ask() -> None:
        try:
            await models.models()
        except GatewayError as error:
            failures.append(error)

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        upstream.gate.set()
    assert len(failures) == 10
    assert len(upstream.calls) == 1


async def test_who_asks_and_is_cancelled_hands_the_question_to_the_next_and_lets_the_connection_go() -> None:
    parked = answers(200, b'{"data"', PARK)
    source = parked.source
    assert isinstance(source, FakeSource)
    upstream = FakeUpstream("one", lambda call: parked)
    models = catalogue(FakeClock(), upstream)
    found: list[str] = []

    async def wait() -> None:
        found.extend(card.id for card in await models.models())

    async with anyio.create_task_group() as tasks:
        scope = anyio.CancelScope()

        async def first() -> None:
            with scope:
                await models.models()

        tasks.start_soon(first)
        await source.parked.wait()
        tasks.start_soon(wait)
        await anyio.wait_all_tasks_blocked()
        upstream.answer = lambda call: listing("a")
        scope.cancel()
    assert found == ["a"]
    assert source.closes == 1


@pytest.mark.parametrize("status", [200, 404])
async def test_the_connection_is_let_go_whatever_was_answered(status: int) -> None:
    upstream = listing_upstream("one")
    upstream.answer = lambda call: listing("a", status=status)
    models = catalogue(FakeClock(), upstream)
    try:
        await models.models()
    except GatewayError:
        assert status == 404
    (answer,) = upstream.answered
    assert isinstance(answer.source, FakeSource)
    assert answer.source.closes == 1
