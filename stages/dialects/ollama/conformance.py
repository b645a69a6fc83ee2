"""The Ollama dialect as the laws see it; implements `pipeline.conformance.Conformance`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from pipeline import Data, Heard, Parsed
from stages.dialects.conformance_values import bent_somewhere
from stages.dialects.ollama import (
    conformance_answers,
    conformance_checks,
    conformance_folds,
    conformance_normal,
    conformance_requests,
)

# What OpenAI can be told, or whose loss is told (protocol.md 3.3). All other options are the server's matter: class D.
_TOLD = (
    *("temperature", "top_p", "seed", "stop", "frequency_penalty", "presence_penalty", "num_predict"),
    *("top_k", "min_p", "typical_p", "repeat_penalty", "repeat_last_n"),
)
# Which call an answer belongs to, and the order of calls, are said in other words (rule T).
_IDENTITY = (
    *("messages[].tool_calls[].id", "messages[].tool_calls[].function.index"),
    *("messages[].tool_call_id", "messages[].tool_name"),
)


class OllamaConformance:
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
        wild = conformance_requests.wild(operation)
        return wild if operation == "embedding.single" else wild | bent_somewhere(self.requests(operation))

    def normal(self, request: Data) -> Data:
        return conformance_normal.normal(request)

    def settled(self, request: Data) -> Data:
        return conformance_normal.settled(request)

    def is_harmless(self, operation: str, path: str, value: Any) -> bool:
        if path == "tools[].function.parameters" and value == {"type": "object", "properties": {}}:
            return True
        if operation == "embedding" and path.startswith(("options.", "truncate")):
            return True  # 3.6
        if path == "options.stop" and not any(value):
            return True
        if path.startswith("options."):
            name = path.removeprefix("options.")
            # A negative seed is none, as is a negative limit (3.3).
            return name not in _TOLD or (name in ("seed", "num_predict") and value < 0)
        if path in ("keep_alive", "shift") or path in _IDENTITY:
            return True
        usual: dict[str, Any] = {"truncate": False, "raw": False, "logprobs": False, "stream": True}
        return path in usual and value is usual[path]

    def images(self, request: Data) -> list[bytes]:
        return conformance_normal.pictures(request)

    def roles(self, request: Data) -> list[str]:
        return [message["role"].lower() for message in request["messages"]]

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
        conformance_checks.check_stream(operation, items, model=model, complete=complete)

    def encode(self, items: Sequence[Data], *, done: bool = True) -> bytes:
        return conformance_folds.encode(items, done=done)

    def failed(self, message: str) -> bytes:
        return conformance_folds.failed(message)

    def parse(self, body: bytes) -> Parsed:
        return conformance_folds.parse(body)
