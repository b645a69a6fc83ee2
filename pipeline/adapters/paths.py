"""Which gateway and operation an HTTP request is for. The raw path is looked at once, here, and nowhere again.

Routing on one spelling of a path and authorising on another is how gateways get bypassed, so there is one spelling:
the bytes on the wire. Static segments must match them exactly; only the model name at the end of a path is decoded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from pipeline.dialect import Dialect, Route
from pipeline.errors import GatewayError, InvalidRequest, MethodNotAllowed, NotFound
from pipeline.gateway import Face, Gateway

RawHeaders = Sequence[tuple[bytes, bytes]]
Fields = Mapping[bytes, bytes]

_HOST = re.compile(rb"[A-Za-z0-9.-]+(:[0-9]{1,5})?\Z|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?\Z")
_LONGEST_HOST = 300  # a name of 253 characters (RFC 1035 3.1) and a port
_ONCE = frozenset((b"host", b"content-length", b"content-type", b"content-encoding", b"transfer-encoding"))


@dataclass(frozen=True, slots=True)
class Match:
    """What a request is for, and in which of the gateway's dialects.

    `path_model` is the decoded model name where the path carries one.
    """

    gateway: Gateway
    dialect: Dialect
    operation: str
    path_model: str = ""


class RouteError(GatewayError):
    """A routing failure together with the dialect that should word it, if a mount matched."""

    def __init__(self, error: GatewayError, dialect: Dialect | None, allow: str | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.dialect = dialect
        self.allow = allow


class Router:
    """Longest prefix first, of a mount and a face below it; there, static paths before the one with a model name."""

    def __init__(self, gateways: Iterable[Gateway]) -> None:
        faces = [(gateway.mount + face.prefix, gateway, face) for gateway in gateways for face in gateway.faces]
        self._faces: list[tuple[str, Gateway, Face]] = sorted(faces, key=lambda face: len(face[0]), reverse=True)
        # Found once, by the search itself, so that looking a fixed path up cannot mean anything else than searching.
        self._fixed = {
            (route.method, prefix + route.path): self._search(route.method, prefix + route.path)
            for prefix, _, face in self._faces
            for route in face.dialect.routes
            if "{" not in route.path
        }

    def match(self, method: str, path: str) -> Match:
        """Raises `RouteError`: 404 for no such path, 405 with the allowed methods, 400 for a path with tricks in it."""
        return self._fixed.get((method, path)) or self._search(method, path)

    def _search(self, method: str, path: str) -> Match:
        under = [face for face in self._faces if path == face[0] or path.startswith(face[0] + "/")]
        nearest = under[0][2].dialect if under else None
        tricks = _tricks(path)
        if tricks is not None:
            raise RouteError(InvalidRequest(tricks), nearest)
        allowed: list[str] = []
        for prefix, gateway, face in under:
            rest = path[len(prefix) :]
            for route in face.dialect.routes:
                model = _matches(route, rest)
                if model is None:
                    continue
                if route.method == method:
                    return Match(gateway, face.dialect, route.operation, model)
                allowed.append(route.method)
        if allowed:
            message = f"Not allowed: {method}. Use {' or '.join(sorted(set(allowed)))}."
            raise RouteError(MethodNotAllowed(message), nearest, ", ".join(sorted(set(allowed))))
        raise RouteError(NotFound(f"Invalid URL ({method} {path[:200]})"), nearest)


def check_head(headers: RawHeaders, fields: Fields, *, needs_host: bool) -> GatewayError | None:
    """Fields that two servers could read differently (RFC 9112 3.2, 6.3; RFC 9110 5.3; promises: no smuggling).

    `fields` are `headers` by name, whose own repetitions are looked for here and nowhere else.
    """
    if len(fields) != len(headers):
        names = [name for name, _ in headers]
        for name in names:
            if name in _ONCE and names.count(name) > 1:
                return InvalidRequest(f"The header field {name.decode()} may appear only once.")
    if b"transfer-encoding" in fields and b"content-length" in fields:
        return InvalidRequest("Content-Length and Transfer-Encoding exclude each other.")
    host = fields.get(b"host")
    if host is None:
        return InvalidRequest("An HTTP/1.1 request must have a Host header field.") if needs_host else None
    return (
        None if len(host) <= _LONGEST_HOST and _is_host(host) else InvalidRequest("The Host header field is malformed.")
    )


@lru_cache(maxsize=64)
def _is_host(value: bytes) -> bool:
    return _HOST.match(value) is not None


def _matches(route: Route, rest: str) -> str | None:
    """The model name if `rest` is this route's path ("" for a route without one), else None."""
    prefix, brace, _ = route.path.partition("{")
    if not brace:
        return "" if rest == route.path else None
    if not rest.startswith(prefix) or len(rest) == len(prefix):
        return None
    return unquote(rest[len(prefix) :])


def _tricks(path: str) -> str | None:
    """Why `path` is refused, or None. `%2F` passes: official clients write it inside a model name."""
    decoded = unquote(path)
    if not path.startswith("/"):
        return "The path must be absolute."
    if "//" in path or "\\" in decoded:
        return "The path has an empty segment or a backslash."
    if any(segment in (".", "..") for segment in decoded.split("/")):
        return "The path has a dot segment."
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in decoded):
        return "The path has a control character."
    return None
