"""What a transport may not do: remember cookies, follow redirects, ask the environment, trust a stranger's certificate.

Each of these is a way for one tenant's request, or the machine's settings, to reach into another tenant's answer.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx  # noqa: TID251 - the test that an embedder's plain httpx transport may be plugged in
import httpx2
import pytest
import trustme

from pipeline import SettingsError, TransportOptions, UpstreamInterrupted, UpstreamUnavailable
from pipeline.testing.wire import HOST, WireUpstream
from stages.upstreams.httpx2_transport import Httpx2Transport
from tests.wire.answers import LAST_CHUNK, always, chunk, chunked_head, once, sized, then_stale
from tests.wire.lanes import ASK, LANES, every_lane, read, slots_in_use, started

OK = sized(b'{"ok": true}')


@every_lane
async def test_a_cookie_is_never_sent_back(lane: str) -> None:
    with WireUpstream(always(sized(b"{}", extra=b"set-cookie: session=canary; Path=/\r\n"))) as upstream:
        async with started(lane) as transport:
            for _ in range(2):
                await read(await transport.send(upstream.url, ASK))
        assert [request.header("cookie") for request in upstream.seen.requests] == [None, None]


@every_lane
async def test_a_redirect_is_an_answer_and_is_not_followed(lane: str) -> None:
    with WireUpstream(always(OK)) as elsewhere:
        location = f"location: {elsewhere.url}/\r\n".encode()
        redirect = sized(b"", status="307 Temporary Redirect", extra=location)
        with WireUpstream(always(redirect)) as upstream:
            async with started(lane) as transport:
                answer = await transport.send(upstream.url, ASK)
                await read(answer)
        assert answer.status == 307
        assert elsewhere.seen.connections == 0


@every_lane
async def test_a_proxy_in_the_environment_is_not_asked(lane: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with WireUpstream(always(sized(b"from the proxy"))) as proxy, WireUpstream(always(OK)) as upstream:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.lower(), proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        async with started(lane) as transport:
            assert await read(await transport.send(upstream.url, ASK)) == b'{"ok": true}'
        assert proxy.seen.connections == 0


async def test_a_proxy_that_is_named_is_asked_and_nothing_is_sent_twice() -> None:
    """Behind a proxy nobody can tell a stale connection from a lost request, so the caller decides."""
    with WireUpstream(then_stale(OK), always(OK)) as proxy:
        async with started("httpx2", proxy=proxy.url) as transport:
            assert await read(await transport.send("http://model.example/v1/models", ASK)) == b'{"ok": true}'
            with pytest.raises(UpstreamUnavailable):
                await transport.send("http://model.example/v1/models", ASK)
            assert slots_in_use(transport) == 0
        assert [request.target for request in proxy.seen.requests] == ["http://model.example/v1/models"] * 2


@every_lane
async def test_a_unix_socket_is_an_upstream_too(lane: str, tmp_path: Path) -> None:
    path = str(tmp_path / "model.sock")
    with WireUpstream(then_stale(OK), always(OK), uds=path) as upstream:
        async with started(lane, uds=path) as transport:
            for _ in range(2):
                assert await read(await transport.send("http://localhost/v1/models", ASK)) == b'{"ok": true}'
        assert upstream.seen.connections == 2


@every_lane
async def test_nothing_is_sent_but_what_was_given_and_what_http_needs(lane: str) -> None:
    with WireUpstream(always(OK)) as upstream:
        async with started(lane) as transport:
            await read(await transport.send(upstream.url + "/v1/chat/completions", ASK))
        (request,) = upstream.seen.requests
    assert (request.method, request.target, request.body) == ("POST", "/v1/chat/completions", ASK.body)
    fields = {name.lower(): value for name, value in request.headers}
    assert fields.pop("host") == f"{HOST}:{upstream.port}"
    assert fields.pop("content-length") == str(len(ASK.body))
    fields.pop("connection", None)
    assert fields == {"content-type": "application/json", "accept-encoding": "identity", "user-agent": "gatewright"}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def server_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@every_lane
async def test_a_private_authority_is_trusted_when_it_is_named(lane: str, authority: trustme.CA, ca_file: str) -> None:
    with WireUpstream(always(OK), tls=server_context(authority, HOST)) as upstream:
        async with started(lane, ca_file=ca_file) as transport:
            for _ in range(2):
                assert await read(await transport.send(upstream.url, ASK)) == b'{"ok": true}'
        assert upstream.seen.connections == 1


@every_lane
async def test_a_certificate_of_an_unknown_authority_is_refused(lane: str, authority: trustme.CA) -> None:
    with WireUpstream(always(OK), tls=server_context(authority, HOST)) as upstream:
        async with started(lane) as transport:
            with pytest.raises(UpstreamUnavailable):
                await transport.send(upstream.url, ASK)
            assert slots_in_use(transport) == 0
        assert upstream.seen.requests == []


@every_lane
async def test_a_certificate_for_another_name_is_refused(lane: str, authority: trustme.CA, ca_file: str) -> None:
    with WireUpstream(always(OK), tls=server_context(authority, "other.example")) as upstream:
        async with started(lane, ca_file=ca_file) as transport:
            with pytest.raises(UpstreamUnavailable):
                await transport.send(upstream.url, ASK)
        assert upstream.seen.requests == []


@every_lane
async def test_a_stale_tls_connection_is_survived(lane: str, authority: trustme.CA, ca_file: str) -> None:
    """The bytes of a handshake are not bytes of an answer."""
    with WireUpstream(then_stale(OK), always(OK), tls=server_context(authority, HOST)) as upstream:
        async with started(lane, ca_file=ca_file) as transport:
            for _ in range(2):
                assert await read(await transport.send(upstream.url, ASK)) == b'{"ok": true}'


@pytest.mark.parametrize("lane", LANES)
def test_a_certificate_file_that_does_not_exist_is_a_settings_error(lane: str) -> None:
    with pytest.raises(SettingsError) as caught:
        LANES[lane](TransportOptions(ca_file="/nowhere/ca.pem"))
    assert caught.value.field == "ca_file"


@pytest.mark.parametrize("module", [httpx, httpx2], ids=["httpx", "httpx2"])
async def test_an_embedders_own_transport_is_used_as_it_is(module: object) -> None:
    """Whole and streamed answers, typed errors, and no retry: only our own pool can tell that one would be safe."""
    inner = module.AsyncHTTPTransport()  # type: ignore[attr-defined]  # two modules of the same shape
    transport = Httpx2Transport(inner=inner, module=module)
    await transport.start()
    stream = chunked_head() + chunk(b"data: one\n\n") + LAST_CHUNK
    with WireUpstream(then_stale(OK), always(stream)) as upstream:
        assert await read(await transport.send(upstream.url, ASK)) == b'{"ok": true}'
        with pytest.raises(UpstreamUnavailable):
            await transport.send(upstream.url, ASK)
        assert await read(await transport.send(upstream.url, ASK)) == b"data: one\n\n"
        await transport.stop()
        await upstream.until(lambda seen: seen.open == 0)
        assert len(upstream.seen.requests) == 3


@pytest.mark.parametrize("module", [httpx, httpx2], ids=["httpx", "httpx2"])
async def test_an_embedders_transport_tells_of_a_cut_body(module: object) -> None:
    inner = module.AsyncHTTPTransport()  # type: ignore[attr-defined]  # as above
    transport = Httpx2Transport(inner=inner, module=module)
    with WireUpstream(once(OK[:-3])) as upstream:
        answer = await transport.send(upstream.url, ASK)
        with pytest.raises(UpstreamInterrupted):
            await read(answer)
        await transport.stop()
