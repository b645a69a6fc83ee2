"""A gateway with both faces before a scripted newer Ollama, and how the official clients ask it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ollama
import openai
from openai.types.chat import ChatCompletion

from tests.wire.documents import KEY, PROMPT, write
from tests.wire.gateway_process import serving_process
from tests.wire.newer_ollama import THINKER, NewerOllama, newer_ollama
from tests.wire.plain_client import Plain, call

ASK: Any = [{"role": "user", "content": PROMPT}]
OPENAI_PATH, OLLAMA_PATH = "/v1/chat/completions", "/api/chat"


@dataclass(frozen=True)
class NewerFaces:
    """The gateway's two faces, and the server behind them."""

    server: NewerOllama
    root: str
    openai: openai.OpenAI
    ollama: ollama.Client

    def plain(self, path: str, **fields: Any) -> Plain:
        """The bytes themselves, for what the clients' own types leave out."""
        return call(self.root, "POST", path, {"model": THINKER, "messages": ASK, **fields}, key=KEY)

    def lines(self, **fields: Any) -> list[dict[str, Any]]:
        """The lines of a stream at the Ollama face, or the one object of a whole answer."""
        return [json.loads(text) for text in self.plain(OLLAMA_PATH, **fields).body.splitlines()]


@contextmanager
def newer_faces(folder: Path) -> Iterator[NewerFaces]:
    """The scripted server, the gateway's process and a client for each face."""
    with newer_ollama() as server:
        content = {
            "version": 1,
            "resources": {
                "upstreams": {"newer": {"dialect": "ollama", "base_url": server.upstream.url}},
                "keys": {"team": {"keys": [{"id": "tester", "key": KEY}]}},
            },
            "gateways": {"both": {"use": "ollama", "with": {"upstream": "newer", "keys": ["team"]}}},
        }
        with serving_process(write(folder, content)) as process:
            root = f"http://127.0.0.1:{process.port}"
            with (
                openai.OpenAI(base_url=f"{root}/v1", api_key=KEY, max_retries=0) as of_openai,
                ollama.Client(root, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False) as of_ollama,
            ):
                yield NewerFaces(server, root, of_openai, of_ollama)


@dataclass(frozen=True)
class Told:
    """An answer at the OpenAI face, whichever way it came."""

    content: str | None
    reasoning: str | None
    calls: list[tuple[str, str, Any]]
    finish: str
    logprobs: list[Any]
    created: int


def ask_openai(faces: NewerFaces, stream: bool, **fields: Any) -> Told:
    """By the official client; a stream is added up by its own accumulator, which minds what is said twice."""
    fields = {"model": THINKER, "messages": ASK, **fields}
    if not stream:
        return told(faces.openai.chat.completions.create(**fields))
    with faces.openai.chat.completions.stream(**fields) as events:
        for _ in events:
            pass
        return told(events.get_final_completion())


def told(completion: ChatCompletion) -> Told:
    (choice,) = completion.choices
    message = choice.message
    calls = [
        (made.id, made.function.name, json.loads(made.function.arguments))
        for made in message.tool_calls or ()
        if made.type == "function"
    ]
    logprobs = [] if choice.logprobs is None else choice.logprobs.content or []
    reasoning = getattr(message, "reasoning", None)
    return Told(message.content, reasoning, calls, choice.finish_reason, list(logprobs), completion.created)


def ask_ollama(faces: NewerFaces, stream: bool, **fields: Any) -> list[ollama.ChatResponse]:
    """By the official client; a whole answer is a list of one."""
    asked: dict[str, Any] = {"model": THINKER, "messages": ASK, **fields}
    return list(faces.ollama.chat(**asked, stream=True)) if stream else [faces.ollama.chat(**asked)]
