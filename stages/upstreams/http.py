"""A named model server behind HTTP: its address, its dialect, our credentials for it."""

from __future__ import annotations

from collections.abc import Awaitable
from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import Field, SecretStr

from pipeline import Dialect, Host, SettingsError, StageSettings, TransportOptions, UpstreamAnswer, UpstreamCall

_DEFAULTS = TransportOptions()
_OURS = frozenset({"accept-encoding", "connection", "content-length", "expect", "host", "te", "transfer-encoding"})


class HttpUpstream:
    """A model server behind HTTP, with a pool, limits and time-outs of its own (a bulkhead).

    Implements `pipeline.Upstream`. Only what the dialect writes and what is configured here is sent: never a client's
    headers, cookies or key.
    """

    class Settings(StageSettings):
        dialect: str = Field(description="The wire protocol the server speaks.")
        profile: str | None = Field(
            default=None, description="Which variant of the dialect it speaks; default: the strictest. See its guide."
        )
        base_url: str = Field(description="Where it listens, with any path prefix, such as http://127.0.0.1:8080/v1.")
        api_key: SecretStr | None = Field(default=None, description="Our key for it, sent as a bearer token.")
        headers: dict[str, str] = Field(default={}, description="Further header fields to send.")
        transport: str = Field(default="h1", description="The HTTP client: h1, or httpx2 for HTTP/2, proxies and trio.")
        insecure: bool = Field(default=False, description="Allow plain http to a host that is not this machine.")
        connect_seconds: float = Field(default=_DEFAULTS.connect_seconds, gt=0, description="TCP set-up.")
        tls_seconds: float = Field(default=_DEFAULTS.tls_seconds, gt=0, description="TLS handshake, beyond that.")
        pool_seconds: float = Field(default=_DEFAULTS.pool_seconds, gt=0, description="Wait for a free connection.")
        write_seconds: float = Field(default=_DEFAULTS.write_seconds, gt=0, description="Each write of the request.")
        first_byte_seconds: float | None = Field(
            default=None, gt=0, description="From the request to the response head; default: as the dialect advises."
        )
        idle_seconds: float = Field(default=_DEFAULTS.idle_seconds, gt=0, description="Between two reads of the body.")
        max_connections: int = Field(default=_DEFAULTS.max_connections, gt=0, description="Connections at once.")
        keepalive_seconds: float = Field(
            default=_DEFAULTS.keepalive_seconds, ge=0, description="How long an idle connection is kept."
        )
        ca_file: str | None = Field(default=None, description="PEM file of a private certificate authority.")
        cert_file: str | None = Field(default=None, description="PEM file of our own certificate, if it wants one.")
        key_file: str | None = Field(default=None, description="PEM file of the key to it, if not in the same file.")
        uds: str | None = Field(default=None, description="Path of a Unix socket to connect to instead of the host.")
        http2: bool = Field(default=False, description="Speak HTTP/2 if the server does.")
        proxy: str | None = Field(default=None, description="URL of a forward proxy. The environment is never asked.")

    def __init__(self, settings: Settings, host: Host, name: str) -> None:
        self.name = name
        self.dialect = host.dialect(settings.dialect)
        self._base_url = _checked(settings)
        self._headers = (
            *((key.lower(), value) for key, value in settings.headers.items()),
            *((("authorization", f"Bearer {settings.api_key.get_secret_value()}"),) if settings.api_key else ()),
        )
        self.profile = _profile(settings, self.dialect)
        options = settings.model_dump(include=set(TransportOptions.__slots__))
        options["tls"] = self._base_url.startswith("https:")
        if settings.first_byte_seconds is None:
            options["first_byte_seconds"] = self.dialect.patience_seconds
        self._transport = host.transport(settings.transport, TransportOptions(**options))

    async def start(self) -> None:
        await self._transport.start()

    async def stop(self) -> None:
        await self._transport.stop()

    def send(self, call: UpstreamCall) -> Awaitable[UpstreamAnswer]:
        """Raises what the transport raises."""
        dressed = UpstreamCall(call.method, call.path, call.body, (*call.headers, *self._headers))
        return self._transport.send(self._base_url + call.path, dressed)

    def __repr__(self) -> str:
        return f"HttpUpstream({self.name})"


def _profile(settings: HttpUpstream.Settings, dialect: Dialect) -> str:
    if settings.profile is None:
        return dialect.profiles[0]
    if settings.profile not in dialect.profiles:
        known = ", ".join(dialect.profiles)
        raise SettingsError(f"{dialect.name} has no profile {settings.profile!r}; it has: {known}", field="profile")
    return settings.profile


def _checked(settings: HttpUpstream.Settings) -> str:
    try:
        url = urlsplit(settings.base_url)
        usable = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:  # brackets that do not match, a port that is no port
        usable = False
    if not usable or not url.hostname:
        raise SettingsError("base_url must begin with http:// or https:// and name a host", field="base_url")
    if any(mark in settings.base_url for mark in "?#@"):
        raise SettingsError("base_url must have no query, fragment or user name", field="base_url")
    if url.scheme == "http" and not settings.insecure and not _is_loopback(url.hostname):
        message = "plain http to another machine sends prompts and keys readable; use https or `insecure: true`"
        raise SettingsError(message, field="base_url")
    framing = sorted(name for name in settings.headers if name.lower() in _OURS)
    if framing:
        raise SettingsError(f"{framing[0]} belongs to the transport and cannot be set", field="headers")
    return url.geturl().rstrip("/")  # its scheme in lower case


def _is_loopback(hostname: str) -> bool:
    try:
        return ip_address(hostname).is_loopback
    except ValueError:
        return hostname == "localhost"
