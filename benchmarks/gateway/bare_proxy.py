"""The bare proxy: the least that a gateway in Python does, on the same server and the same client as gatewright.

    python -m benchmarks.gateway.bare_proxy --port 8001 --origin-port 9000

One ASGI function. It hashes the key and looks it up, reads the top level of the body and nothing deeper, swaps the
model and relays what comes back. No chain, no dialect, no limits, no log, no errors of its own, no eye on the client.
What a gateway costs beyond it is what its features cost.
"""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any

import msgspec
import uvicorn

from benchmarks.gateway.agreed import ALIASES, CLIENT_KEY, ORIGIN_KEY
from pipeline import TransportOptions, UpstreamCall
from pipeline.adapters.garbage import collect_seldom
from pipeline.settings import ProcessSettings
from stages.upstreams.h1.transport import H1Transport

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

KEYS = {sha256(f"Bearer {CLIENT_KEY}".encode()).digest(): "bench"}
MODELS = {msgspec.json.encode(alias): msgspec.Raw(msgspec.json.encode(name)) for alias, name in ALIASES.items()}
HEADERS = (("authorization", f"Bearer {ORIGIN_KEY}"), ("content-type", "application/json"))
_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encoder = msgspec.json.Encoder()


def proxy(url: str) -> Callable[[dict[str, Any], Receive, Send], Awaitable[None]]:
    """The application that relays everything to `url`."""
    transport = H1Transport(TransportOptions())

    async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await transport.start()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await transport.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
        key = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if sha256(key).digest() not in KEYS:
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body"})
            return
        message = await receive()
        body = message["body"]
        if message["more_body"]:
            pieces = [body]
            while message["more_body"]:
                message = await receive()
                pieces.append(message["body"])
            body = b"".join(pieces)
        top = _decoder.decode(body)
        top["model"] = MODELS[bytes(top["model"])]
        answer = await transport.send(url, UpstreamCall("POST", "", _encoder.encode(top), HEADERS))
        kind, length = answer.headers.get("content-type", "") or "", answer.headers.get("content-length")
        headers = [(b"content-type", kind.encode())]
        source = answer.source
        piece = await source.next()
        if length is not None:  # a whole answer leaves in one piece
            headers.append((b"content-length", length.encode()))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if length is not None:
            pieces = []
            while piece is not None:
                pieces.append(piece)
                piece = await source.next()
            await send({"type": "http.response.body", "body": b"".join(pieces)})
            return
        while piece is not None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await source.next()
        await send({"type": "http.response.body"})

    return app


def main() -> None:
    """Serve with the settings of `gatewright serve`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--origin-port", type=int, required=True)
    args = parser.parse_args()
    settings = ProcessSettings(port=args.port)
    app = proxy(f"http://127.0.0.1:{args.origin_port}/v1/chat/completions")
    collect_seldom()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        interface="asgi3",
        access_log=False,
        log_level=settings.log_level,
        server_header=False,
        proxy_headers=False,
        backlog=settings.backlog,
        timeout_keep_alive=settings.keepalive_seconds,
        timeout_graceful_shutdown=settings.grace_seconds,
    )


if __name__ == "__main__":
    main()
