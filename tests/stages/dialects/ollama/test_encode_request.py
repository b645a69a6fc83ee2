"""A request as a call to a server of this dialect (protocol.md 1.4-1.8, 3.0.4)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline import InvalidRequest, Payload, Request
from stages.dialects.ollama.requests import decode_request, encode_request, rename

DIGEST = "sha256:" + "a" * 64


def request(operation: str, streamed: bool = False, **fields: Any) -> Request:
    return Request(operation, model="asked", payload=fields, stream=streamed, dialect="ollama")


@pytest.mark.parametrize(
    ("operation", "method", "path"),
    [
        ("chat", "POST", "/api/chat"),
        ("completion", "POST", "/api/generate"),
        ("embedding", "POST", "/api/embed"),
        ("embedding.single", "POST", "/api/embeddings"),
        ("models.show", "POST", "/api/show"),
        ("manage.pull", "POST", "/api/pull"),
        ("manage.push", "POST", "/api/push"),
        ("manage.create", "POST", "/api/create"),
        ("manage.copy", "POST", "/api/copy"),
        ("manage.delete", "DELETE", "/api/delete"),
    ],
)
def test_a_request_with_a_body(operation: str, method: str, path: str) -> None:
    call = encode_request(request(operation, model="m", x=[1]))
    assert (call.method, call.path) == (method, path)
    assert dict(call.headers) == {"content-type": "application/json", "accept": "application/json"}
    sent = json.loads(call.body)
    assert (sent["model"], sent["x"]) == ("m", [1])


@pytest.mark.parametrize(
    ("operation", "path", "accept"),
    [
        ("models.list", "/api/tags", "application/json"),
        ("models.running", "/api/ps", "application/json"),
        ("version", "/api/version", "application/json"),
        ("alive", "/", "text/plain"),
    ],
)
def test_a_request_without_one(operation: str, path: str, accept: str) -> None:
    call = encode_request(request(operation))
    assert (call.method, call.path, call.body, call.headers) == ("GET", path, b"", (("accept", accept),))


@pytest.mark.parametrize("operation", ["chat", "completion", "manage.pull", "manage.push", "manage.create"])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("said", [{}, {"stream": None}, {"stream": True}, {"stream": False}])
def test_the_mode_is_always_said(operation: str, stream: bool, said: dict[str, Any]) -> None:
    """protocol.md 3.0.4: the server's default is true."""
    call = encode_request(request(operation, stream, model="m", **said))
    assert json.loads(call.body)["stream"] is stream
    assert dict(call.headers)["accept"] == ("application/x-ndjson" if stream else "application/json")


@pytest.mark.parametrize("operation", ["embedding", "embedding.single", "models.show", "manage.delete", "manage.copy"])
def test_where_there_is_no_mode_none_is_said(operation: str) -> None:
    assert "stream" not in json.loads(encode_request(request(operation, True, model="m")).body)


def test_law_49_all_else_keeps_its_bytes() -> None:
    body = b'{"model":"m","messages":[{"n":1.00}],"stream":true,"x":12345678901234567890123}'
    found = decode_request("chat", body, "")
    call = encode_request(Request("chat", model="m", payload=found.payload, stream=found.stream))
    assert call.body == body


def test_a_model_named_in_a_path_is_put_into_the_body() -> None:
    assert json.loads(encode_request(request("models.show")).body) == {"model": "asked"}
    assert json.loads(encode_request(request("manage.copy", source="a")).body) == {"source": "a"}


def test_blobs() -> None:
    push = encode_request(request("manage.blob.push", digest=DIGEST, content=b"\x00\xff"))
    assert (push.method, push.path, push.body) == ("POST", f"/api/blobs/{DIGEST}", b"\x00\xff")
    assert dict(push.headers)["content-type"] == "application/octet-stream"
    check = encode_request(request("manage.blob.check", digest=DIGEST, content=b""))
    assert (check.method, check.path, check.body) == ("HEAD", f"/api/blobs/{DIGEST}", b"")


def test_what_is_nested_too_deeply_is_typed() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidRequest, match="nested"):
        encode_request(request("chat", model="m", x=deep))


def test_renaming_sets_the_model_and_nothing_else() -> None:
    before = request("chat", model="a", messages=[1])
    assert dict(rename(before, "b")) == {"model": "b", "messages": [1]}
    assert dict(before.payload) == {"model": "a", "messages": [1]}
    assert dict(rename(request("manage.copy", source="a", destination="c"), "b")) == {"source": "b", "destination": "c"}
    blob: dict[str, Any] = {"digest": DIGEST, "content": b""}
    assert dict(rename(request("manage.blob.push", **blob), "b")) == blob
    assert (
        rename(Request("chat", payload=Payload.parse(b'{"model":"a","n":1.0}')), "b").encode()
        == b'{"model":"b","n":1.0}'
    )
