"""What the client towards an upstream costs: CPU per request and per chunk, by lane and by number of connections.

    python benchmarks/transport.py                  # h1, httpx2, aiohttp where it is installed, and bare
    python benchmarks/transport.py --rounds 1 --seconds 0.5
    python benchmarks/transport.py --lanes h1 aiohttp --connections 64 --rounds 7

The server runs in a process of its own, on the other core where there is one, and does as little as it can. The figure
is the CPU time of this process alone (`time.process_time`: user and kernel), which a busy machine moves far less than
the time on the clock; the loop is uvloop, as in the gateway. Rounds are interleaved (h1, httpx2, aiohttp, h1, ...) and
each figure is the median of its rounds. "bare" is no HTTP client: it writes the request, counts the bytes of an answer
whose length it knows and looks at nothing, so it is what the loop, the kernel and TLS take of every other figure. "h1 x
aiohttp" is the ratio to aiohttp in the same rounds: the goal is at most 0.25 per request at 64 connections, and the
same cost at every number of connections. A request is a POST of 1,000 bytes answered by 1,152; a stream is 200 chunks
of 300 bytes, one write each; how many of them one read returns is the kernel's choice and the same for all. aiohttp is
not a dependency: without it its columns are left out.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import multiprocessing
import ssl
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import trustme
import uvloop

from benchmarks.gateway.servers import LOAD_CORE, PEER_CORE, pin
from pipeline import Transport, TransportOptions, UpstreamCall
from stages.upstreams.h1.transport import H1Transport
from stages.upstreams.httpx2_transport import Httpx2Transport

HOST = "localhost"
ASKED = b"x" * 1000
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1152\r\n\r\n" + b"y" * 1152
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNKS = 200
CHUNK = b"12c\r\n" + b"z" * 300 + b"\r\n"
LAST_CHUNK = b"0\r\n\r\n"
CONNECTIONS = (1, 16, 64, 256)
LANES = ("h1", "httpx2", "aiohttp", "bare")
Fetch = Callable[[str], Awaitable[int]]


class Server(asyncio.Protocol):
    """Reads a head and the 1,000 bytes after it; the path says what to answer."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._seen = b""

    def data_received(self, data: bytes) -> None:
        self._seen += data
        end = self._seen.find(b"\r\n\r\n")
        if end < 0 or len(self._seen) < end + 4 + len(ASKED):
            return
        stream, self._seen = self._seen.startswith(b"POST /stream"), b""
        if stream:
            self._transport.write(STREAM_HEAD)
            self._chunk(CHUNKS)
        else:
            self._transport.write(ANSWER)

    def _chunk(self, left: int) -> None:
        if left == 0:
            self._transport.write(LAST_CHUNK)
        elif not self._transport.is_closing():
            self._transport.write(CHUNK)
            asyncio.get_running_loop().call_soon(self._chunk, left - 1)


def serve(pipe: Connection, certificate: bytes) -> None:
    pin(LOAD_CORE)
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate)
        file.flush()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(file.name)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        plain = await loop.create_server(Server, HOST, 0, backlog=1024)
        secure = await loop.create_server(Server, HOST, 0, ssl=context, backlog=1024)
        pipe.send([server.sockets[0].getsockname()[1] for server in (plain, secure)])
        await asyncio.Event().wait()

    uvloop.run(main())


# -- the lanes --------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def lane(transport: Transport) -> AsyncIterator[Fetch]:
    async def fetch(url: str) -> int:
        answer = await transport.send(url, UpstreamCall("POST", "", ASKED, (("content-type", "application/json"),)))
        size = 0
        while (piece := await answer.source.next()) is not None:
            size += len(piece)
        return size

    await transport.start()
    try:
        yield fetch
    finally:
        await transport.stop()


@asynccontextmanager
async def aiohttp_lane(ca_file: str) -> AsyncIterator[Fetch]:
    import aiohttp  # type: ignore[import-not-found, unused-ignore]  # only measured where somebody installed it

    connector = aiohttp.TCPConnector(limit=1000, ssl=ssl.create_default_context(cafile=ca_file))
    async with aiohttp.ClientSession(connector=connector) as session:

        async def fetch(url: str) -> int:
            size = 0
            async with session.post(url, data=ASKED, headers={"content-type": "application/json"}) as answer:
                async for piece in answer.content.iter_any():
                    size += len(piece)
            return size

        yield fetch


class Bare(asyncio.Protocol):
    """One connection of the bare lane."""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left == 0:
            self._answered.set_result(None)

    async def ask(self, request: bytes, size: int) -> None:
        self._left = size
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        await self._answered


