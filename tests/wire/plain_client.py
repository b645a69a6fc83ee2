"""A client that shows the bytes: the standard library's own, with nothing between it and the socket."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.wire.documents import KEY


@dataclass(frozen=True)
class Plain:
    """A response; `body` is what is left once the transfer coding is undone."""

    status: int
    content_type: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(base_url: str, method: str, path: str, body: dict[str, Any] | bytes | None = None, *, key: str = KEY) -> Plain:
    """One request on a connection of its own; `base_url` ends in /v1."""
    address = urlsplit(base_url)
    connection = http.client.HTTPConnection(address.netloc, timeout=60)
    content = json.dumps(body).encode() if isinstance(body, dict) else body
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    try:
        connection.request(method, address.path + path, content, headers)
        response = connection.getresponse()
        return Plain(response.status, response.headers["content-type"], response.read())
    finally:
        connection.close()
