"""A scripted upstream that speaks as Ollama 0.33 does, which is newer than any that packages bring.

What it adds to the genuine server beside it (0.9.3): thinking with levels, ids of tool calls, several calls at once,
log probabilities, capabilities in the list, and the ways in which a stream goes wrong. A test says the lines; a request
that wants no stream gets the object that a server of that version would make of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipeline.testing.wire import Received, Wire, WireUpstream
from tests.wire.answers import LAST_CHUNK, chunk, chunked_head, sized

THINKER, PLAIN = "thinker", "plain"
CREATED = 1767323045
VERSION = "0.33.0"

Line = dict[str, Any]


def line(content: str = "", *, logprobs: list[dict[str, Any]] | None = None, **message: Any) -> Line:
    """One line of a chat stream; `message` may hold thinking and tool_calls."""
    said = {"role": "assistant", "content": content, **message}
    named = {"model": THINKER, "created_at": "2026-01-02T03:04:05.912345678Z", "message": said, "done": False}
    return named if logprobs is None else {**named, "logprobs": logprobs}


def done(content: str = "", reason: str | None = "stop", **message: Any) -> Line:
    """The last line, which may say something too."""
    counts = {"total_duration": 900, "load_duration": 100, "prompt_eval_count": 7, "prompt_eval_duration": 300}
    ended = {"done": True, **({} if reason is None else {"done_reason": reason})}
    return {**line(content, **message), **ended, **counts, "eval_count": 9, "eval_duration": 500}


def call(name: str, arguments: dict[str, Any], *, id: str | None = None, index: int = 0) -> dict[str, Any]:
    made = {"function": {"index": index, "name": name, "arguments": arguments}}
    return made if id is None else {"id": id, **made}


def error(message: str) -> Line:
    return {"error": message}


def whole(lines: tuple[Line, ...]) -> bytes:
    """The answer to `stream: false`: everything added up, and a status of its own for an error."""
    last = lines[-1]
    if "error" in last:
        return sized(json.dumps(last).encode(), status="500 Internal Server Error")
    messages = [each["message"] for each in lines]
    said: dict[str, Any] = {"role": "assistant", "content": "".join(message["content"] for message in messages)}
    if thinking := "".join(message.get("thinking", "") for message in messages):
        said["thinking"] = thinking
    if calls := [each for message in messages for each in message.get("tool_calls", [])]:
        said["tool_calls"] = calls
    logprobs = [each for one in lines for each in one.get("logprobs", [])]
    answer = {**last, "message": said, **({"logprobs": logprobs} if logprobs else {})}
    return sized(json.dumps(answer).encode(), content_type="application/json; charset=utf-8")


def streamed(lines: tuple[Line, ...], *, newline: bool = True) -> bytes:
    """A chunk a line, and the transfer's regular end, which says nothing about the answer's."""
    texts = [json.dumps(each, ensure_ascii=False).encode() + b"\n" for each in lines]
    if not newline:
        texts[-1] = texts[-1].rstrip()
    return chunked_head("application/x-ndjson") + b"".join(chunk(text) for text in texts) + LAST_CHUNK


class NewerOllama:
    """`says` sets what the next chats are answered with; `asked` is the last chat as it came."""

    def __init__(self) -> None:
        self.lines: tuple[Line, ...] = (done("Hello."),)
        self.newline = True
        self.upstream = WireUpstream(self._script)

    def says(self, *lines: Line, newline: bool = True) -> None:
        self.lines, self.newline = lines, newline

    @property
    def asked(self) -> dict[str, Any]:
        body = [request.body for request in self.upstream.seen.requests if request.target == "/api/chat"][-1]
        return dict(json.loads(body))

    async def _script(self, wire: Wire) -> None:
        while True:
            await wire.send(self._answer(await wire.request()))
            wire.answered()

    def _answer(self, request: Received) -> bytes:
        match request.target:
            case "/api/chat" if json.loads(request.body)["stream"]:
                return streamed(self.lines, newline=self.newline)
            case "/api/chat":
                return whole(self.lines)
            case "/api/version":
                return sized(json.dumps({"version": VERSION}).encode())
            case "/api/tags":
                return sized(json.dumps({"models": [model(THINKER, "thinking"), model(PLAIN)]}).encode())
            case "/api/ps":
                return sized(b'{"models":[]}')
            case _:
                return sized(error_body(request), status="404 Not Found")


def error_body(request: Received) -> bytes:
    return json.dumps(error(f"not part of the script: {request.method} {request.target}")).encode()


def model(name: str, *more: str) -> dict[str, Any]:
    """An entry of the list; since 0.30 it tells the capabilities."""
    details = {"parent_model": "", "format": "gguf", "family": "toy", "families": ["toy"], "context_length": 4096}
    full = f"{name}:latest"
    return {
        "name": full,
        "model": full,
        "modified_at": "2026-01-01T00:00:00.5+02:00",
        "size": 1,
        "digest": name.encode().hex().ljust(64, "0"),
        "details": {**details, "parameter_size": "1B", "quantization_level": "Q4_K_M"},
        "capabilities": ["completion", "tools", *more],
    }


@contextmanager
def newer_ollama() -> Iterator[NewerOllama]:
    newer = NewerOllama()
    with newer.upstream:
        yield newer
