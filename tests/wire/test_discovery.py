"""What is served is found out in the background: without a request, and again when a model server comes back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.testing.wire import Wire, WireUpstream
from tests.wire.answers import sized
from tests.wire.documents import document
from tests.wire.in_loop import running
from tests.wire.raw_client import ask, request


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"  # the server in the loop is uvicorn, which is


class Listing:
    """An upstream whose list a test changes, or takes away."""

    def __init__(self) -> None:
        self.ids: list[str] | None = ["first"]

    async def __call__(self, wire: Wire) -> None:
        while True:
            await wire.request()
            if self.ids is None:
                await wire.send(sized(b'{"error": {"message": "down"}}', status="503 Service Unavailable"))
            else:
                await wire.send(sized(json.dumps({"data": [{"id": id} for id in self.ids]}).encode()))
            wire.answered()


def watched(url: str) -> dict[str, Any]:
    config = document(url, listed=True)
    config["resources"]["catalogues"]["names"]["refresh_seconds"] = 0.05
    return config


async def listed(port: int) -> list[str]:
    answer = await ask(port, request("GET", "/v1/models"))
    return [model["id"] for model in answer.json["data"]]


async def test_lists_are_fetched_without_a_request_and_kept_while_the_server_is_down(tmp_path: Path) -> None:
    listing = Listing()
    with WireUpstream(listing) as upstream:
        async with running(tmp_path, watched(upstream.url)) as gateway:
            await upstream.until(lambda seen: len(seen.requests) >= 3)
            assert await listed(gateway.port) == ["first"]
            listing.ids = None
            asked = len(upstream.seen.requests)
            await upstream.until(lambda seen: len(seen.requests) >= asked + 2)
            assert await listed(gateway.port) == ["first"], "an old list is better than none"
            listing.ids = ["second"]
            asked = len(upstream.seen.requests)
            await upstream.until(lambda seen: len(seen.requests) >= asked + 3)
            assert await listed(gateway.port) == ["second"]
        assert upstream.seen.requests, "and it stops with the gateway"
