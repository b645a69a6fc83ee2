"""An upstream that does exactly what a script says, on a real socket, and remembers what was done to it.

It runs asyncio in a thread of its own, so that the loop under test (asyncio or trio) holds nothing but what is tested,
and a gateway in another process can call it too. The n-th connection plays the n-th script, and the last script is
played by all that follow.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

import anyio.to_thread

from pipeline.testing.wire.connection import Gone, Script, Seen, Wire

HOST = "127.0.0.1"
PATIENCE_SECONDS = 20.0


class Gate:
    """Closed until a test opens it, from whichever thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._event = asyncio.Event()

    def open(self) -> None:
        self._loop.call_soon_threadsafe(self._event.set)

    async def passed(self) -> None:
        await self._event.wait()


class WireUpstream:
    """A context manager; listening from construction to exit, on TCP or on the Unix socket `uds`.

    `seen` may be read from any thread.
    """

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None, uds: str | None = None) -> None:
        self.seen = Seen()
        self.failures: list[BaseException] = []
        self.scripts = list(scripts)
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="scripted upstream", daemon=True)
        self._thread.start()
        if uds is not None:
            self._server = self._call(asyncio.start_unix_server(self._accepted, uds))
            self.port = 0
        else:
            self._server = self._call(asyncio.start_server(self._accepted, HOST, 0, ssl=tls, backlog=1024))
            self.port = int(self._server.sockets[0].getsockname()[1])
        self.url = f"{'https' if tls else 'http'}://{HOST}:{self.port}"

    def gate(self) -> Gate:
        return Gate(self._loop)

    def wait_for(self, true: Callable[[Seen], object]) -> None:
        """Block until `true(seen)`."""
        with self.seen.changed:
            if not self.seen.changed.wait_for(lambda: true(self.seen), PATIENCE_SECONDS):
                raise AssertionError(f"did not happen at the upstream: {self.seen}")

    async def until(self, true: Callable[[Seen], object]) -> None:
        """`wait_for` from an event loop."""
        await anyio.to_thread.run_sync(self.wait_for, true)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()
        if self.failures and value is None:
            raise self.failures[0]

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_SECONDS)

    async def _stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with self.seen.changed:
            number = self.seen.connections
            self.seen.connections += 1
            self.seen.open += 1
            self.seen.changed.notify_all()
        aborted = False
        wire = Wire(self.seen, number, reader, writer)
        try:
            await self.scripts[min(number, len(self.scripts) - 1)](wire)
        except Gone:
            aborted = not wire.idle
        except asyncio.CancelledError:
            # The upstream stops; this is the top of the task. No waiting for the peer's half of a TLS farewell: its
            # loop may be the one that waits for us.
            writer.transport.abort()
        except Exception as error:
            self.failures.append(error)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            self._tasks.discard(task)
            with self.seen.changed:
                self.seen.open -= 1
                self.seen.aborts += aborted
                self.seen.changed.notify_all()
