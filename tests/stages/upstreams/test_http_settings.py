"""An upstream's address and credentials: what is refused at start-up, what is sent, and what is never shown."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import SettingsError, TransportOptions, UpstreamAnswer, UpstreamCall
from stages.upstreams.http import HttpUpstream
from tests.stages.fakes import answers, fake_host


class Recorder:
    """A transport that remembers what it was made of and asked to do."""

    made: TransportOptions
    sent: list[tuple[str, UpstreamCall]]

    def __init__(self, options: TransportOptions) -> None:
        self.made = options
        self.sent = []

    async def start(self) -> None:
        self.sent.append(("start", UpstreamCall("", "")))

    async def stop(self) -> None:
        self.sent.append(("stop", UpstreamCall("", "")))

    async def send(self, url: str, call: UpstreamCall) -> UpstreamAnswer:
        self.sent.append((url, call))
        return answers(200)


def built(base_url: str = "http://127.0.0.1:8080/v1", **settings: Any) -> tuple[HttpUpstream, Recorder]:
    made: list[Recorder] = []

    def transport(options: TransportOptions) -> Recorder:
        made.append(Recorder(options))
        return made[0]

    given = HttpUpstream.Settings.model_validate(
        {"dialect": "openai", "base_url": base_url, "transport": "recorder", **settings}
    )
    host = fake_host(implementations={("transport", "recorder"): transport})
    return HttpUpstream(given, host, "local"), made[0]


@pytest.mark.parametrize(
    "base_url",
    [
        *("", "127.0.0.1:8080", "ftp://127.0.0.1/", "file:///etc/passwd", "http://", "http:///v1", "//127.0.0.1/v1"),
        *("http://127.0.0.1/v1?key=1", "http://127.0.0.1/v1?", "http://127.0.0.1/v1#x", "http://127.0.0.1/v1#"),
        *("http://user@127.0.0.1/", "http://user:pw@127.0.0.1/", "http://:pw@127.0.0.1/", "http://@127.0.0.1/"),
        *("http://127.0.0.1:port/", "http://127.0.0.1:99999/", "http://[::1/", "http://127.0.0.1 /"),
        *("http://192.168.1.5/v1", "http://example.com/v1", "http://0.0.0.0/", "http://localhost.example.com/"),
        *("http://127.0.0.1.example.com/", "http://[::2]/", "http://2130706433/"),
    ],
)
def test_an_address_that_leaks_or_cannot_work_is_refused(base_url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        built(base_url)
    assert caught.value.field == "base_url"
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    "base_url",
    [
        *(
            "http://127.0.0.1",
            "http://127.9.9.9:1/v1/",
            "http://localhost:8080/v1",
            "http://LOCALHOST/",
            "http://[::1]:80/",
        ),
        *("https://api.openai.com/v1", "HTTPS://example.com"),
    ],
)
def test_this_machine_and_https_are_accepted(base_url: str) -> None:
    built(base_url)


def test_plain_http_elsewhere_must_be_asked_for() -> None:
    built("http://192.168.1.5/v1", insecure=True)


async def test_a_call_gets_the_address_and_our_headers_last() -> None:
    upstream, transport = built("http://127.0.0.1/v1/", api_key="sk-secret", headers={"X-Team": "a"})
    await upstream.send(UpstreamCall("POST", "/chat", b"body", (("accept", "x"),)))
    ((url, call),) = transport.sent
    assert url == "http://127.0.0.1/v1/chat"
    assert (call.method, call.path, call.body) == ("POST", "/chat", b"body")
    assert call.headers == (("accept", "x"), ("x-team", "a"), ("authorization", "Bearer sk-secret"))


async def test_without_a_key_none_is_sent() -> None:
    upstream, transport = built()
    await upstream.send(UpstreamCall("GET", "/models"))
    assert transport.sent[0][1].headers == ()


def test_no_secret_is_shown() -> None:
    settings = HttpUpstream.Settings(dialect="openai", base_url="https://x", api_key="sk-secret")  # type: ignore[arg-type]  # pydantic makes the SecretStr
    upstream, _ = built(api_key="sk-secret")
    assert "sk-secret" not in repr(settings) + str(settings) + repr(upstream) + str(upstream)


def test_its_limits_reach_its_own_transport() -> None:
    _, transport = built(connect_seconds=1.5, max_connections=3, idle_seconds=9)
    assert (transport.made.connect_seconds, transport.made.max_connections, transport.made.idle_seconds) == (1.5, 3, 9)
    assert transport.made.pool_seconds == TransportOptions().pool_seconds


@pytest.mark.parametrize("field", ["connect_seconds", "pool_seconds", "idle_seconds", "max_connections"])
def test_a_limit_of_nothing_is_refused(field: str) -> None:
    with pytest.raises(ValueError, match=field):
        built("http://127.0.0.1", **{field: 0})


async def test_it_starts_and_stops_its_transport() -> None:
    upstream, transport = built()
    await upstream.start()
    await upstream.stop()
    assert [what for what, _ in transport.sent] == ["start", "stop"]


@pytest.mark.parametrize(
    ("base_url", "tls"),
    [("http://127.0.0.1:8080/v1", False), ("https://example.com/v1/", True), ("HTTPS://example.com/v1", True)],
)
async def test_what_tls_needs_is_made_only_where_the_address_says_https(base_url: str, tls: bool) -> None:
    upstream, transport = built(base_url)
    await upstream.send(UpstreamCall("POST", "/chat/completions"))
    (url, _), *_ = transport.sent
    assert transport.made.tls is tls
    assert url.startswith("https://" if tls else "http://")
