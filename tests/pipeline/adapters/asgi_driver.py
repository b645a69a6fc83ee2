"""An ASGI server reduced to what a test decides: what is received and when, and what was sent. Runs on both loops."""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from typing import Any

import anyio

from pipeline import GatewayApp

Message = MutableMapping[str, Any]


class Client:
    """One request. It stays until `leave` is called; `leave_at` leaves when that many messages have been sent."""

    def __init__(self, body: bytes = b"", *, leave_at: int | None = None, complete: bool = True) -> None:
        self.sent: list[Message] = []
        self._messages: list[Message] = [{"type": "http.request", "body": body, "more_body": not complete}]
        self._left = anyio.Event()
        self._leave_at = leave_at

    def leave(self) -> None:
        self._left.set()

    async def receive(self) -> Message:
        if self._messages:
            return self._messages.pop(0)
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if self._leave_at is not None and len(self.sent) >= self._leave_at:
            self.leave()
        await anyio.lowlevel.checkpoint()

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def scope(method: str = "POST", path: str = "/v1/chat/completions", **more: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "http_version": "1.1",
        "headers": [(b"host", b"localhost")],
        **more,
    }


def chat(text: str = "one two three", *, stream: bool = False, model: str = "echo") -> bytes:
    payload = {"model": model, "stream": stream, "messages": [{"role": "user", "content": text}]}
    return json.dumps(payload).encode()


async def ask(app: GatewayApp, client: Client, **given: Any) -> Client:
    """Run one request to its end."""
    await app(scope(**given), client.receive, client.send)
    return client
