"""The OpenAI bundle as it is shipped, over an Ollama server: what it may be told of translation reaches the stages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.bundles.served import serving

CHAT = {"model": "tiny", "messages": [{"role": "user", "content": "Say hi."}]}


@pytest.mark.parametrize(
    ("given", "fields", "status", "dropped"),
    [
        ({}, {"logit_bias": {"1": 1}}, 400, None),
        ({}, {"verbosity": "low"}, 200, "verbosity"),
        ({"fields": {"logit_bias": "warn"}}, {"logit_bias": {"1": 1}}, 200, "logit_bias"),
        ({"on_unsupported": "error"}, {"verbosity": "low"}, 400, None),
        ({"on_unsupported": "ignore"}, {"verbosity": "low"}, 200, None),
        ({}, {"n": 2}, 400, None),
        ({"emulate": ["n"]}, {"n": 2}, 200, None),
    ],
)
async def test_the_bundle_passes_the_rules_of_translation_on(
    tmp_path: Path, given: dict[str, Any], fields: dict[str, Any], status: int, dropped: str | None
) -> None:
    async with serving(tmp_path, "openai", upstream="ollama", anonymous=True, **given) as served:
        client = await served.ask("POST", "/v1/chat/completions", {**CHAT, **fields})
    assert (client.status, client.headers.get("x-gateway-dropped")) == (status, dropped)
    if status == 400:
        assert client.json["error"]["param"] in fields


async def test_several_choices_are_several_calls_counted_together(tmp_path: Path) -> None:
    async with serving(tmp_path, "openai", upstream="ollama", anonymous=True, emulate=["n"]) as served:
        client = await served.ask("POST", "/v1/chat/completions", {**CHAT, "n": 3, "seed": 5})
    assert [choice["index"] for choice in client.json["choices"]] == [0, 1, 2]
    assert len({choice["message"]["content"] for choice in client.json["choices"]}) == 1
    seeds = [body["options"]["seed"] for _, _, body in served.servers.seen]
    assert seeds == [5, 6, 7], "or each choice would be the same"
    assert [(line["output_tokens"], line["outcome"]) for line in served.lines] == [(6, "complete")]


@pytest.mark.parametrize("n", [1, 2])
async def test_several_prompts_are_several_calls_each_with_its_own_echo(tmp_path: Path, n: int) -> None:
    asked = {"model": "tiny", "prompt": ["one", "two"], "echo": True, "n": n}
    async with serving(tmp_path, "openai", upstream="ollama", anonymous=True, emulate=["n"]) as served:
        client = await served.ask("POST", "/v1/completions", asked)
    texts = [(choice["index"], choice["text"]) for choice in client.json["choices"]]
    assert texts == [(at, text) for at, text in enumerate(["one <- one"] * n + ["two <- two"] * n)]


async def test_only_openai_s_paths_are_served(tmp_path: Path) -> None:
    async with serving(tmp_path, "openai", upstream="ollama", anonymous=True) as served:
        assert (await served.ask("POST", "/api/chat", CHAT)).status == 404
        assert (await served.ask("POST", "/v1/api/chat", CHAT)).status == 404
