"""A gateway under uvicorn inside the test's own event loop, where its tasks and pool slots can be counted.

asyncio only, because uvicorn is. The server is configured as `gatewright serve` configures it.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn

from pipeline import Pipeline
from pipeline.adapters.asgi import GatewayApp
from pipeline.build import build_file
from pipeline.testing.wire import HOST
from tests.wire import documents
from tests.wire.lanes import slots_in_use

PATIENCE_SECONDS = 20.0


class _Server(uvicorn.Server):
    """uvicorn with two events in place of its polling."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self.leave = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.leave.wait()


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[int]:
    """`app` on a free port; yields the port."""
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    listener = socket.create_server((HOST, 0), backlog=1024)
    server = _Server(config)
    running = asyncio.create_task(server.serve([listener]))
    started = asyncio.create_task(server.ready.wait())
    await asyncio.wait((running, started), return_when=asyncio.FIRST_COMPLETED)
    started.cancel()
    try:
        yield listener.getsockname()[1]
    finally:
        server.leave.set()
        await running
        listener.close()


class Gateway:
    """A running gateway and what it wrote."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.port = 0
        self.pipeline: Pipeline
        self._written = asyncio.Event()
        self._at_rest: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/v1"

    @property
    def slots(self) -> int:
        """Requests that hold a place in the upstream's connection pool."""
        upstream: Any = self.pipeline.host.upstream("up")
        return slots_in_use(upstream._transport)

    def write(self, line: dict[str, Any]) -> None:
        self.lines.append(dict(line))
        self._written.set()

    async def line(self, id: str) -> dict[str, Any]:
        """The access line of that request, waited for; fails if there is another one."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := [line for line in self.lines if line["request_id"] == id]):
                self._written.clear()
                await self._written.wait()
        assert len(found) == 1
        return found[0]

    async def wrote(self, count: int) -> None:
        """Wait for that many lines in all."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.lines) < count:
                self._written.clear()
                await self._written.wait()

    def remember_tasks(self) -> None:
        self._at_rest = asyncio.all_tasks()

    async def no_task_left(self) -> None:
        """Every task that began since `remember_tasks` ends by itself."""
        while new := asyncio.all_tasks() - self._at_rest:
            _, pending = await asyncio.wait(new, timeout=PATIENCE_SECONDS)
            assert not pending


@asynccontextmanager
async def running(folder: Path, content: dict[str, Any], **options: Any) -> AsyncIterator[Gateway]:
    """The gateway of this document. At the end: one line for each request, and no key and no prompt in any of them."""
    gateway = Gateway()
    gateway.pipeline = build_file(documents.write(folder, content), access=gateway.write, **options)
    async with serving(GatewayApp(gateway.pipeline)) as gateway.port:
        yield gateway
    ids = [line["request_id"] for line in gateway.lines]
    assert len(ids) == len(set(ids)), "a request has two access lines"
    written = json.dumps(gateway.lines)
    assert not [canary for canary in documents.CANARIES if canary in written]