@asynccontextmanager
async def bare_lane(ca_file: str) -> AsyncIterator[Fetch]:
    context = ssl.create_default_context(cafile=ca_file)
    made: list[Bare] = []
    idle: list[Bare] = []
    head = b"POST /%b HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n"
    whole, stream = (head % what + ASKED for what in (b"whole", b"stream"))
    stream_size = len(STREAM_HEAD) + CHUNKS * len(CHUNK) + len(LAST_CHUNK)

    async def connection(url: str) -> Bare:
        address, tls = urlsplit(url), context if url.startswith("https") else None
        _, bare = await asyncio.get_running_loop().create_connection(Bare, HOST, address.port or 0, ssl=tls)
        made.append(bare)
        return bare

    async def fetch(url: str) -> int:
        bare = idle.pop() if idle else await connection(url)
        if url.endswith("/whole"):
            await bare.ask(whole, len(ANSWER))
        else:
            await bare.ask(stream, stream_size)
        idle.append(bare)
        return body_size(url)

    try:
        yield fetch
    finally:
        for bare in made:
            bare._transport.abort()


def body_size(url: str) -> int:
    return len(ANSWER.partition(b"\r\n\r\n")[2]) if url.endswith("/whole") else CHUNKS * 300


async def cost(fetch: Fetch, url: str, connections: int, seconds: float) -> float:
    """CPU microseconds for each exchange."""
    done = 0
    size = body_size(url)

    async def worker(end: float) -> None:
        nonlocal done
        while time.monotonic() < end:
            assert await fetch(url) == size
            done += 1

    await asyncio.gather(*(fetch(url) for _ in range(connections)))  # every connection is open before the clock runs
    begun = time.process_time()
    await asyncio.gather(*(worker(time.monotonic() + seconds) for _ in range(connections)))
    return (time.process_time() - begun) / done * 1e6


async def measure(ports: list[int], ca_file: str, args: argparse.Namespace) -> None:
    options = TransportOptions(ca_file=ca_file)
    opened: dict[str, Callable[[], Any]] = {
        "h1": lambda: lane(H1Transport(options)),
        "httpx2": lambda: lane(Httpx2Transport(options)),
        "aiohttp": lambda: aiohttp_lane(ca_file),
        "bare": lambda: bare_lane(ca_file),
    }
    lanes: list[str] = args.lanes
    if "aiohttp" in lanes and importlib.util.find_spec("aiohttp") is None:
        print("aiohttp is not installed: its columns are left out")
        lanes.remove("aiohttp")
    others = [name for name in lanes if name not in ("h1", "bare")] if "h1" in lanes else []
    print(f"CPU microseconds of the client, medians of {args.rounds} interleaved rounds of {args.seconds} s")
    print(f"{'':26}" + "".join(f"{name:>12}" for name in lanes) + "".join(f"{'h1 x ' + name:>14}" for name in others))
    for scheme, port in zip(("http", "https"), ports, strict=True):
        for what, per in (("whole", 1), ("stream", CHUNKS)):
            for connections in args.connections:
                figures: dict[str, list[float]] = {name: [] for name in lanes}
                for _ in range(args.rounds):
                    for name in lanes:
                        async with opened[name]() as fetch:
                            url = f"{scheme}://{HOST}:{port}/{what}"
                            figures[name].append(await cost(fetch, url, connections, args.seconds) / per)
                medians = {name: statistics.median(values) for name, values in figures.items()}
                label = f"{scheme} {'request' if per == 1 else 'chunk'}, {connections} conn."
                row = "".join(f"{value:12.1f}" for value in medians.values())
                row += "".join(f"{medians['h1'] / medians[name]:14.2f}" for name in others)
                print(f"{label:26}{row}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=1.0, help="per round and figure (default: %(default)s)")
    parser.add_argument("--lanes", nargs="+", choices=LANES, default=list(LANES), metavar="LANE", help="of %(choices)s")
    parser.add_argument("--connections", nargs="+", type=int, default=list(CONNECTIONS), metavar="N")
    args = parser.parse_args()
    authority = trustme.CA()
    ours, theirs = multiprocessing.Pipe()
    certificate = authority.issue_cert(HOST).private_key_and_cert_chain_pem.bytes()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, certificate), daemon=True)
    server.start()
    ports: list[int] = ours.recv()
    pin(PEER_CORE)
    with tempfile.TemporaryDirectory() as folder:
        ca_file = Path(folder) / "ca.pem"
        authority.cert_pem.write_to_path(str(ca_file))
        uvloop.run(measure(ports, str(ca_file), args))
    server.terminate()


if __name__ == "__main__":
    main()
