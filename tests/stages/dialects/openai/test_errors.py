"""Every way an upstream says no becomes one typed error, and every error has OpenAI's four keys (law 44)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import GatewayError, Headers, InvalidRequest, UpstreamRefusedUs
from stages.dialects.openai.dialect import OpenAI
from tests.stages.dialects.openai.schema import check_error


def test_a_missing_model_is_called_as_the_caller_called_it() -> None:
    error = OpenAI().decode_error(404, Headers(), b'{"error": {"message": "no `theirs`", "code": "model_not_found"}}')
    told = json.loads(OpenAI().error_reply(error, "mine").body)["error"]
    assert "mine" in told["message"]
    assert "theirs" not in told["message"]
    own = json.loads(OpenAI().error_reply(InvalidRequest("no", code="model_not_found"), "mine").body)["error"]
    assert own["message"] == "no"


def decoded(status: int, body: bytes, headers: dict[str, str] | None = None) -> GatewayError:
    return OpenAI().decode_error(status, Headers(headers or {}), body)


def error(**fields: Any) -> bytes:
    return json.dumps({"error": fields}).encode()


FULL = error(message="m", type="invalid_request_error", param="p", code="c")
QUOTA = error(message="m", type="insufficient_quota", code="insufficient_quota")
LLAMA_CONTEXT = error(code=400, message="too long", type="exceed_context_size_error", n_prompt_tokens=9, n_ctx=4)
HTML = b"<html><h1>502 Bad Gateway</h1></html>"


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        # status, type, code, retryable
        (400, FULL, (400, "invalid_request_error", "c", False)),
        (400, LLAMA_CONTEXT, (400, "exceed_context_size_error", "context_length_exceeded", False)),
        (400, error(message="m", code="too_long"), (400, "invalid_request_error", "too_long", False)),
        (404, error(message="m", code=404, type="not_found_error"), (404, "not_found_error", "model_not_found", False)),
        (404, error(message="m"), (404, "invalid_request_error", "model_not_found", False)),
        (422, error(message="m"), (422, "invalid_request_error", None, False)),
        (408, error(message="m"), (408, "invalid_request_error", None, True)),
        (429, error(message="m"), (429, "requests", "rate_limit_exceeded", True)),
        (429, b'{"error": "slow down"}', (429, "requests", "rate_limit_exceeded", True)),
        (429, HTML, (429, "requests", "rate_limit_exceeded", True)),
        (429, QUOTA, (429, "insufficient_quota", "insufficient_quota", False)),
        (500, error(message="m", code=500, type="server_error"), (500, "server_error", None, True)),
        (500, b"", (500, "server_error", "upstream_error", True)),
        (501, error(message="m"), (502, "api_error", None, False)),
        (502, HTML, (502, "api_error", "upstream_error", True)),
        (503, error(message="loading", code=503, type="unavailable_error"), (503, "unavailable_error", None, True)),
        (504, HTML, (504, "api_error", "upstream_error", True)),
        (529, HTML, (502, "api_error", "upstream_error", True)),
        (599, b"\xff", (502, "api_error", "upstream_error", False)),
    ],
)  # fmt: skip
def test_an_upstreams_error_keeps_its_meaning(
    status: int, body: bytes, expected: tuple[int, str, str | None, bool]
) -> None:
    found = decoded(status, body)
    assert (found.status, found.type, found.code, found.retryable) == expected
    check_error(json.loads(OpenAI().error_reply(found).body))


def test_which_statuses_are_worth_another_try() -> None:
    again = {status for status in range(400, 600) if decoded(status, error(message="m")).retryable}
    assert again == {408, 409, 429, 500, 502, 503, 504, 529}


def test_which_statuses_are_the_callers_fault_and_which_stay() -> None:
    """Not those about the gateway's own key, its haste or the server's state."""
    faults = {status: decoded(status, error(message="m")) for status in range(400, 600)}
    callers = {status for status, fault in faults.items() if fault.origin == "caller"}
    assert callers == {*range(400, 500)} - {401, 403, 408, 429}
    kept = {status for status, fault in faults.items() if fault.status == status}
    assert kept == callers | {408, 429, 500, 502, 503, 504}
    assert {fault.status for status, fault in faults.items() if status not in kept} == {502}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (error(message="the words"), "the words"),
        (b'{"error": "the words"}', "the words"),
        (error(message=5), "The upstream answered with status 400."),
        (error(code=400), "The upstream answered with status 400."),
        (HTML, "The upstream answered with status 400."),
        (b'{"detail": "secret"}', "The upstream answered with status 400."),
        (b"[" * 100_000, "The upstream answered with status 400."),
        (b"\xff\xfe", "The upstream answered with status 400."),
        (b"null", "The upstream answered with status 400."),
    ],
)
def test_an_upstreams_words_are_kept_only_where_they_are_an_error(body: bytes, message: str) -> None:
    found = decoded(400, body)
    assert found.message == message
    assert message == "the words" or found.detail is not None


def test_param_is_kept_if_it_is_a_name() -> None:
    assert decoded(400, error(message="m", param="messages[0]")).param == "messages[0]"
    assert decoded(400, error(message="m", param=3)).param is None
    assert decoded(400, error(message="m", param="")).param is None


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", [error(message="Incorrect API key: sk-abc"), HTML, b""])
def test_law_44_refused_credentials_are_the_gateways_and_never_a_401(status: int, body: bytes) -> None:
    found = decoded(status, body)
    assert isinstance(found, UpstreamRefusedUs)
    assert (found.status, found.type, found.code, found.retryable) == (502, "api_error", "upstream_auth_error", False)
    assert "sk-abc" not in found.message + str(found.facts())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"Retry-After": " 2.5 "}, 2.5),
        ({"retry-after-ms": "1500", "retry-after": "7"}, 1.5),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": ""}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("body", [error(message="m"), HTML])
def test_retry_after_is_kept(headers: dict[str, str], seconds: float | None, body: bytes) -> None:
    for status in (429, 503):
        assert decoded(status, body, headers).retry_after == seconds


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["error", "message", "type", "code", "param", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(status=st.integers(400, 599), body=anything.map(lambda value: json.dumps(value).encode()) | st.binary())
def test_law_44_any_error_body_is_one_typed_error_with_a_status_that_callers_know(status: int, body: bytes) -> None:
    found = decoded(status, body)
    assert found.status in {*range(400, 500), 500, 502, 503, 504} - {401, 403}
    assert found.work_done == "no"
    check_error(json.loads(OpenAI().error_reply(found).body))


def test_an_error_body_is_one_line_of_json() -> None:
    body = OpenAI().error_reply(InvalidRequest("a\u2028b\nc", param="p", code="c")).body
    assert len(body.decode().splitlines()) == 1
    assert json.loads(body) == {
        "error": {"message": "a\u2028b\nc", "type": "invalid_request_error", "param": "p", "code": "c"}
    }
