"""How far a name may be from a model's own and still mean it (protocol.md 5.2), and what is known of its model."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import ModelNotFound, UpstreamUnavailable
from tests.stages.fakes import FakeUpstream
from tests.stages.model_lists import catalogue, listing_upstream, native_upstream, where

INSTALLED = ("Llama3:latest", "qwen3:8b", "hf.co/user/Repo:Q4_K_M", "gpt-oss:20b-cloud", "gpt-oss:20b")


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("Llama3:latest", "Llama3:latest"),
        ("llama3", "Llama3:latest"),
        ("LLAMA3:LATEST", "Llama3:latest"),
        ("library/llama3", "Llama3:latest"),
        ("ollama/llama3", "Llama3:latest"),
        ("ollama_chat/qwen3:8b", "qwen3:8b"),
        ("openai/llama3", "Llama3:latest"),
        ("hf.co/user/repo:q4_k_m", "hf.co/user/Repo:Q4_K_M"),
        ("gpt-oss:20b", "gpt-oss:20b"),
        ("GPT-OSS:20B", "gpt-oss:20b"),
        ("gpt-oss:20b:cloud", "gpt-oss:20b-cloud"),
    ],
)
async def test_the_installed_spelling_wins(name: str, model: str) -> None:
    resolution = await catalogue(native_upstream("own", *INSTALLED)).resolve(name)
    assert (resolution.model, [target.model for target in resolution.targets]) == (model, [model])


@pytest.mark.parametrize("name", ["llama3:8b", "user/llama3", "qwen3", "gpt-oss", "openrouter/llama3", "llama3 x"])
async def test_another_tag_or_owner_is_another_model(name: str) -> None:
    with pytest.raises(ModelNotFound):
        await catalogue(native_upstream("own", *INSTALLED)).resolve(name)


async def test_the_rules_of_names_are_those_of_each_upstream() -> None:
    """Pitfall 63: what looks like a tag is none where the upstream has no tags."""
    plain, own = (
        listing_upstream("plain", "ft:gpt-4o:org::id", "llama3:latest", "GPT"),
        native_upstream("own", "m:latest"),
    )
    models = catalogue(plain, own)
    assert await where(models, "ft:gpt-4o:org::id") == [("plain", "ft:gpt-4o:org::id")]
    assert await where(models, "openai/GPT") == [("plain", "GPT")]
    assert await where(models, "M") == [("own", "m:latest")]
    for name in ("llama3", "gpt", "ft:gpt-4o:org::ID"):
        with pytest.raises(ModelNotFound):
            await models.resolve(name)


ORDER: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"aliases": {"openai/x": "by-alias", "x": "by-bare-alias", "*": "by-pattern"}}, ("two", "by-alias")),
    ({"aliases": {"x": "by-bare-alias", "*": "by-pattern"}, "listed": "openai/x"}, ("one", "openai/x")),
    ({"aliases": {"x": "by-bare-alias", "*": "by-pattern"}, "listed": "x"}, ("two", "by-bare-alias")),
    ({"aliases": {"*": "by-pattern"}, "default": "by-default", "listed": "x"}, ("one", "x")),
    ({"aliases": {"openai/*": "by-pattern"}, "default": "by-default"}, ("two", "by-pattern")),
    ({"aliases": {"x*": "by-bare-pattern"}, "default": "by-default"}, ("two", "by-bare-pattern")),
    ({"aliases": {"y*": "by-pattern"}, "default": "by-default"}, ("two", "by-default")),
    ({"default": {"model": "by-default", "upstream": "one"}}, ("one", "by-default")),
]


@pytest.mark.parametrize(("settings", "found"), ORDER)
async def test_the_order_in_which_a_name_is_looked_up(settings: dict[str, Any], found: tuple[str, str]) -> None:
    listed = settings.get("listed")
    one = listing_upstream("one", *([listed] if listed else []))
    two = listing_upstream("two", "by-alias", "by-bare-alias", "by-pattern", "by-bare-pattern", "by-default")
    models = catalogue(one, two, **{key: value for key, value in settings.items() if key != "listed"})
    assert await where(models, "openai/x") == [found]


async def test_which_prefixes_are_looked_through_can_be_said() -> None:
    models = catalogue(listing_upstream("one", "a"), aliases={"x": "a"}, provider_prefixes=["team/"])
    assert await where(models, "team/x") == [("one", "a")]
    with pytest.raises(ModelNotFound):
        await models.resolve("openai/x")


async def test_a_target_knows_its_model() -> None:
    own = native_upstream("own", "a:latest", "b:latest")
    models = catalogue(listing_upstream("plain", "c"), own, aliases={"fast": "A", "any*": "b"}, default="hidden")
    for name, context_length in (("a", 1000), ("fast", 1000), ("b:latest", 1001), ("anything", 1001)):
        card = (await models.resolve(name)).targets[0].card
        assert card is not None
        assert (card.dialect, card.context_length, card.server_version) == ("ollama", context_length, "0.12.0")
    assert (await models.resolve("x")).targets[0].card is None


async def test_an_alias_is_listed_with_what_is_known_of_its_model() -> None:
    models = catalogue(native_upstream("own", "a:latest"), aliases={"fast": "A", "lost": "b", "an*": "a"})
    cards = {card.id: card for card in await models.models()}
    assert set(cards) == {"a:latest", "fast", "lost"}
    assert cards["fast"].capabilities == cards["a:latest"].capabilities == ("completion",)
    assert (cards["lost"].owned_by, cards["lost"].capabilities) == ("gatewright", None)


async def test_an_alias_hides_the_model_whose_name_it_takes() -> None:
    models = catalogue(native_upstream("own", "a:latest", "b:latest"), aliases={"a:latest": "b"})
    cards = {card.id: card.context_length for card in await models.models()}
    assert cards == {"a:latest": 1001, "b:latest": 1001}
    assert await where(models, "a:latest") == [("own", "b:latest")]
    assert await where(models, "a") == [("own", "a:latest")]


async def test_law_43_every_listed_name_is_served_and_listed_once() -> None:
    def down(_: Any) -> Any:
        raise UpstreamUnavailable("down")

    upstreams = native_upstream("own", *INSTALLED), listing_upstream("plain", "org/m", "qwen3:8b", "m:x/y")
    models = catalogue(*upstreams, FakeUpstream("down", down), aliases={"org/alias": "org/m", "qwen3": "qwen3:8b"})
    ids = [card.id for card in await models.models()]
    assert len(set(ids)) == len(ids) == 9
    for id in ids:
        assert "down" not in dict(await where(models, id))
