"""The Ollama bundle as it is shipped: both faces, who may manage, what is translated and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bundles.served import ADMIN, KEY, serving

CHAT = {"model": "tiny", "stream": False, "messages": [{"role": "user", "content": "Say hi."}]}
PULL = {"model": "other", "stream": False}
MANAGING = [
    ("POST", "/api/pull", PULL),
    ("POST", "/api/push", PULL),
    ("POST", "/api/create", {"model": "a", "from": "tiny", "stream": False}),
    ("POST", "/api/copy", {"source": "tiny", "destination": "b"}),
    ("DELETE", "/api/delete", {"model": "tiny"}),
    ("POST", "/api/blobs/sha256:" + "0" * 64, {}),
]


@pytest.mark.parametrize("upstream", ["ollama", "openai"])
async def test_both_faces_answer_over_both_kinds_of_server(tmp_path: Path, upstream: str) -> None:
    async with serving(tmp_path, "ollama", upstream=upstream, anonymous=True) as served:
        native = await served.ask("POST", "/api/chat", CHAT)
        compatible = await served.ask("POST", "/v1/chat/completions", CHAT)
    assert native.json["message"] == {"role": "assistant", "content": "Hi"}
    assert (native.json["model"], native.json["done"], native.json["eval_count"]) == ("tiny", True, 2)
    assert compatible.json["choices"][0]["message"]["content"] == "Hi"
    assert (compatible.json["model"], compatible.json["usage"]["completion_tokens"]) == ("tiny", 2)
    paths = {path for _, path, _ in served.servers.seen}
    assert paths == {"/api/chat" if upstream == "ollama" else "/v1/chat/completions"}
    assert {line["gateway"] for line in served.lines} == {"edge"}


async def test_questions_about_the_server_are_answered_from_what_is_known(tmp_path: Path) -> None:
    async with serving(tmp_path, "ollama", upstream="ollama", anonymous=True) as served:
        alive, head = [await served.ask(method, "/") for method in ("GET", "HEAD")]
        version = await served.ask("GET", "/api/version")
        tags, listed = await served.ask("GET", "/api/tags"), await served.ask("GET", "/v1/models")
    assert (alive.body, head.body) == (b"Ollama is running", b"")
    assert head.headers["content-length"] == "17"
    assert version.json == {"version": "0.30.0"}
    assert [model["name"] for model in tags.json["models"]] == ["tiny:latest"]
    assert [model["id"] for model in listed.json["data"]] == ["tiny:latest"]
    assert served.servers.seen == []


async def test_the_version_is_what_the_config_says(tmp_path: Path) -> None:
    async with serving(tmp_path, "ollama", upstream="openai", anonymous=True, version="0.12.99") as served:
        assert (await served.ask("GET", "/api/version")).json == {"version": "0.12.99"}


@pytest.mark.parametrize(("method", "path", "body"), MANAGING)
@pytest.mark.parametrize("given", [{}, {"manage_scope": None}, {"manage_scope": "manage"}])
async def test_without_the_scope_nothing_is_managed(
    tmp_path: Path, method: str, path: str, body: Any, given: dict[str, Any]
) -> None:
    async with serving(tmp_path, "ollama", upstream="ollama", keys=["team"], **given) as served:
        refused = await served.ask(method, path, body, key=KEY)
        assert refused.status == 403
        assert refused.json["error"].startswith("You may not use manage.")
        if "manage_scope" not in given or given["manage_scope"] is None:
            assert (await served.ask(method, path, body, key=ADMIN)).status == 403, "null is nobody"
    assert served.servers.seen == []


async def test_where_everybody_is_served_nobody_manages(tmp_path: Path) -> None:
    async with serving(tmp_path, "ollama", upstream="ollama", anonymous=True, manage_scope="manage") as served:
        assert (await served.ask("POST", "/api/pull", PULL, key=ADMIN)).status == 403


async def test_with_the_scope_it_is_passed_on_and_so_is_its_progress(tmp_path: Path) -> None:
    async with serving(tmp_path, "ollama", upstream="ollama", keys=["team"], manage_scope="manage") as served:
        whole = await served.ask("POST", "/api/pull", PULL, key=ADMIN)
        stream = await served.ask("POST", "/api/pull", {"model": "other"}, key=ADMIN)
    assert (whole.status, whole.json) == (200, {"status": "success"})
    lines = [json.loads(line) for line in stream.body.splitlines()]
    assert lines == [{"status": "pulling manifest"}, {"status": "success"}]
    assert [(method, path, body["model"]) for method, path, body in served.servers.seen] == [
        ("POST", "/api/pull", "other")
    ] * 2


@pytest.mark.parametrize(("path", "key"), [("/api/chat", None), ("/api/tags", "gw-wrong-0123456789abcdef")])
async def test_without_a_key_nothing_is_said(tmp_path: Path, path: str, key: str | None) -> None:
    async with serving(tmp_path, "ollama", upstream="ollama", keys=["team"]) as served:
        client = await served.ask("GET" if path == "/api/tags" else "POST", path, CHAT, key=key)
        v1 = await served.ask("GET", "/v1/models", key=key)
    assert (client.status, client.json) == (401, {"error": "unauthorized"})
    assert (v1.status, v1.json["error"]["type"]) == (401, "invalid_request_error")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/nope", 404), ("GET", "/nope", 404), ("GET", "/api/chat", 405), ("DELETE", "/", 405)],
)
async def test_a_wrong_path_is_refused_in_ollama_s_words(tmp_path: Path, method: str, path: str, status: int) -> None:
    async with serving(tmp_path, "ollama", upstream="ollama", anonymous=True) as served:
        client = await served.ask(method, path)
    assert client.status == status
    assert isinstance(client.json["error"], str)


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/nope", 404), ("GET", "/v1/completions", 405)])
async def test_and_below_v1_in_openai_s(tmp_path: Path, method: str, path: str, status: int) -> None:
    async with serving(tmp_path, "ollama", upstream="ollama", anonymous=True) as served:
        client = await served.ask(method, path)
    assert client.status == status
    assert set(client.json["error"]) == {"message", "type", "param", "code"}


ROUNDED = {**CHAT, "options": {"top_k": 5, "num_ctx": 8192}}


async def test_what_is_lost_on_the_way_is_named(tmp_path: Path) -> None:
    async with serving(tmp_path, "ollama", upstream="openai", anonymous=True) as served:
        client = await served.ask("POST", "/api/chat", ROUNDED)
    assert client.headers["x-gateway-dropped"] == "options.top_k"
    assert [line.get("dropped") for line in served.lines] == ["options.top_k"]
    (_, _, body) = served.servers.seen[0]
    assert not {"top_k", "num_ctx", "options"} & set(body)


@pytest.mark.parametrize(
    ("given", "status", "dropped"),
    [
        ({"on_unsupported": "error"}, 400, None),
        ({"on_unsupported": "ignore"}, 200, None),
        ({"fields": {"options.top_k": "error"}}, 400, None),
        ({"fields": {"options.num_ctx": "warn"}}, 200, "options.top_k, options.num_ctx"),
    ],
)
@pytest.mark.parametrize("use", ["ollama"])
async def test_the_bundle_passes_the_rules_of_translation_on(
    tmp_path: Path, use: str, given: dict[str, Any], status: int, dropped: str | None
) -> None:
    async with serving(tmp_path, use, upstream="openai", anonymous=True, **given) as served:
        client = await served.ask("POST", "/api/chat", ROUNDED)
    assert (client.status, client.headers.get("x-gateway-dropped")) == (status, dropped)
    if status == 400:
        assert "options.top_k" in client.json["error"]


@pytest.mark.parametrize(("emulate", "said"), [(None, True), (["json_hint"], True), ([], False)])
async def test_json_is_asked_for_in_words_unless_that_is_switched_off(
    tmp_path: Path, emulate: list[str] | None, said: bool
) -> None:
    given = {} if emulate is None else {"emulate": emulate}
    async with serving(tmp_path, "ollama", upstream="openai", anonymous=True, **given) as served:
        await served.ask("POST", "/api/chat", {**CHAT, "format": "json"})
    (_, _, body) = served.servers.seen[0]
    assert any("JSON" in message["content"] for message in body["messages"]) == said
