"""A terminal that answers by itself: for clients' own tests, and to try a chain without a model."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from pydantic import Field

from pipeline import (
    END,
    TARGET_USED,
    Body,
    Data,
    Event,
    Handler,
    Host,
    ModelCard,
    ModelNotFound,
    NotFound,
    Request,
    Response,
    StageSettings,
    Target,
    stage,
)

_VECTOR_SIZE = 8
_OF_THE_SERVER: dict[str, Data] = {"alive": {}, "version": {"version": "0.0.0"}, "models.running": {"models": []}}


@stage("echo", response_writes=(TARGET_USED,), calls_next="never")
class Echo:
    """Says back what it was told, a word an event; the same request always gets the same answer.

    With `tool_choice` set to anything but none or auto it calls the first tool with no arguments. Embeddings are eight
    numbers made from a hash of the text. A word counts as a token. It is alive, of no version, and has nothing loaded.
    """

    class Settings(StageSettings):
        models: list[str] = Field(default=["echo"], description="The model names that are served.", min_length=1)

    def __init__(self, settings: Settings, host: Host) -> None:
        self._cards = [ModelCard(name, 0, "gatewright") for name in settings.models]

    async def models(self) -> list[ModelCard]:
        return self._cards

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        body = Body.of([*(Event(data) for data in self._answer(request)), END])
        return Response(body).with_slot(TARGET_USED, Target("echo", request.model))

    def _answer(self, request: Request) -> Iterator[Data]:
        if request.operation == "models.list":
            return iter([{"models": [_card(card) for card in self._cards]}])
        if request.operation in _OF_THE_SERVER:
            return iter([_OF_THE_SERVER[request.operation]])
        if request.operation.startswith("manage."):
            raise NotFound(f"An echo has nothing to {request.operation.removeprefix('manage.')}.")
        card = next((card for card in self._cards if card.id == request.model), None)
        if card is None:
            raise ModelNotFound(f"The model `{request.model}` does not exist.", param="model")
        if request.operation == "models.show":
            return iter([{"model": _card(card)}])
        if request.operation.startswith("embedding"):
            return iter([_embeddings(request.payload.get("input", request.payload.get("prompt")))])
        return _chat(request) if request.operation == "chat" else _completion(request)


def _card(card: ModelCard) -> Data:
    return {"id": card.id, "created": card.created, "owned_by": card.owned_by}


def _chat(request: Request) -> Iterator[Data]:
    tool = _first_tool(request.payload.get("tools"))
    if tool is not None and request.payload.get("tool_choice") not in (None, "none", "auto"):
        call = {"index": 0, "function": {"name": tool, "arguments": "{}"}}
        yield {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}
        yield {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}
        return
    messages = request.payload.get("messages") or [{}]
    said = _text(messages[-1].get("content"))
    words = _words(said)
    for word in words:
        yield {"choices": [{"index": 0, "delta": {"content": word}}]}
    yield {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield _usage(words)


def _first_tool(tools: Any) -> str | None:
    """Its name; None if there is none, or what was sent is no list of tools."""
    first = tools[0] if isinstance(tools, list) and tools else None
    function = first.get("function") if isinstance(first, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None


def _completion(request: Request) -> Iterator[Data]:
    words = _words(_text(request.payload.get("prompt")))
    for word in words:
        yield {"choices": [{"index": 0, "text": word}]}
    yield {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}
    yield _usage(words)


def _usage(words: list[str]) -> Data:
    return {"choices": [], "usage": {"prompt_tokens": len(words), "completion_tokens": len(words)}}


def _embeddings(given: Any) -> Data:
    # A list of token ids is one input, as a text is (protocol.md 2.7).
    several = isinstance(given, list) and not all(isinstance(item, int) for item in given)
    texts = given if several else [given]
    vectors = [[byte / 255 for byte in sha256(str(text).encode()).digest()[:_VECTOR_SIZE]] for text in texts]
    return {"data": [{"index": at, "embedding": vector} for at, vector in enumerate(vectors)]}


def _words(text: str) -> list[str]:
    """The words of `text`, each with the space before it, so that joining them gives the text back."""
    words = text.split(" ")
    return [word if at == 0 else f" {word}" for at, word in enumerate(words)]


def _text(content: Any) -> str:
    """The text of a message: a string, or the text parts of a list."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part["text"]) for part in parts if isinstance(part, dict) and "text" in part)
