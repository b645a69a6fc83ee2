"""Whatever a client sends gets a true status, in the error form of the API it called, and never reaches the upstream.

Each case also leaves exactly one access line with that status, and its request id on the answer.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipeline.testing.wire import Received, WireUpstream
from tests.wire.answers import MODEL, always, sized, whole
from tests.wire.documents import chat, document
from tests.wire.in_loop import Gateway, running
from tests.wire.raw_client import Answer, ask, connected, request

NAMES = (MODEL, "maker/model", "model:7b")
LIMIT = 4096
numbers = count()


def reply(received: Received) -> bytes:
    if received.target == "/v1/models":
        data = [{"id": name, "object": "model", "created": 1, "owned_by": "tests"} for name in NAMES]
        return sized(json.dumps({"object": "list", "data": data}).encode())
    return whole()


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"  # the server is uvicorn


class Place(NamedTuple):
    gateway: Gateway
    upstream: WireUpstream

    async def refused(self, status: int, data: bytes, id: str) -> Answer:
        """The answer to `data`: an error of that status, one access line, and no call for an answer upstream."""
        answer = await ask(self.gateway.port, data)
        assert answer.status == status, answer.body
        assert answer.header("x-request-id") == id
        assert answer.header("content-type") == "application/json"
        error = answer.json["error"]
        assert set(answer.json) == {"error"}
        assert set(error) == {"message", "type", "param", "code"}
        assert error["message"]
        assert error["type"] == "invalid_request_error"
        assert all(error[name] is None or isinstance(error[name], str) for name in ("param", "code"))
        line = await self.gateway.line(id)
        assert (line["status"], line["outcome"], line["error_origin"]) == (status, "failed", "caller")
        assert [one.target for one in self.upstream.seen.requests if one.method == "POST"] == []
        return answer


@pytest.fixture(scope="module")
async def place(anyio_backend: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    folder: Path = tmp_path_factory.mktemp("gateway")
    with WireUpstream(always(reply)) as upstream:
        async with running(folder, document(upstream.url, listed=True), max_body_bytes=LIMIT) as gateway:
            yield Place(gateway, upstream)


def new_id() -> str:
    return f"bad-input-{next(numbers)}"


DEEP = b'{"model": "scripted", "messages": ' + b"[" * 1500 + b"]" * 1500 + b"}"
BODIES: dict[str, tuple[bytes | dict[str, Any], str | None, str | None]] = {
    "nothing": (b"", "invalid_json", None),
    "cut short": (b'{"model": "scr', "invalid_json", None),
    "two objects": (b"{}{}", "invalid_json", None),
    "an array": (b"[1, 2]", "invalid_json", None),
    "a word": (b"hello", "invalid_json", None),
    "no unicode": (b'{"model": "\xff\xfe"}', "invalid_json", None),
    "a broken escape": (b'{"model": "\\q", "messages": []}', "invalid_json", None),
    "half a surrogate pair": (b'{"model": "\\ud800", "messages": []}', "invalid_json", None),
    "not a number": (b'{"model": "scripted", "temperature": NaN, "messages": [{}]}', "invalid_json", None),
    "nested without end": (DEEP, "invalid_json", None),
    "no model": ({"messages": []}, "missing_required_parameter", "model"),
    "model is a number": (chat(model=7), "invalid_type", "model"),
    "model is empty": (chat(model=""), "invalid_type", "model"),
    "no messages": ({"model": MODEL}, "missing_required_parameter", "messages"),
    "messages is a string": (chat(messages="hello"), "invalid_type", "messages"),
    "messages is empty": (chat(messages=[]), "invalid_value", "messages"),
    "a message is a string": (chat(messages=[{"role": "user", "content": "a"}, "b"]), "invalid_type", "messages[1]"),
    "stream is a string": (chat(stream="yes"), "invalid_type", "stream"),
    "stream_options is a list": (chat(stream=True, stream_options=[]), "invalid_type", "stream_options"),
    "stream_options alone": (chat(stream_options={"include_usage": True}), "invalid_value", "stream_options"),
}


@pytest.mark.parametrize(("body", "code", "param"), BODIES.values(), ids=BODIES.keys())
async def test_a_bad_body_is_refused_and_the_field_named(
    place: Place, body: bytes | dict[str, Any], code: str | None, param: str | None
) -> None:
    id = new_id()
    answer = await place.refused(400, request("POST", "/v1/chat/completions", body, id=id), id)
    assert (answer.json["error"]["code"], answer.json["error"]["param"]) == (code, param)


async def test_an_embedding_without_input_is_refused(place: Place) -> None:
    id = new_id()
    answer = await place.refused(400, request("POST", "/v1/embeddings", {"model": MODEL}, id=id), id)
    assert answer.json["error"]["param"] == "input"


@pytest.mark.parametrize(
    ("key", "extra", "code"),
    [
        (None, "", None),
        ("gw-canary-key-unknown", "", "invalid_api_key"),
        (None, "Authorization: Basic dGVzdGVyOmNhbmFyeQ==\r\n", None),
        (None, "Authorization: Bearer\r\n", None),
    ],
    ids=["no key", "an unknown key", "another scheme", "an empty key"],
)
async def test_without_a_known_key_nobody_is_served(
    place: Place, key: str | None, extra: str, code: str | None
) -> None:
    for target, body in (("/v1/chat/completions", chat()), ("/v1/models", b"")):
        id = new_id()
        method = "POST" if body else "GET"
        answer = await place.refused(401, request(method, target, body, key=key, id=id, extra=extra), id)
        assert answer.json["error"]["code"] == code
        assert answer.header("www-authenticate") == "Bearer"


async def test_an_unknown_model_is_not_found(place: Place) -> None:
    id = new_id()
    answer = await place.refused(404, request("POST", "/v1/chat/completions", chat(model="nope"), id=id), id)
    assert (answer.json["error"]["code"], answer.json["error"]["param"]) == ("model_not_found", "model")


@pytest.mark.parametrize(
    ("method", "target"),
    [("POST", "/v1/nope"), ("GET", "/v1"), ("GET", "/v1/"), ("GET", "/v1/models/"), ("POST", "/v1/%63hat/completions")],
)
async def test_an_unknown_route_is_not_found(place: Place, method: str, target: str) -> None:
    """A static segment in another spelling is another route: what is checked is what is routed."""
    id = new_id()
    answer = await place.refused(404, request(method, target, id=id), id)
    assert answer.json["error"]["message"] == f"Invalid URL ({method} {target})"


async def test_outside_every_mount_is_not_found(place: Place) -> None:
    id = new_id()
    await place.refused(404, request("GET", "/elsewhere", id=id), id)


@pytest.mark.parametrize(
    ("method", "target", "allow"),
    [
        ("GET", "/v1/chat/completions", "POST"),
        ("DELETE", "/v1/models/scripted", "GET"),
        ("PUT", "/v1/models", "GET"),
        ("OPTIONS", "/v1/embeddings", "POST"),
    ],
)
async def test_a_wrong_method_is_told_the_right_one(place: Place, method: str, target: str, allow: str) -> None:
    id = new_id()
    answer = await place.refused(405, request(method, target, id=id), id)
    assert answer.header("allow") == allow
    assert answer.json["error"]["code"] == "method_not_supported"


async def test_a_declared_length_over_the_limit_is_refused_before_the_body_comes(place: Place) -> None:
    id = new_id()
    head = request("POST", "/v1/chat/completions", id=id).replace(b"Content-Length: 0", b"Content-Length: 4097")
    answer = await place.refused(413, head, id)
    assert answer.json["error"]["code"] == "request_too_large"


async def test_a_chunked_body_is_refused_once_it_is_over_the_limit(place: Place) -> None:
    id = new_id()
    head = request("POST", "/v1/chat/completions", id=id)
    head = head.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    piece = b"400\r\n" + b" " * 1024 + b"\r\n"
    answer = await place.refused(413, head + piece * 5, id)
    assert answer.json["error"]["code"] == "request_too_large"


async def test_a_body_of_just_the_limit_is_read(place: Place) -> None:
    body = json.dumps({"messages": []}).encode()
    id = new_id()
    await place.refused(400, request("POST", "/v1/chat/completions", body.ljust(LIMIT), id=id), id)


async def test_a_compressed_body_is_refused(place: Place) -> None:
    id = new_id()
    data = request("POST", "/v1/chat/completions", b"\x1f\x8b\x08", id=id, extra="Content-Encoding: gzip\r\n")
    await place.refused(415, data, id)


async def test_a_body_of_another_type_is_refused(place: Place) -> None:
    id = new_id()
    data = request("POST", "/v1/chat/completions", b"{}", id=id, extra="Content-Type: text/plain; charset=UTF-8\r\n")
    await place.refused(415, data, id)


TRICKS = [
    "/v1/../v1/models",
    "/v1/./models",
    "/v1//models",
    "//v1/models",
    "/v1/models/%2e%2e/secret",
    "/v1/models/%2E",
    "/v1/models/..%2Fsecret",
    "/v1/models/a%5Cb",
    "/v1/models/a%00b",
    "/v1/models/a%0d%0ab",
    "/v1/models/a%7fb",
]


@pytest.mark.parametrize("target", TRICKS)
async def test_a_path_that_servers_could_read_differently_is_refused(place: Place, target: str) -> None:
    id = new_id()
    await place.refused(400, request("GET", target, id=id), id)


@pytest.mark.parametrize(
    "extra", ["Host: other.example\r\n", "Host: 127.0.0.1\r\n"], ids=["another host", "the same twice"]
)
async def test_a_second_host_is_refused(place: Place, extra: str) -> None:
    id = new_id()
    await place.refused(400, request("GET", "/v1/models", id=id, extra=extra), id)


@pytest.mark.parametrize("host", ["a/b?c", "user@host", "host:port", "", "a b"])
async def test_a_host_that_is_none_is_refused(place: Place, host: str) -> None:
    id = new_id()
    await place.refused(
        400, request("GET", "/v1/models", id=id).replace(b"Host: 127.0.0.1", b"Host: " + host.encode()), id
    )


AMBIGUOUS = {
    "length and chunked": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "a signed length": b"Content-Length: +5\r\n\r\nhello",
    "chunked twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a folded field": b"X-Folded: one\r\n two\r\nContent-Length: 0\r\n\r\n",
    "a space before the colon": b"Content-Length : 0\r\n\r\n",
}


@pytest.mark.parametrize("tail", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
async def test_ambiguous_framing_is_refused_and_the_connection_closed(place: Place, tail: bytes) -> None:
    """Where two servers could disagree about the end of a request, no second request is read from the connection."""
    async with connected(place.gateway.port) as client:
        await client.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n" + tail)
        answer = await client.answer()
        assert answer.status == 400
        assert await client.ended()
    assert [one.target for one in place.upstream.seen.requests if one.method == "POST"] == []


@pytest.mark.parametrize("target", ["/v1/models/maker%2Fmodel", "/v1/models/maker/model", "/v1/models/model:7b"])
async def test_a_model_name_may_hold_a_slash_in_either_spelling(place: Place, target: str) -> None:
    answer = await ask(place.gateway.port, request("GET", target))
    assert answer.status == 200
    assert answer.json["id"] in NAMES


async def test_a_query_does_not_change_the_route(place: Place) -> None:
    answer = await ask(place.gateway.port, request("GET", "/v1/models?api-version=1&x=../.."))
    assert [model["id"] for model in answer.json["data"]] == list(NAMES)


async def test_the_connection_survives_a_refusal(place: Place) -> None:
    async with connected(place.gateway.port) as client:
        await client.send(request("GET", "/v1/nope"))
        assert (await client.answer()).status == 404
        await client.send(request("GET", "/v1/models"))
        assert (await client.answer()).status == 200
