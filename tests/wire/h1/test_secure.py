"""TLS is verified: the name, the authority, our own certificate, the signed end. And Unix sockets."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from pathlib import Path

import anyio
import pytest
import trustme

from pipeline import InternalError, SettingsError, TransportOptions, UpstreamInterrupted, UpstreamUnavailable
from pipeline.testing.wire import HOST, Wire
from stages.upstreams.h1.transport import H1Transport
from tests.wire.answers import always, once
from tests.wire.h1.lane import ASK, OK, Upstream, fetch, pool_of, read, started

UNTIL_THE_END = b"HTTP/1.1 200 OK\r\n\r\nbody"
AUTHORITY = trustme.CA()


def serving(name: str = HOST, *, wants: trustme.CA | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert(name).configure_cert(context)
    if wants is not None:
        wants.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(path))
    return str(path)


async def test_a_private_authority_is_trusted_when_it_is_named_and_the_connection_reused(ca_file: str) -> None:
    with Upstream(always(OK), tls=serving()) as upstream:
        async with started(ca_file=ca_file) as transport:
            for _ in range(3):
                assert await fetch(transport, upstream.url) == b"ok"
        assert upstream.seen.connections == 1


async def test_an_unknown_authority_is_refused() -> None:
    with Upstream(always(OK), tls=serving()) as upstream:
        async with started() as transport:
            with pytest.raises(UpstreamUnavailable, match="could not be connected"):
                await fetch(transport, upstream.url)
            assert pool_of(transport).places == 0
        assert upstream.seen.requests == []


async def test_a_certificate_for_another_name_is_refused(ca_file: str) -> None:
    with Upstream(always(OK), tls=serving("elsewhere.example")) as upstream:
        async with started(ca_file=ca_file) as transport:
            with pytest.raises(UpstreamUnavailable) as caught:
                await fetch(transport, upstream.url)
            assert "mismatch" in (caught.value.detail or "")
        assert upstream.seen.requests == []


async def test_the_host_is_named_in_the_handshake(ca_file: str) -> None:
    """SNI (RFC 6066 3): an address that serves several names shows the certificate of the one asked for."""
    named: list[str | None] = []
    context = serving("localhost")
    context.sni_callback = lambda _socket, name, _context: named.append(name)
    with Upstream(always(OK), tls=context) as upstream:
        async with started(ca_file=ca_file) as transport:
            assert await fetch(transport, upstream.url.replace(HOST, "localhost")) == b"ok"
    assert named == ["localhost"]


async def test_our_certificate_is_shown_to_an_upstream_that_wants_one(ca_file: str, tmp_path: Path) -> None:
    ours = tmp_path / "ours.pem"
    clients = trustme.CA()
    clients.issue_cert("gateway.example").private_key_and_cert_chain_pem.write_to_path(str(ours))
    with Upstream(always(OK), tls=serving(wants=clients)) as upstream:
        async with started(ca_file=ca_file, cert_file=str(ours)) as transport:
            assert await fetch(transport, upstream.url) == b"ok"
        async with started(ca_file=ca_file) as transport:
            with pytest.raises(UpstreamUnavailable):
                await fetch(transport, upstream.url)


async def test_a_signed_end_completes_a_body_that_the_connection_delimits(ca_file: str) -> None:
    with Upstream(once(UNTIL_THE_END), tls=serving()) as upstream:
        async with started(ca_file=ca_file) as transport:
            assert await fetch(transport, upstream.url) == b"body"


async def test_an_end_that_nobody_signed_does_not(ca_file: str) -> None:
    """RFC 9112 9.8: whoever is on the way can close the TCP connection under TLS, and so cut the body."""

    async def cut_below_tls(wire: Wire) -> None:
        await wire.request()
        await wire.send(UNTIL_THE_END)
        raw = wire._writer.get_extra_info("socket")
        with socket.socket(fileno=os.dup(raw.fileno())) as below:
            below.shutdown(socket.SHUT_WR)
        await wire.hold()

    with Upstream(cut_below_tls, tls=serving()) as upstream:
        async with started(ca_file=ca_file) as transport:
            answer = await transport.send(upstream.url, ASK)
            with pytest.raises(UpstreamInterrupted):
                await read(answer)


async def test_a_unix_socket_is_used_instead_of_the_host(tmp_path: Path) -> None:
    path = str(tmp_path / "upstream.sock")
    said: list[bytes] = []
    left = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(OK)
        await reader.read()
        writer.close()
        await writer.wait_closed()
        left.set()

    server = await asyncio.start_unix_server(answer, path)
    async with started(uds=path) as transport:
        assert await read(await transport.send("http://upstream.example/v1", ASK)) == b"ok"
    await left.wait()
    server.close()
    assert said[0].startswith(b"POST /v1 HTTP/1.1\r\nhost: upstream.example\r\n")


async def test_a_unix_socket_that_is_not_there_is_a_typed_error(tmp_path: Path) -> None:
    async with started(uds=str(tmp_path / "none.sock")) as transport:
        with pytest.raises(UpstreamUnavailable):
            await transport.send("http://upstream.example/v1", ASK)


@pytest.mark.parametrize("option", [{"http2": True}, {"proxy": "http://127.0.0.1:1"}])
async def test_what_this_lane_cannot_do_is_refused_when_it_is_made(option: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="httpx2"):
        H1Transport(TransportOptions(**option))  # type: ignore[arg-type]  # one of the two options


def test_trio_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsError, match="httpx2"):
        anyio.run(H1Transport(TransportOptions()).start, backend="trio")


async def test_a_transport_made_without_tls_sends_nothing_in_plain_instead() -> None:
    with Upstream(always(OK), tls=serving()) as upstream:
        async with started(tls=False) as transport:
            with pytest.raises(InternalError):
                await fetch(transport, upstream.url)
        assert upstream.seen.connections == 0
