"""Answers that scripted upstreams give, and the scripts that give them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pipeline.testing.wire import Received, Script, Wire

MODEL = "scripted"


def sized(body: bytes, *, status: str = "200 OK", content_type: str = "application/json", extra: bytes = b"") -> bytes:
    """A response with a Content-Length."""
    head = f"HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + extra + b"\r\n" + body


def chunked_head(content_type: str = "text/event-stream", *, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n".encode()


def chunk(data: bytes) -> bytes:
    """One chunk of the chunked transfer coding; the last one for no data."""
    return b"%x\r\n%s\r\n" % (len(data), data)


LAST_CHUNK = chunk(b"")


def event(data: object) -> bytes:
    """One server-sent event."""
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


def delta(text: str | None = None, *, finish: str | None = None, index: int = 0) -> dict[str, Any]:
    """A chat chunk that says `text`, or ends the choice."""
    said: dict[str, Any] = {} if text is None else {"content": text}
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": MODEL,
        "choices": [{"index": index, "delta": said, "finish_reason": finish}],
    }


def chat_answer(text: str = "Hello.") -> dict[str, Any]:
    """A whole chat answer."""
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion",
        "created": 1700000000,
        "model": MODEL,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }


def chat_stream(*texts: str) -> bytes:
    """The body of a complete stream."""
    return b"".join(event(delta(text)) for text in texts) + event(delta(finish="stop")) + DONE


def whole(text: str = "Hello.") -> bytes:
    """The response with a whole chat answer."""
    return sized(json.dumps(chat_answer(text)).encode())


def streamed(*texts: str) -> bytes:
    """The response with a complete stream, one chunk for all."""
    return chunked_head() + chunk(chat_stream(*texts)) + LAST_CHUNK


def always(response: bytes | Callable[[Received], bytes]) -> Script:
    """Answer every request on the connection with `response`, and keep the connection."""

    async def script(wire: Wire) -> None:
        while True:
            request = await wire.request()
            await wire.send(response if isinstance(response, bytes) else response(request))
            wire.answered()

    return script


def once(response: bytes) -> Script:
    """Answer one request and close."""

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(response)
        wire.answered()

    return script


def then_stale(response: bytes) -> Script:
    """Answer one request, then read the next one and close without a word: a connection gone stale."""

    async def script(wire: Wire) -> None:
        await wire.request()
        await wire.send(response)
        await wire.request()

    return script


async def silent(wire: Wire) -> None:
    """Read the request and never answer."""
    await wire.request()
    await wire.hold()


def then_hold(*pieces: bytes) -> Script:
    """Read the request, send `pieces`, and then be silent."""

    async def script(wire: Wire) -> None:
        await wire.request()
        for piece in pieces:
            await wire.send(piece)
        await wire.hold()

    return script
