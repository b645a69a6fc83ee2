"""What a name means is remembered for as long as no list has news, and never longer."""

from __future__ import annotations

import anyio
import pytest

from pipeline import ModelNotFound
from stages.catalogue.resource import _REMEMBERED, ModelCatalogue
from tests.stages.model_lists import listing, listing_upstream
from tests.stages.test_catalogue_background import started


async def where(models: ModelCatalogue, name: str) -> list[str]:
    return [target.upstream for target in (await models.resolve(name)).targets]


async def test_the_same_name_is_not_looked_up_again() -> None:
    async with started(listing_upstream("one", "a"), aliases={"x": "a"}) as (models, _):
        for name in ("a", "x"):
            first = await models.resolve(name)
            assert await models.resolve(name) is first


async def test_a_new_list_is_heeded_at_once() -> None:
    one, two = listing_upstream("one", "a"), listing_upstream("two")
    async with started(one, two) as (models, naps):
        assert await where(models, "a") == ["one"]
        one.answer, two.answer = lambda call: listing(), lambda call: listing("a")
        await naps.passing(30)
        assert await where(models, "a") == ["two"]
        two.answer = lambda call: listing()
        await naps.passing(30)
        with pytest.raises(ModelNotFound):
            await models.resolve("a")


async def test_what_was_changed_through_the_gateway_is_waited_for() -> None:
    one, two = listing_upstream("one", "a"), listing_upstream("two")
    async with started(one, two) as (models, _):
        assert await where(models, "a") == ["one"]
        two.answer = lambda call: listing("a")
        models.changed()
        assert await where(models, "a") == ["one", "two"]


async def test_nothing_is_remembered_of_a_catalogue_that_nobody_attends_to() -> None:
    upstream = listing_upstream("one", "a")
    async with started(upstream) as (models, naps):
        assert await where(models, "a") == ["one"]
    assert await where(models, "a") == ["one"]
    upstream.answer = lambda call: listing("b")
    await naps.passing(60)
    with pytest.raises(ModelNotFound):
        await models.resolve("a")


async def test_an_answer_made_of_an_outdated_list_is_not_remembered() -> None:
    """A name that needs no list is answered while the list is being fetched, and is looked up again after."""
    upstream = listing_upstream("one", "a")
    upstream.gate = anyio.Event()
    async with started(upstream, refresh_seconds=None, aliases={"x": "a"}) as (models, _):
        before = await models.resolve("x")
        assert before.targets[0].card is None
        upstream.gate.set()
        await models.models()
        after = await models.resolve("x")
        assert after.targets[0].card is not None


async def test_no_more_names_are_remembered_than_one_can_think_of() -> None:
    async with started(listing_upstream("one", "a"), aliases={"*": "a"}) as (models, _):
        for at in range(_REMEMBERED + 10):
            await models.resolve(f"name{at}")
        assert await models.resolve("name0") is await models.resolve("name0")
        last = f"name{_REMEMBERED + 9}"
        assert await models.resolve(last) is not await models.resolve(last)
