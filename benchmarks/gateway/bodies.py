"""The bodies of requests, in both dialects, made once a run."""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Literal

import msgspec

from benchmarks.gateway.scenarios import Size

Dialect = Literal["openai", "ollama"]

CHAT_BYTES = 1_000
HISTORY_BYTES = 200_000
IMAGE_BYTES = 1_000_000

# As people write: mostly ASCII, now and then something that takes two to four bytes, or an escape in JSON.
_SAID = (
    'Could you look at the second paragraph again? It says "naïve", and I\'m not sure that is what we mean.\n'
    "The figures are from last week; 東京 has not answered yet. I'd rather not send it out like this 🙂. "
)
_ROLES = ("user", "assistant")


@lru_cache(maxsize=64)
def body(dialect: Dialect, size: Size, model: str, stream: bool, limit: int | None = None) -> bytes:
    """A chat request of about the given size, for at most `limit` tokens. The short fields come first, as clients write
    them."""
    head: dict[str, object] = {"model": model, "stream": stream}
    if dialect == "openai":
        head |= {"temperature": 0.7, "user": "bench"} | ({"max_tokens": limit} if limit else {})
    else:
        head |= {"options": {"temperature": 0.7} | ({"num_predict": limit} if limit else {})}
    messages = _history() if size == "history-200k" else _picture(dialect) if size == "image-1m" else _short(head)
    return msgspec.json.encode(head | {"messages": messages})


def _short(head: dict[str, object]) -> list[object]:
    said: list[object] = [{"role": "system", "content": "You are terse."}, {"role": "user", "content": ""}]
    missing = CHAT_BYTES - len(msgspec.json.encode(head | {"messages": said}))
    return [*said[:1], {"role": "user", "content": _words(missing)}]


def _history() -> list[object]:
    turn = _words(950)
    count = HISTORY_BYTES // len(msgspec.json.encode({"role": "assistant", "content": turn}))
    # An odd number: the last word has the user.
    return [{"role": _ROLES[at % 2], "content": turn} for at in range(count | 1)]


def _picture(dialect: Dialect) -> list[object]:
    data = base64.b64encode(bytes(range(256)) * (IMAGE_BYTES * 3 // 4 // 256)).decode()
    question = "What is this?"
    if dialect == "ollama":
        return [{"role": "user", "content": question, "images": [data]}]
    parts = [
        {"type": "text", "text": question},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
    ]
    return [{"role": "user", "content": parts}]


def _words(length: int) -> str:
    """Text whose JSON takes `length` bytes, but for the few by which the last character would not fit."""
    text = _SAID * (length // len(_SAID) + 1)
    while len(msgspec.json.encode(text)) - 2 > length:
        text = text[: len(text) - max(1, (len(msgspec.json.encode(text)) - 2 - length) // 4)]
    return text
