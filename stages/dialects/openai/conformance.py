"""The OpenAI dialect as the laws see it; implements `pipeline.conformance.Conformance`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from pipeline import Data, Heard, Parsed
from stages.dialects.conformance_values import bent_somewhere
from stages.dialects.openai import (
    conformance_answers,
    conformance_checks,
    conformance_folds,
    conformance_normal,
    conformance_requests,
)

# protocol.md 3.1, policy D, chat and text completions and embeddings alike.
_HINTS = (
    *("user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"),
    *("moderation", "prediction", "store", "metadata", "messages[].name", "stream_options.include_obfuscation"),
    *("messages[].content[].image_url.detail",),
    *("tools[].function.strict", "response_format.json_schema.name", "response_format.json_schema.description"),
    "response_format.json_schema.strict",
)
_USUAL: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "echo": (False,),
    "logit_bias": ({},),
    "modalities": (["text"],),
    "parallel_tool_calls": (True,),
    "service_tier": ("auto", "default"),
    "tool_choice": ("auto",),
    "response_format": ({"type": "text"},),
    "logprobs": (False,),
    "suffix": ("",),
    "stop": ([], ""),
    "stream": (False,),
}
"""Fields that say what is so without them (3.1: absent and the default are one)."""


class OpenAIConformance:
    """See the modules `conformance_*` beside this one."""

    def requests(self, operation: str) -> st.SearchStrategy[Data]:
        known: dict[str, st.SearchStrategy[Data]] = {
            "chat": conformance_requests.chats(),
            "completion": conformance_requests.completions(),
            "embedding": conformance_requests.embeddings,
        }
        return known[operation]

    def common_requests(self) -> st.SearchStrategy[Data]:
        return conformance_requests.common_chats()

    def wild_requests(self, operation: str) -> st.SearchStrategy[Any]:
        return conformance_requests.wild(operation) | bent_somewhere(self.requests(operation))

    def normal(self, request: Data) -> Data:
        return conformance_normal.normal(request)

    def settled(self, request: Data) -> Data:
        return conformance_normal.settled(request)

    def is_harmless(self, operation: str, path: str, value: Any) -> bool:
        if value is None or path.startswith(_HINTS):
            return True
        if path.endswith("arguments") and not json.loads(value or "{}"):
            return True
        if path == "stop" and not any(value):
            return True  # texts that stop nothing
        if path == "tools[].function.parameters" and value == {"type": "object", "properties": {}}:
            return True
        # The stream options shape the answer only; of two limits the newer name wins (3.1).
        if path in ("stream_options", "stream_options.include_usage", "encoding_format"):
            return True
        return any(value == usual for usual in _USUAL.get(path, ()))

    def images(self, request: Data) -> list[bytes]:
        return conformance_normal.pictures(request)

    def roles(self, request: Data) -> list[str]:
        return [conformance_normal.role(message) for message in request["messages"]]

    def answers(self, operation: str) -> st.SearchStrategy[Data]:
        known: dict[str, st.SearchStrategy[Data]] = {
            "chat": conformance_answers.chats(),
            "completion": conformance_answers.completions(),
            "embedding": conformance_answers.embeddings(),
        }
        return known[operation]

    def streams(self, operation: str) -> st.SearchStrategy[list[Data]]:
        return conformance_answers.streams(operation)

    def fold(self, operation: str, items: Sequence[Data]) -> Data:
        return conformance_folds.fold(operation, items)

    def heard(self, operation: str, answer: Data) -> Heard:
        return conformance_folds.heard(operation, answer)

    def check(self, operation: str, answer: Data, *, model: str) -> None:
        conformance_checks.check(operation, answer, model=model)

    def check_stream(self, operation: str, items: Sequence[Data], *, model: str, usage: bool, complete: bool) -> None:
        conformance_checks.check_stream(operation, items, model=model, usage=usage, complete=complete)

    def encode(self, items: Sequence[Data], *, done: bool = True) -> bytes:
        return conformance_folds.encode(items, done=done)

    def failed(self, message: str) -> bytes:
        return conformance_folds.failed(message)

    def parse(self, body: bytes) -> Parsed:
        return conformance_folds.parse(body)
