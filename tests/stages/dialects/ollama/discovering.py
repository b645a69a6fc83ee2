"""A server to discover, in memory: what it answers to each call, and what it was asked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pipeline import GatewayError, Headers, ModelCard, Reply, UpstreamCall
from stages.dialects.ollama.models import discovery

DETAILS = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "8B",
    "quantization_level": "Q4_K_M",
}


def entry(name: str, digest: str = "d1", **more: Any) -> dict[str, Any]:
    """An entry of `tags` as servers before 0.30.0 write it."""
    return {
        "name": name,
        "model": name,
        "modified_at": "2023-11-14T23:13:20.123456789+01:00",
        "size": 4_000_000_000,
        "digest": digest,
        "details": DETAILS,
        **more,
    }


def shown(*capabilities: str, context_length: int = 8192, **more: Any) -> dict[str, Any]:
    """An answer of `show`."""
    model_info = {"general.architecture": "llama", "llama.context_length": context_length}
    return {"capabilities": [*capabilities], "model_info": model_info, "details": DETAILS, **more}


class Server:
    """Answers by path: a JSON value, bytes, a status, or an error of the transport. 404 for what it does not know."""

    def __init__(self, *entries: dict[str, Any], shows: Any = None, **answers: Any) -> None:
        self.answers: dict[str, Any] = {"tags": {"models": [*entries]}, "version": {"version": "0.9.3"}, **answers}
        self.shows: dict[str, Any] = shows or {}
        self.calls: list[UpstreamCall] = []

    def discover(self, known: Sequence[ModelCard] = ()) -> list[ModelCard]:
        steps = discovery(known)
        try:
            call = next(steps)
            while True:
                answer = self._answer(call)
                call = steps.throw(answer) if isinstance(answer, GatewayError) else steps.send(_reply(answer))
        except StopIteration as done:
            cards: list[ModelCard] = done.value
            return cards

    def asked(self) -> list[str]:
        """What was asked since the last look: the path, and the model that `show` is about."""
        calls, self.calls = self.calls, []
        models = [json.loads(call.body)["model"] if call.body else "" for call in calls]
        paths = [call.path.removeprefix("/api/") for call in calls]
        return [f"{path} {model}".strip() for path, model in zip(paths, models, strict=True)]

    def _answer(self, call: UpstreamCall) -> Any:
        self.calls.append(call)
        name = call.path.removeprefix("/api/")
        if name == "show":
            return self.shows.get(json.loads(call.body)["model"], 404)
        return self.answers.get(name, 404)


def _reply(answer: Any) -> Reply:
    if isinstance(answer, int):
        return Reply(answer, Headers(), b'{"error":"no"}')
    return Reply(200, Headers(), answer if isinstance(answer, bytes) else json.dumps(answer).encode())
