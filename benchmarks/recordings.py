"""Answers of a model server, as bytes in memory: streams of each dialect, one frame an item, and whole answers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pipeline import Data

WORDS = ("The", " gate", "way", " relays", " what", " it", " reads", ",", " naïve", "ly", ".", "\n\n")

_OPENAI_HEAD = {
    "id": "chatcmpl-CcTf0mXGXjzGq3bV4m1Qk0y2pLw9s",
    "object": "chat.completion.chunk",
    "created": 1760000000,
    "model": "gpt-5-mini-2025-08-07",
    "service_tier": "default",
    "system_fingerprint": None,
}
_OLLAMA_HEAD = {"model": "llama3.2:3b", "created_at": "2026-11-22T10:15:30.123456789Z"}
_OLLAMA_COUNTS = {
    "total_duration": 4_883_583_458,
    "load_duration": 1_334_875,
    "prompt_eval_count": 26,
    "prompt_eval_duration": 342_546_000,
    "eval_count": 282,
    "eval_duration": 4_535_599_000,
}


def openai_stream(events: int) -> list[bytes]:
    """As sent with `include_usage`: the role, words of about 320 bytes a frame, how it ended, the marker."""
    said = [{"role": "assistant", "content": ""}, *({"content": WORDS[at % len(WORDS)]} for at in range(events - 3))]
    chunks = [_openai_chunk(delta, None) for delta in said] + [_openai_chunk({}, "stop")]
    return [*(b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks), b"data: [DONE]\n\n"]


def ollama_stream(events: int) -> list[bytes]:
    """Words of about 130 bytes a line, and the line with how it ended and the counts."""
    said = [_ollama_line(WORDS[at % len(WORDS)], done=False) for at in range(events - 1)]
    last = {**_ollama_line("", done=True), "done_reason": "stop", **_OLLAMA_COUNTS}
    return [msgspec.json.encode(line) + b"\n" for line in [*said, last]]


def openai_whole(size: int) -> bytes:
    """An answer whose text has `size` bytes."""
    text = "".join(WORDS) * (size // len("".join(WORDS).encode()))
    message: Data = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    usage = {"prompt_tokens": 19, "completion_tokens": size // 4, "total_tokens": 19 + size // 4}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return msgspec.json.encode({**_OPENAI_HEAD, "object": "chat.completion", "choices": [choice], "usage": usage})


def reads(frames: Sequence[bytes], frames_in_a_read: int) -> list[bytes]:
    """The same bytes as fewer pieces: what a fast upstream or a slow client makes of them."""
    return [b"".join(frames[at : at + frames_in_a_read]) for at in range(0, len(frames), frames_in_a_read)]


def _openai_chunk(delta: Data, finish_reason: str | None) -> Data:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {**_OPENAI_HEAD, "choices": [choice], "usage": None, "obfuscation": "k3Xw9aQ"}


def _ollama_line(text: str, *, done: bool) -> Data:
    return {**_OLLAMA_HEAD, "message": {"role": "assistant", "content": text}, "done": done}
