"""The origin: a model server that does next to nothing, in OpenAI's and in Ollama's dialect.

    python -m benchmarks.gateway.origin --port 9000

It refuses nothing and checks no key. The model's name decides what comes back (see `answers`), the field `stream`
whether it comes as a stream, with each dialect's own default, and the limit on tokens, if there is one, how many chunks
a stream has. It shares a core with the load, so whatever it costs slows the load and not what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import re
import time
from typing import cast

import httptools
import msgspec
import uvloop

from benchmarks.gateway import answers

BACKLOG = 4096
_MODEL = re.compile(rb'"model": ?"([^"]*)"')
_STREAM = re.compile(rb'"stream": ?(true|false)')
_LIMIT = re.compile(rb'"(?:max_tokens|max_completion_tokens|num_predict)": ?(\d+)')
_EDGE = 2048  # where the short fields of a request stand; between the edges there are only messages


class Origin:
    """The prepared answers of one server."""

    def __init__(self) -> None:
        models = answers.MODELS
        self.wholes = {
            b"/v1/chat/completions": {m.encode(): answers.answer(answers.openai_whole(m)) for m in models},
            b"/api/chat": {m.encode(): answers.answer(answers.ollama_whole(m)) for m in models},
        }
        self.streams = {
            b"/v1/chat/completions": {m.encode(): answers.openai_stream(m) for m in models},
            b"/api/chat": {m.encode(): answers.ollama_stream(m) for m in models},
        }
        self.bursts = {
            path: {model: parts.burst(answers.CHUNKS) for model, parts in of.items()}
            for path, of in self.streams.items()
        }
        self.intervals = {model.encode(): 1 / rate for model, rate in answers.CHUNKS_PER_SECOND.items()}
        self.others = {path: answers.answer(msgspec.json.encode(body)) for path, body in _questions().items()}


class Connection(asyncio.Protocol):
    """One connection of a gateway, or of a client."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._body: list[bytes] = []
        self._next: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._next is not None:
            self._next.cancel()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._path = url

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        path, origin = self._path, self._origin
        body, self._body = b"".join(self._body), []
        if path not in origin.wholes:
            self._transport.write(origin.others.get(path) or _refusal(b"404 Not Found"))
            return
        edges = body if len(body) <= 2 * _EDGE else body[:_EDGE] + body[-_EDGE:]
        named = _MODEL.search(edges) or _MODEL.search(body)
        model = named[1] if named else b""
        said = _STREAM.search(edges)
        if model not in origin.wholes[path]:
            self._transport.write(_refusal(b"404 Not Found"))
        elif not (said[1] == b"true" if said else path == b"/api/chat"):
            self._transport.write(origin.wholes[path][model])
        else:
            limit = _LIMIT.search(edges)
            self._stream(path, model, int(limit[1]) if limit else answers.CHUNKS)

    def _stream(self, path: bytes, model: bytes, chunks: int) -> None:
        origin, parts = self._origin, self._origin.streams[path][model]
        if model in origin.intervals:
            self._pace(parts, origin.intervals[model], chunks)
        else:
            self._transport.write(origin.bursts[path][model] if chunks == answers.CHUNKS else parts.burst(chunks))

    def _pace(self, parts: answers.StreamParts, interval_seconds: float, chunks: int) -> None:
        transport, call_at = self._transport, self._loop.call_at
        before, after, begun = parts.before, parts.after, self._loop.time()
        last = chunks - 1

        def send(at: int, head: bytes = b"") -> None:
            if at == last:
                self._next = None
                transport.write(b"%b%b%020d%b%b" % (head, before, time.monotonic_ns(), after, parts.end))
            else:
                # Each chunk's time is counted from the first, so a late one does not make all others late.
                self._next = call_at(begun + (at + 1) * interval_seconds, send, at + 1)
                transport.write(b"%b%b%020d%b" % (head, before, time.monotonic_ns(), after))

        send(0, parts.head)


def _refusal(status: bytes) -> bytes:
    body = b'{"error":{"message":"The origin knows no such thing.","type":"invalid_request_error"}}'
    head = b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return head % (status, len(body)) + body


def _questions() -> dict[bytes, object]:
    """What is answered to questions about models, by path."""
    openai = [{"id": m, "object": "model", "created": 1_764_000_000, "owned_by": "bench"} for m in answers.MODELS]
    details = {"format": "gguf", "family": "bench", "parameter_size": "1B", "quantization_level": "Q8_0"}
    card = {"modified_at": "2025-11-24T16:00:00Z", "size": 1_000_000, "digest": "0" * 64, "details": details}
    ollama = [{"name": m, "model": m} | card for m in answers.MODELS]
    return {
        b"/v1/models": {"object": "list", "data": openai},
        b"/api/tags": {"models": ollama},
        b"/api/ps": {"models": []},
        b"/api/show": {"details": details, "model_info": {}, "capabilities": ["completion", "tools", "vision"]},
        b"/api/version": {"version": "0.13.0"},
    }


async def listen(origin: Origin, port: int) -> asyncio.Server:
    """Serve on 127.0.0.1; port 0 takes a free one."""
    return await asyncio.get_running_loop().create_server(
        lambda: Connection(origin), "127.0.0.1", port, backlog=BACKLOG
    )


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    args = parser.parse_args()

    origin = Origin()

    async def serve() -> None:
        await (await listen(origin, args.port)).serve_forever()

    gc.freeze()  # the prepared answers need no looking through: a collection would delay chunks
    uvloop.run(serve())


if __name__ == "__main__":
    main()
