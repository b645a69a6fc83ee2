"""Errors, both ways (protocol.md 1.11, 3.9; laws 44, 45)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import (
    GatewayError,
    Headers,
    InvalidRequest,
    MethodNotAllowed,
    ModelNotFound,
    NotFound,
    RateLimited,
    Unauthenticated,
    UpstreamRefusedUs,
    UpstreamRejected,
)
from stages.dialects.ollama.dialect import Ollama
from stages.dialects.ollama.errors import in_band


def read(status: int, body: Any, **headers: str) -> GatewayError:
    text = body if isinstance(body, bytes) else json.dumps({"error": body}).encode()
    fields = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    return Ollama().decode_error(status, fields, text)


LEVELS = 'think value "medium" is not supported for this model'
LONG_PROMPT = "the prompt is longer than the context length currently available: 5"
BUSY = "server busy, please try again.  maximum pending requests exceeded"
REFUSED = "The upstream refused the gateway's credentials."
TOO_LONG = "context_length_exceeded"
NESTED = {"error": {"type": "exceed_context_size_error", "message": "m"}}
ENGINE = {"error": {"code": 400, "message": "too many tokens", "type": "exceed_context_size_error", "n_ctx": 4096}}
REQUEST = "invalid_request_error"


@pytest.mark.parametrize(
    ("status", "text", "becomes", "type", "code", "param"),
    [
        (400, "model is required", 400, REQUEST, "missing_required_parameter", "model"),
        (400, "invalid model name", 404, REQUEST, "model_not_found", "model"),
        (404, "model 'x' not found", 404, REQUEST, "model_not_found", "model"),
        (404, 'model "x" not found, try pulling it first', 404, REQUEST, "model_not_found", "model"),
        (400, "registry.ollama.ai/x does not support tools", 400, REQUEST, "unsupported_parameter", "tools"),
        (400, '"x" does not support thinking', 400, REQUEST, "unsupported_value", "reasoning_effort"),
        (400, LEVELS, 400, REQUEST, "unsupported_value", "reasoning_effort"),
        (400, '"x" does not support chat', 400, REQUEST, "unsupported_parameter", "model"),
        (400, '"x" does not support generate', 400, REQUEST, "unsupported_parameter", "model"),
        (400, "x does not support insert", 400, REQUEST, "unsupported_parameter", "suffix"),
        (400, LONG_PROMPT, 400, REQUEST, TOO_LONG, "messages"),
        (400, "the input length exceeds the context length", 400, REQUEST, TOO_LONG, "input"),
        (400, json.dumps(ENGINE), 400, REQUEST, TOO_LONG, "messages"),
        (500, json.dumps(ENGINE), 400, REQUEST, TOO_LONG, "messages"),
        (400, "illegal base64 data at input byte 4", 400, REQUEST, "invalid_base64_image", "messages"),
        (400, "anything else", 400, REQUEST, None, None),
        (413, "too large", 413, REQUEST, None, None),
        (500, 'option "stop" must be of type array', 400, REQUEST, "invalid_type", "stop"),
        (500, 'option "stop" must be of an array of strings', 400, REQUEST, "invalid_type", "stop"),
        (500, "invalid format: expected json", 400, REQUEST, "invalid_value", "response_format"),
        (401, "unauthorized", 502, "api_error", "upstream_auth_error", None),
        (403, "ollama cloud is disabled: x", 502, "api_error", "upstream_auth_error", None),
        (429, "slow down", 429, "requests", "rate_limit_exceeded", None),
        (503, BUSY, 503, "server_error", "server_overloaded", None),
        (500, "model runner has unexpectedly stopped, x", 502, "api_error", "upstream_error", None),
        (502, "x", 502, "api_error", "upstream_error", None),
        (504, "x", 504, "api_error", "upstream_timeout", None),
        (499, "request canceled", 502, "api_error", "upstream_error", None),
    ],
)
def test_what_an_error_is_called_elsewhere(
    status: int, text: str, becomes: int, type: str, code: str | None, param: str | None
) -> None:
    error = read(status, text)
    assert (error.status, error.type, error.code, error.param) == (becomes, type, code, param)


def test_its_words_are_kept_and_a_document_inside_is_unwrapped() -> None:
    assert read(400, "anything else").message == "anything else"
    assert read(400, json.dumps(ENGINE)).message == "too many tokens"
    assert read(500, json.dumps({"error": json.dumps({"error": "inner"})})).message == "inner"
    assert read(400, {"message": "an object", "type": "x"}).message == "an object"
    assert read(400, "{not json").message == "{not json"
    assert read(400, "{}").message == "{}"


def test_an_empty_403_is_about_host_or_origin() -> None:
    error = read(403, b"")
    assert isinstance(error, UpstreamRefusedUs)
    assert (error.status, error.code) == (502, "upstream_forbidden")


@pytest.mark.parametrize(
    ("status", "body"), [(404, b"404 page not found"), (405, b"405 method not allowed"), (405, b"")]
)
def test_a_route_that_the_server_lacks_is_not_the_callers_fault(status: int, body: bytes) -> None:
    error = read(status, body)
    assert (error.status, error.code, error.origin, error.retryable) == (502, "upstream_error", "upstream", False)
    assert "page" not in error.message


def test_an_empty_404_is_the_answer_to_a_head() -> None:
    assert read(404, b"").status == 404


@pytest.mark.parametrize("body", [b"", b"<html>secret", b"[1]", b'{"error":""}', b'{"error":{}}', b"\xff"])
@pytest.mark.parametrize("status", [400, 418, 429, 500, 503])
def test_what_is_no_error_object_is_still_an_error_and_its_text_stays_inside(status: int, body: bytes) -> None:
    error = read(status, body)
    assert error.message == f"The upstream answered with status {status}."
    assert f"status {status}" in (error.detail or "")
    assert "secret" not in (error.detail or "")


def test_how_long_to_wait_is_passed_on_and_a_busy_server_means_a_second() -> None:
    assert read(429, "x", retry_after="7").retry_after == 7
    assert read(429, "x").retry_after is None
    assert read(503, "server busy").retry_after == 1
    assert read(503, "server busy", retry_after="3").retry_after == 3


def test_which_statuses_are_worth_another_try() -> None:
    again = {status for status in range(400, 600) if read(status, "x").retryable}
    assert again == {408, 409, 429, 500, 502, 503, 504}


def test_which_statuses_are_the_callers_fault_and_stay() -> None:
    """Not those about the gateway's own key, its haste or the server's state; what the words say is above."""
    faults = {status: read(status, "x") for status in range(400, 600)}
    callers = {status for status, error in faults.items() if error.origin == "caller"}
    assert callers == {*range(400, 500)} - {401, 403, 405, 408, 429, 499}
    kept = {status for status, error in faults.items() if error.status == status}
    assert kept == callers | {429, 502, 503, 504}
    assert {error.status for status, error in faults.items() if status not in kept} == {502}


@pytest.mark.parametrize(
    ("status", "text"), [(404, "model 'x' not found"), (500, 'option "x" must be of type integer')]
)
def test_words_that_blame_the_caller_make_trying_again_vain(status: int, text: str) -> None:
    error = read(status, text)
    assert (error.origin, error.retryable) == ("caller", False)


@given(
    status=st.integers(300, 599),
    body=st.binary(max_size=20) | st.text(max_size=20).map(lambda t: json.dumps({"error": t}).encode()),
)
def test_law_44_no_upstream_error_becomes_a_401_and_every_answer_has_the_two_shapes(status: int, body: bytes) -> None:
    error = Ollama().decode_error(status, Headers(), body)
    assert error.public().keys() == {"message", "type", "param", "code"}
    reply = Ollama().error_reply(error, "asked")
    assert reply.status in {*range(400, 500), 502, 503, 504} - {401, 403}
    said = json.loads(reply.body)
    assert said.keys() == {"error"}
    assert isinstance(said["error"], str)
    assert said["error"]


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (InvalidRequest("bad", param="x"), 400, "bad"),
        (
            ModelNotFound("The model `m` does not exist or you do not have access to it."),
            404,
            "model 'asked' not found",
        ),
        (UpstreamRejected("no such", status=404, code="model_not_found"), 404, "model 'asked' not found"),
        (NotFound("Invalid URL (GET /x)"), 404, "Invalid URL (GET /x)"),
        (MethodNotAllowed("Not allowed: PUT."), 405, "Not allowed: PUT."),
        (Unauthenticated("Incorrect API key."), 401, "unauthorized"),
        (UpstreamRefusedUs("The upstream refused."), 502, "The upstream refused."),
        (UpstreamRejected("key", status=401), 502, "key"),
        (RateLimited("slow", retry_after=2), 429, "slow"),
        (GatewayError("", status=500), 500, "the gateway failed"),
    ],
)
def test_how_an_ollama_client_is_told(error: GatewayError, status: int, text: str) -> None:
    reply = Ollama().error_reply(error, "asked")
    assert (reply.status, json.loads(reply.body)) == (status, {"error": text})
    assert reply.content_type == "application/json; charset=utf-8"


@pytest.mark.parametrize("body", [b"{}", b'{"error":null}', b'{"error":""}', b"junk"])
def test_no_error_in_band_is_none(body: bytes) -> None:
    assert in_band(body) is None


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        ({"error": "boom"}, 502, "upstream_error", "boom"),
        ({"error": {"message": "boom"}}, 502, "upstream_error", "boom"),
        ({"error": {"x": 1}}, 502, "upstream_error", "The upstream failed while answering."),
        ({"error": "slow", "StatusCode": 429, "Status": "429 Too Many"}, 429, "rate_limit_exceeded", "slow"),
        ({"error": "crash", "StatusCode": 500}, 502, "upstream_error", "crash"),
        ({"error": "odd", "StatusCode": 200}, 502, "upstream_error", "odd"),
        ({"error": "no", "StatusCode": 401}, 502, "upstream_auth_error", REFUSED),
        ({"error": 'invalid format: "yaml"'}, 400, "invalid_value", 'invalid format: "yaml"'),
        ({"error": json.dumps(ENGINE)}, 400, TOO_LONG, "too many tokens"),
        ({"error": json.dumps(NESTED)}, 400, TOO_LONG, "m"),
    ],
)
def test_an_error_in_band(body: Any, status: int, code: str, message: str) -> None:
    error = in_band(json.dumps(body).encode())
    assert error is not None
    assert (error.status, error.code, error.message) == (status, code, message)
    assert error.work_done == "maybe"
