"""Models as Ollama's clients see them: the server's own words where there are any, else what protocol.md 3.7 says."""

from __future__ import annotations

from dataclasses import asdict, replace
from hashlib import sha256
from typing import Any

import pytest

from pipeline import ModelCard
from stages.dialects.ollama.models import encode_answer
from stages.dialects.ollama.timestamps import ZERO
from tests.stages.dialects.ollama.discovering import Server, entry, shown

FOREIGN = ModelCard("gpt-4o", 1_700_000_000, "openai", {"x": 1}, ("completion", "tools"), 128_000, dialect="openai")
BARE = ModelCard("m")


def listed(*cards: ModelCard) -> Any:
    return encode_answer("models.list", {"models": [*map(asdict, cards)]})["models"]


def show(card: ModelCard) -> Any:
    return encode_answer("models.show", {"model": asdict(card)})


def running(*cards: ModelCard) -> Any:
    return encode_answer("models.running", {"models": [*map(asdict, cards)]})["models"]


def test_an_ollama_servers_own_list_loses_nothing() -> None:
    entries = [
        entry("new:latest", "d1", modified_at="2024-01-01T00:00:00.000000002Z", unheard_of=[1]),
        entry("old:latest", "d2", modified_at="2024-01-01T00:00:00.000000001Z", remote_host="https://ollama.com:443"),
    ]
    shows = {"new:latest": shown("tools", parameters="x 1"), "old:latest": 404}
    cards = Server(*reversed(entries), shows=shows).discover()
    assert listed(*cards) == [{**entries[0], "capabilities": ["tools"]}, entries[1]]


def test_an_alias_is_shown_under_its_own_name() -> None:
    (card,) = Server(entry("a:latest")).discover()
    assert listed(replace(card, id="fast")) == [{**entry("a:latest"), "name": "fast", "model": "fast"}]


def test_a_card_need_say_no_more_than_its_name() -> None:
    """So a stage may answer with models of its own making."""
    [entry] = encode_answer("models.list", {"models": [{"id": "m"}]})["models"]
    assert entry == listed(BARE)[0]
    assert entry["modified_at"] == ZERO
    assert encode_answer("models.show", {"model": {"id": "m"}}) == show(BARE)
    [loaded] = encode_answer("models.running", {"models": [{"id": "m", "loaded": {}}]})["models"]
    assert loaded == running(replace(BARE, loaded={}))[0]


def test_another_servers_model_has_all_that_clients_look_for() -> None:
    assert listed(FOREIGN) == [
        {
            "name": "gpt-4o",
            "model": "gpt-4o",
            "modified_at": "2023-11-14T22:13:20Z",
            "size": 0,
            "digest": sha256(b"openaigpt-4o").hexdigest(),
            "details": {
                "parent_model": "",
                "format": "",
                "family": "openai",
                "families": ["openai"],
                "parameter_size": "",
                "quantization_level": "",
            },
            "capabilities": ["completion", "tools"],
        }
    ]
    (bare,) = listed(BARE)
    assert (bare["modified_at"], bare["details"]["families"], bare["details"]["family"]) == (ZERO, None, "")
    assert "capabilities" not in bare


def test_the_newest_is_first_and_no_list_is_null() -> None:
    own = Server(entry("own:latest", modified_at="2023-11-14T22:13:21Z")).discover()
    assert [model["name"] for model in listed(BARE, FOREIGN, *own)] == ["own:latest", "gpt-4o", "m"]
    assert listed() == running() == []


def test_show_of_another_servers_model() -> None:
    answer = show(FOREIGN)
    assert answer["model_info"] == {"general.architecture": "openai", "openai.context_length": 128_000}
    assert answer["capabilities"] == ["completion", "tools"]
    assert (answer["template"], answer["parameters"], answer["modelfile"]) == ("", "", "")
    assert answer["modified_at"] == "2023-11-14T22:13:20Z"
    assert answer["details"]["family"] == "openai"
    assert show(BARE)["model_info"] == {"general.architecture": "-"}


def test_show_of_an_ollama_servers_model() -> None:
    (card,) = Server(entry("a:latest"), shows={"a:latest": shown("tools", parameters="temperature 1")}).discover()
    answer = show(card)
    assert (answer["parameters"], answer["details"]) == ("temperature 1", entry("a:latest")["details"])
    assert answer["modified_at"] == entry("a:latest")["modified_at"]
    assert answer["model_info"]["llama.context_length"] == 8192


def test_what_is_in_memory_longest_first() -> None:
    loaded = {
        "name": "a:latest",
        "model": "a:latest",
        "size": 6,
        "digest": "d1",
        "details": {},
        "expires_at": "2024-01-01T00:00:00Z",
        "size_vram": 5,
        "context_length": 4096,
        "unheard_of": True,
    }
    later = {**loaded, "name": "b:latest", "model": "b:latest", "expires_at": "2024-01-01T00:00:00.1Z"}
    server = Server(entry("a:latest"), entry("b:latest"), entry("c:latest"), ps={"models": [loaded, later]})
    cards = server.discover()
    assert running(*cards) == [later, loaded]
    assert running(replace(cards[0], id="fast")) == [{**loaded, "name": "fast", "model": "fast"}]


def test_how_much_context_is_loaded_is_not_made_up() -> None:
    loaded = {"name": "a:latest", "model": "a:latest", "expires_at": "2024-01-01T00:00:00Z", "size": 1}
    server = Server(entry("a:latest"), shows={"a:latest": shown(context_length=131_072)}, ps={"models": [loaded]})
    assert running(*server.discover()) == [loaded]


def test_what_another_server_has_in_memory() -> None:
    (entry,) = running(replace(FOREIGN, loaded={"context_length": 16_384}))
    assert (entry["name"], entry["context_length"], entry["size"], entry["size_vram"]) == ("gpt-4o", 16_384, 0, 0)
    assert entry["expires_at"].startswith("23")
    (entry,) = running(replace(FOREIGN, loaded={}))
    assert entry["context_length"] == 128_000


@pytest.mark.parametrize(("version", "said"), [("0.9.3", "0.9.3"), (None, "0.12.11"), ("", "0.12.11")])
def test_the_version_is_one_that_offers_what_we_offer(version: str | None, said: str) -> None:
    assert encode_answer("version", {"version": version}) == {"version": said}
