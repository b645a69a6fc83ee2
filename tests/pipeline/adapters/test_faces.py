"""Several dialects on one server: the longest prefix decides which is spoken, in answers and in refusals."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline import Request
from tests.pipeline.adapters.asgi_driver import Client, ask
from tests.pipeline.adapters.faces import app, pipeline

ONE = "version: 1\ngateways:\n  one: {dialect: talk, mount: /, faces: {tell: /v1}, chain: [test.says]}\n"
TWO = ONE + "  two: {dialect: tell, mount: /v1/deep, chain: [test.says]}\n"
MOVED = ONE.replace("mount: /,", "mount: /x,")


async def asked(tmp_path: Path, text: str, method: str, path: str, body: bytes = b'{"model": "m"}') -> Client:
    built, application = app(tmp_path, text)
    async with built:
        return await ask(application, Client(body), method=method, path=path)


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        (ONE, "/say", b"CHAT IN TALK\n"),
        (ONE, "/v1/say", b"chat in tell\n"),
        (TWO, "/v1/say", b"chat in tell\n"),
        (TWO, "/v1/deep/say", b"chat in tell\n"),
        (MOVED, "/x/say", b"CHAT IN TALK\n"),
        (MOVED, "/x/v1/say", b"chat in tell\n"),
    ],
)
async def test_the_longest_prefix_decides(tmp_path: Path, text: str, path: str, said: bytes) -> None:
    client = await asked(tmp_path, text, "POST", path)
    assert (client.status, client.body) == (200, said)


async def test_of_two_that_match_the_longer_prefix_answers(tmp_path: Path) -> None:
    """`/v1/deep/say` is a model's name to the one gateway and a path of its own to the other."""
    built, application = app(tmp_path, TWO)
    async with built:
        post = await ask(application, Client(b'{"model": "m"}'), path="/v1/deep/say")
        get = await ask(application, Client(b"{}"), method="GET", path="/v1/deep/say")
    assert post.body == b"chat in tell\n"
    assert get.body == b"models.show in tell\n", "the shorter one still has what the longer does not"


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("POST", "/nope", 414, b"TALK  Invalid URL (POST /nope)"),
        ("POST", "/v1/nope", 404, b"tell  Invalid URL (POST /v1/nope)"),
        ("POST", "/v1", 404, b"tell  Invalid URL (POST /v1)"),
        ("POST", "/v12/say", 414, b"TALK  Invalid URL (POST /v12/say)"),
        ("PUT", "/say", 415, b"TALK  Not allowed: PUT. Use POST."),
        ("PUT", "/v1/say", 405, b"tell  Not allowed: PUT. Use POST."),
        ("DELETE", "/", 415, b"TALK  Not allowed: DELETE. Use GET or HEAD."),
        ("POST", "/v1/../say", 400, b"tell  The path has a dot segment."),
    ],
)
async def test_a_refusal_is_worded_by_the_face_whose_prefix_matched(
    tmp_path: Path, method: str, path: str, status: int, said: bytes
) -> None:
    client = await asked(tmp_path, ONE, method, path)
    assert (client.status, client.body) == (status, said)
    assert client.headers["content-type"] == ("text/quiet" if said.startswith(b"tell") else "text/loud")


async def test_a_path_that_only_another_face_serves_is_refused_by_the_nearest(tmp_path: Path) -> None:
    """`/v1/lost` is below the root too, but the root's dialect has no such path: the nearer face words the refusal."""
    client = await asked(tmp_path, ONE, "GET", "/v1/lost")
    assert (client.status, client.body) == (404, b"tell  Invalid URL (GET /v1/lost)")


async def test_allow_names_the_methods_of_the_path(tmp_path: Path) -> None:
    assert (await asked(tmp_path, ONE, "DELETE", "/")).headers["allow"] == "GET, HEAD"
    assert (await asked(tmp_path, ONE, "GET", "/v1/say")).headers["allow"] == "POST"


@pytest.mark.parametrize(("path", "said"), [("/say", b"TALK lost all is lost"), ("/v1/say", b"tell lost all is lost")])
async def test_a_failure_is_worded_by_the_face_that_was_asked_with_the_model_it_named(
    tmp_path: Path, path: str, said: bytes
) -> None:
    client = await asked(tmp_path, ONE, "POST", path, b'{"model": "lost"}')
    assert client.body == said
    assert client.status == (500 if path == "/v1/say" else 510), "protocols have statuses of their own"


@pytest.mark.parametrize("path", ["/", "/lost"])
async def test_head_is_answered_as_get_would_be_but_for_the_body(tmp_path: Path, path: str) -> None:
    get, head = [await asked(tmp_path, ONE, method, path, b"{}") for method in ("GET", "HEAD")]
    assert (head.status, head.body) == (get.status, b"")
    assert get.body == (b"ALIVE IN TALK\n" if path == "/" else b"TALK  all is lost")
    assert head.headers["content-length"] == str(len(get.body))
    assert head.headers["content-type"] == get.headers["content-type"]


@pytest.mark.parametrize("path", ["/nope", "/say", "/v1/say"])
async def test_a_head_request_that_is_refused_has_no_body_either(tmp_path: Path, path: str) -> None:
    client = await asked(tmp_path, ONE, "HEAD", path, b"")
    assert (client.status >= 400, client.body) == (True, b"")
    assert int(client.headers["content-length"]) > 0


@pytest.mark.parametrize(
    ("dialect", "said"),
    [("talk", "chat in talk"), ("tell", "chat in tell"), ("", "chat in talk"), ("loud", "chat in talk")],
)
async def test_embedded_use_names_the_face(tmp_path: Path, dialect: str, said: str) -> None:
    async with pipeline(tmp_path, ONE) as built:
        response = await built.handle(Request("chat", dialect=dialect, stream=True))
        pieces = b"".join([piece async for piece in response.body.pieces()])
    assert pieces == (f"{said}\n.\n".upper() if said.endswith("talk") else f"{said}\n.\n").encode()


async def test_discovery_shows_the_faces(tmp_path: Path) -> None:
    described: Any = (await asked(tmp_path, TWO, "GET", "/gateways", b"")).json
    shown = [(gateway["name"], gateway["dialect"], gateway["faces"]) for gateway in described["gateways"]]
    assert shown == [("one", "talk", {"talk": "/", "tell": "/v1"}), ("two", "tell", {"tell": "/v1/deep"})]
    assert described["gateways"][0]["operations"] == ["alive", "chat", "lost", "models.show"]
