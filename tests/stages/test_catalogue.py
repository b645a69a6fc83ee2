"""Which upstream serves a name: aliases, the upstreams' own lists, wildcards; and what happens when they cannot say."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import (
    GatewayError,
    ModelNotFound,
    SettingsError,
    Target,
    UnknownName,
    UpstreamAnswer,
    UpstreamUnavailable,
)
from tests.stages.fakes import FakeUpstream
from tests.stages.model_lists import catalogue, listing, listing_upstream, where

ALIASES = {
    "fast": "a",
    "moved": {"model": "b", "upstream": "one"},
    "gpt-*": "a",
    "gpt-4*": "b",
    "gpt-4-turbo*": {"model": "c", "upstream": "one"},
}


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("fast", "a"),
        ("moved", "b"),
        ("a", "a"),
        ("gpt-3", "a"),
        ("gpt-4", "b"),
        ("gpt-4o", "b"),
        ("gpt-4-turbo-x", "c"),
        ("gpt-4-listed", "gpt-4-listed"),
    ],
)
async def test_an_alias_then_the_own_name_then_the_longest_wildcard(name: str, model: str) -> None:
    models = catalogue(listing_upstream("one", "a", "b", "c", "gpt-4-listed"), aliases=ALIASES)
    resolution = await models.resolve(name)
    assert (resolution.model, resolution.targets) == (model, (Target("one", model),))


@pytest.mark.parametrize("name", ["nobody", "A", "FAST", "xgpt-4", "a ", "[a]", "?"])
async def test_another_name_is_404_and_tells_nothing_of_what_is_served(name: str) -> None:
    models = catalogue(listing_upstream("one", "a", "b", "c"), aliases=ALIASES)
    with pytest.raises(ModelNotFound) as caught:
        await models.resolve(name)
    assert (caught.value.status, caught.value.code, caught.value.param) == (404, "model_not_found", "model")
    assert "fast" not in caught.value.message
    assert "one" not in caught.value.message


async def test_only_a_star_is_a_wildcard() -> None:
    models = catalogue(listing_upstream("one", "a"), aliases={"m[12]-*": "a", "what?*": "a"})
    assert await where(models, "m[12]-x") == [("one", "a")]
    assert await where(models, "what?") == [("one", "a")]
    for name in ("m1-x", "whats"):
        with pytest.raises(ModelNotFound):
            await models.resolve(name)


async def test_a_star_alone_takes_everything_that_nobody_else_does() -> None:
    models = catalogue(listing_upstream("one", "a", "b"), aliases={"*": "a"})
    assert await where(models, "whatever") == [("one", "a")]
    assert await where(models, "b") == [("one", "b")]


async def test_every_upstream_that_lists_a_model_is_a_target_best_first() -> None:
    models = catalogue(listing_upstream("one", "a"), listing_upstream("two", "a", "b"), aliases={"x": "b", "y": "z"})
    assert await where(models, "a") == [("one", "a"), ("two", "a")]
    assert await where(models, "b") == [("two", "b")]
    assert await where(models, "x") == [("two", "b")]
    assert await where(models, "y") == [("one", "z")]


async def test_an_alias_with_its_upstream_asks_no_other() -> None:
    one, two = listing_upstream("one"), listing_upstream("two", "b")
    assert await where(catalogue(one, two, aliases=ALIASES), "moved") == [("one", "b")]
    assert (len(one.calls), len(two.calls)) == (1, 0)


async def test_an_alias_whose_upstream_is_certain_can_be_had_without_asking() -> None:
    one, two = listing_upstream("one"), listing_upstream("two", "b")
    assert await where(catalogue(one, two, aliases=ALIASES, refresh_seconds=None), "moved") == [("one", "b")]
    assert await where(catalogue(one, aliases=ALIASES, refresh_seconds=None), "fast") == [("one", "a")]
    assert one.calls == two.calls == []


async def test_an_alias_that_nobody_lists_goes_to_whose_list_is_unknown() -> None:
    up, down = listing_upstream("up", "a"), FakeUpstream("down", fails)
    assert await where(catalogue(up, down, aliases={"x": "hidden"}), "x") == [("down", "hidden")]
    assert await where(catalogue(up, listing_upstream("two"), aliases={"x": "hidden"}), "x") == [("up", "hidden")]


async def test_an_unknown_list_is_not_an_empty_list() -> None:
    """An upstream that cannot be asked is sent what it is asked for, and answers itself."""
    down = FakeUpstream("down", fails)
    models = catalogue(listing_upstream("up", "a"), down, aliases={"gpt-*": "a"})
    assert await where(models, "b") == [("down", "b")]
    assert await where(models, "a") == [("up", "a")]
    assert await where(models, "gpt-4") == [("up", "a")]


def fails(_: Any) -> UpstreamAnswer:
    raise UpstreamUnavailable("down")


@pytest.mark.parametrize(
    ("status", "body"),
    [(404, b"{}"), (401, b""), (500, b"x"), (200, b"<html>"), (200, b"[]"), (200, b"{}"), (200, b"[" * 100_000)],
)
async def test_an_answer_that_is_no_list_is_an_unknown_list(status: int, body: bytes) -> None:
    upstream = listing_upstream("one")
    upstream.answer = lambda call: listing(status=status, body=body)
    models = catalogue(upstream)
    assert await where(models, "b") == [("one", "b")]
    with pytest.raises(GatewayError):
        await models.models()


async def test_the_models_are_those_that_are_listed_and_the_exact_aliases_once_each() -> None:
    models = catalogue(
        listing_upstream("one", "a", "b"), listing_upstream("two", "b", "c"), aliases={**ALIASES, "b": "a"}
    )
    ids = [card.id for card in await models.models()]
    assert sorted(ids) == ["a", "b", "c", "fast", "moved"]
    owners = {card.id: card.owned_by for card in await models.models()}
    assert (owners["a"], owners["b"], owners["c"]) == ("one", "one", "two")
    assert owners["fast"] == "one", "an alias shows the card of its model"
    for id in ids:
        await models.resolve(id)


async def test_a_list_without_data_is_empty_and_entries_without_an_id_are_skipped() -> None:
    upstream = listing_upstream("one")
    for body, ids in ((b'{"data": null}', []), (b'{"data": [{}, 5, {"id": 5}, {"id": "a", "created": "x"}]}', ["a"])):
        upstream.answer = lambda call, body=body: listing(body=body)  # type: ignore[misc]  # mypy takes the default for a second argument
        assert [card.id for card in await catalogue(upstream).models()] == ids


async def test_some_list_is_enough_to_answer() -> None:
    models = catalogue(FakeUpstream("down", fails), listing_upstream("up", "a"))
    assert [card.id for card in await models.models()] == ["a"]
    assert [card.id for card in await catalogue(FakeUpstream("down", fails), aliases={"x": "y"}).models()] == ["x"]


def test_an_alias_to_a_strange_upstream_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        catalogue(listing_upstream("one"), aliases={"x": {"model": "a", "upstream": "two"}})
    assert caught.value.field == "aliases"
    with pytest.raises(SettingsError) as caught:
        catalogue(listing_upstream("one"), default={"model": "a", "upstream": "two"})
    assert caught.value.field == "default"
    with pytest.raises(UnknownName):
        catalogue(upstreams=["nobody"])
