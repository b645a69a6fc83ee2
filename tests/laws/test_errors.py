"""Laws 44 and 45: errors of an upstream, in the words of the client's protocol (protocol.md 3.9, 6)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import GatewayError
from tests.laws.answered import CROSSED, MODEL, STRAIGHT, Pair, serve
from tests.laws.often import among
from tests.laws.translated import OLLAMA, OPENAI

every = pytest.mark.parametrize("pair", [*CROSSED, *STRAIGHT], ids=str)
# The statuses of 2.10 and 3.9, less those that would blame the client's own key.
ALLOWED = {400, 404, 405, 408, 409, 413, 415, 422, 429, 500, 502, 503, 504}

_words = st.sampled_from(
    [
        "model is required",
        "invalid model name",
        "model 'theirs' not found",
        "does not support tools",
        "the input length exceeds the context length",
        'option "stop" must be of type array',
        "invalid format: x",
        "server busy, please try again.  maximum pending requests exceeded",
        '{"error":{"code":400,"message":"too long","type":"exceed_context_size_error"}}',
        "é\u2028",
        "",
    ]
)
_scalars = st.none() | st.booleans() | st.integers() | _words
_objects = st.fixed_dictionaries(
    {}, optional={"message": _scalars, "type": _scalars, "param": _scalars, "code": _scalars, "x": _scalars}
)
_bodies = (
    st.binary(max_size=9)
    | _words.map(str.encode)
    | st.fixed_dictionaries({"error": _scalars | _objects}, optional={"signin_url": _words}).map(
        lambda body: json.dumps(body).encode()
    )
)
_statuses = st.sampled_from([400, 401, 402, 403, 404, 405, 408, 409, 413, 422, 429, 499, 500, 502, 503, 504, 529, 302])


def raised(pair: Pair, status: int, body: bytes, *, stream: bool = False) -> GatewayError:
    served = serve(pair, [body], stream=stream, status=status, content_type="application/json")
    assert served.raised is not None
    return served.raised


@every
@among(9)
@given(status=_statuses, body=_bodies, stream=st.booleans())
def test_law_44_an_error_has_the_clients_shape_and_never_blames_its_key(
    pair: Pair, status: int, body: bytes, stream: bool
) -> None:
    error = raised(pair, status, body, stream=stream)
    reply = pair.client.error_reply(error, MODEL)
    assert reply.status in ALLOWED | ({status} - {401, 403, 302}), reply.status
    value: Any = json.loads(reply.body)
    assert set(value) == {"error"}
    if pair.client is OLLAMA:
        assert isinstance(value["error"], str)
        assert value["error"]
        return
    assert set(value["error"]) == {"message", "type", "param", "code"}
    assert isinstance(value["error"]["message"], str)
    assert isinstance(value["error"]["type"], str)
    assert value["error"]["code"] is None or isinstance(value["error"]["code"], str)
    assert value["error"]["param"] is None or isinstance(value["error"]["param"], str)


@every
@pytest.mark.parametrize("status", [401, 403])
def test_law_44_a_key_of_the_gateway_that_is_refused_is_a_bad_gateway(pair: Pair, status: int) -> None:
    error = raised(pair, status, b'{"error":"unauthorized"}')
    assert pair.client.error_reply(error, MODEL).status == 502


@every
@among(9)
@given(stream=st.booleans())
def test_law_45_an_unknown_model_stays_a_404(pair: Pair, stream: bool) -> None:
    said: dict[str, Any] = {"error": "model 'theirs' not found"}
    if pair.upstream is OPENAI:
        said = {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": "model_not_found"}}
    reply = pair.client.error_reply(raised(pair, 404, json.dumps(said).encode(), stream=stream), MODEL)
    assert reply.status == 404
    value = json.loads(reply.body)["error"]
    if pair.client is OLLAMA:
        assert value == f"model '{MODEL}' not found", "clients that pull on demand look for this (pitfall 51)"
    else:
        assert value["code"] == "model_not_found"
        assert value["param"] == ("model" if pair.upstream is OLLAMA else None)
