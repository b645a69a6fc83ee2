"""Finding out what an Ollama server serves: what is asked, what is asked once only, and what may fail."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import (
    GatewayError,
    ModelCard,
    UpstreamGarbage,
    UpstreamRefusedUs,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from tests.stages.dialects.ollama.discovering import DETAILS, Server, entry, shown

LOADED = {
    "name": "llama3:latest",
    "model": "llama3:latest",
    "size": 6,
    "size_vram": 5,
    "digest": "d1",
    "details": DETAILS,
    "expires_at": "2318-11-23T10:00:00.5-07:00",
    "context_length": 4096,
}
NEW: dict[str, Any] = {"capabilities": ["completion"], "details": {**DETAILS, "context_length": 131072}}


def test_a_card_says_what_the_server_says() -> None:
    server = Server(
        entry("llama3:latest"),
        entry("ns/other:1b", "d2"),
        shows={
            "llama3:latest": shown("completion", "tools", parameters='stop "<|eot|>"'),
            "ns/other:1b": shown("embedding"),
        },
        ps={"models": [LOADED]},
    )
    one, two = server.discover()
    assert one == ModelCard(
        "llama3:latest",
        1_700_000_000,
        "library",
        {**entry("llama3:latest"), "capabilities": ["completion", "tools"], "parameters": 'stop "<|eot|>"'},
        ("completion", "tools"),
        8192,
        LOADED,
        "0.9.3",
        "ollama",
    )
    assert (two.owned_by, two.capabilities, two.loaded, two.server_version) == ("ns", ("embedding",), None, "0.9.3")


def test_it_asks_for_nothing_that_generates_or_loads() -> None:
    server = Server(entry("a:latest"))
    server.discover()
    assert [(call.method, call.path) for call in server.calls] == [
        ("GET", "/api/tags"),
        ("GET", "/api/version"),
        ("POST", "/api/show"),
        ("GET", "/api/ps"),
    ]
    assert server.calls[2].body == b'{"model":"a:latest"}'
    sent = ("content-type", "application/json")
    for call in server.calls:
        assert {*call.headers} == {("accept", "application/json"), *([sent] if call.body else [])}


def test_a_list_that_tells_all_needs_no_show() -> None:
    server = Server(entry("a:latest", **NEW), entry("b:latest", "d2", capabilities=["completion"]))
    server.shows["b:latest"] = shown("completion", "vision")
    one, two = server.discover()
    assert server.asked() == ["tags", "version", "show b:latest", "ps"]
    assert (one.capabilities, one.context_length) == (("completion",), 131072)
    assert (two.capabilities, two.context_length) == (("completion",), 8192), "the list's own word counts"


def test_what_is_known_of_a_digest_is_not_asked_again() -> None:
    server = Server(entry("a:latest"), entry("copy:latest"), entry("b:latest", "d2"))
    server.shows = {"a:latest": shown("tools"), "copy:latest": shown("never asked"), "b:latest": shown("vision")}
    first = server.discover()
    assert server.asked() == ["tags", "version", "show a:latest", "show b:latest", "ps"]
    assert [card.capabilities for card in first] == [("tools",), ("tools",), ("vision",)]
    assert server.discover(first) == first
    assert server.asked() == ["tags", "version", "ps"]
    server.answers["tags"] = {"models": [entry("a:latest", "d3")]}
    server.shows["a:latest"] = shown("insert")
    assert [card.capabilities for card in server.discover(first)] == [("insert",)]
    assert server.asked() == ["tags", "version", "show a:latest", "ps"]


def test_a_known_card_is_renewed_in_all_but_what_its_digest_fixes() -> None:
    server = Server(entry("a:latest"), shows={"a:latest": shown("tools")}, ps={"models": [{**LOADED, "model": "A"}]})
    (before,) = server.discover()
    assert before.loaded is not None, "ps and tags need not spell a name alike"
    server.answers.update(ps={"models": None}, version={"version": "0.10.0"})
    server.answers["tags"] = {"models": [entry("renamed:latest", size=5)]}
    (after,) = server.discover([before])
    assert (after.id, after.loaded, after.server_version, after.extra["size"]) == ("renamed:latest", None, "0.10.0", 5)


def test_a_server_that_never_tells_capabilities_is_asked_once() -> None:
    """Before 0.6.4 `show` says nothing of them: unknown is not none, and asking again does not help."""
    server = Server(entry("a:latest"), shows={"a:latest": {"model_info": {"llama.context_length": 2048}}})
    (card,) = server.discover()
    assert (card.capabilities, card.context_length) == (None, 2048)
    assert not card.lacks("tools")
    assert "capabilities" not in card.extra
    server.asked()
    assert server.discover([card]) == [card]
    assert server.asked() == ["tags", "version", "ps"]


@pytest.mark.parametrize("answer", [404, 500, b"<html>", b"[]", {}, UpstreamTimeout("slow")])
def test_what_is_only_nice_to_know_may_fail(answer: Any) -> None:
    server = Server(entry("a:latest"), version=answer, ps=answer, shows={"a:latest": answer})
    (card,) = server.discover()
    assert (card.id, card.capabilities, card.server_version, card.loaded) == ("a:latest", None, None, None)
    server.shows["a:latest"] = shown("tools")
    assert [card.capabilities for card in server.discover([card])] == [("tools",)], "asked again: it said nothing"


@pytest.mark.parametrize("answer", [404, 500, b"\xff", {}, {"capabilities": 5, "model_info": [], "parameters": 5}])
def test_one_broken_model_does_not_hide_the_others(answer: Any) -> None:
    server = Server(entry("bad:latest"), entry("good:latest", "d2"))
    server.shows = {"bad:latest": answer, "good:latest": shown("tools")}
    assert [(card.id, card.capabilities) for card in server.discover()] == [
        ("bad:latest", None),
        ("good:latest", ("tools",)),
    ]


def test_a_server_that_stopped_answering_is_not_asked_about_each_model() -> None:
    server = Server(*(entry(f"m{at}:latest", f"d{at}") for at in range(9)))
    server.shows["m0:latest"] = UpstreamTimeout("slow")
    assert len(server.discover()) == 9
    assert server.asked() == ["tags", "version", "show m0:latest", "ps"]


def test_models_without_a_digest_are_asked_each() -> None:
    server = Server(
        entry("a:latest", ""), entry("b:latest", ""), shows={"a:latest": shown("x"), "b:latest": shown("y")}
    )
    cards = server.discover()
    assert [card.capabilities for card in cards] == [("x",), ("y",)]
    assert [card.capabilities for card in server.discover(cards)] == [("x",), ("y",)]


def test_a_long_text_of_parameters_is_not_kept() -> None:
    server = Server(entry("a:latest"), shows={"a:latest": shown("tools", parameters="x" * 5000)})
    assert [card.extra["parameters"] for card in server.discover()] == [""]


@pytest.mark.parametrize(
    ("models", "ids"),
    [
        (None, []),
        ([], []),
        ([{}, 5, None, {"model": 5}, {"name": "old:latest"}, {"model": "m:1", "name": "n:1"}], ["old:latest", "m:1"]),
        ([entry("a:latest", size=1), entry("a:latest", size=2)], ["a:latest"]),
        ([{"model": "no name at all", "modified_at": 5, "details": [], "digest": 7}], ["no name at all"]),
    ],
)
def test_what_cannot_be_named_is_no_model(models: Any, ids: list[str]) -> None:
    cards = Server(tags={"models": models}).discover()
    assert [card.id for card in cards] == ids
    assert all(card.created == 0 for card in cards if card.id != "a:latest")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (401, UpstreamRefusedUs),
        (403, UpstreamRefusedUs),
        (404, UpstreamGarbage),
        (500, UpstreamUnavailable),
        (503, UpstreamUnavailable),
        (429, UpstreamUnavailable),
        (b"", UpstreamGarbage),
        (b"<html>", UpstreamGarbage),
        (b"[" * 100_000, UpstreamGarbage),
        ([], UpstreamGarbage),
        ({"data": []}, UpstreamGarbage),
        (UpstreamTimeout("slow"), UpstreamTimeout),
    ],
)
def test_without_a_list_there_is_a_typed_error(answer: Any, error: type[GatewayError]) -> None:
    with pytest.raises(error) as caught:
        Server(tags=answer).discover()
    assert caught.value.status in (502, 504)
