"""Reading a client's request: what is malformed is a 400 that names the field; nothing is ever another exception."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Asked, InvalidRequest, Request
from stages.dialects.openai import requests
from stages.dialects.openai.dialect import OpenAI

MESSAGES = [{"role": "user", "content": "Hi"}]
GOOD: dict[str, dict[str, Any]] = {
    "chat": {"model": "m", "messages": MESSAGES},
    "completion": {"model": "m", "prompt": "Hi"},
    "embedding": {"model": "m", "input": "Hi"},
}
OPERATIONS = tuple(GOOD)
DEEP = b"[" * 100_000 + b"]" * 100_000


def read(operation: str, body: bytes) -> Asked:
    return OpenAI().decode_request(operation, body, "")


def refused(operation: str, body: bytes) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        read(operation, body)
    assert caught.value.status == 400
    assert caught.value.message
    return caught.value


def read_or_refused(operation: str, body: bytes) -> Asked | InvalidRequest:
    try:
        return read(operation, body)
    except InvalidRequest as error:
        return error


@pytest.mark.parametrize(
    ("operation", "change", "param", "code"),
    [
        *((operation, {"model": ...}, "model", "missing_required_parameter") for operation in OPERATIONS),
        *((operation, {"model": None}, "model", "missing_required_parameter") for operation in OPERATIONS),
        *((operation, {"model": 5}, "model", "invalid_type") for operation in OPERATIONS),
        *((operation, {"model": ""}, "model", "invalid_type") for operation in OPERATIONS),
        *((operation, {"model": ["m"]}, "model", "invalid_type") for operation in OPERATIONS),
        ("chat", {"messages": ...}, "messages", "missing_required_parameter"),
        ("chat", {"messages": None}, "messages", "missing_required_parameter"),
        ("chat", {"messages": "Hi"}, "messages", "invalid_type"),
        ("chat", {"messages": {"0": {}}}, "messages", "invalid_type"),
        ("chat", {"messages": []}, "messages", "invalid_value"),
        ("chat", {"messages": ["Hi"]}, "messages[0]", "invalid_type"),
        ("chat", {"messages": [MESSAGES[0], None]}, "messages[1]", "invalid_type"),
        ("embedding", {"input": ...}, "input", "missing_required_parameter"),
        ("embedding", {"input": None}, "input", "missing_required_parameter"),
        *((operation, {"stream": "true"}, "stream", "invalid_type") for operation in OPERATIONS),
        *((operation, {"stream": 1}, "stream", "invalid_type") for operation in OPERATIONS),
        ("chat", {"stream": True, "stream_options": True}, "stream_options", "invalid_type"),
        ("chat", {"stream": True, "stream_options": []}, "stream_options", "invalid_type"),
        ("chat", {"stream_options": {"include_usage": True}}, "stream_options", "invalid_value"),
        ("chat", {"stream": False, "stream_options": {"include_usage": True}}, "stream_options", "invalid_value"),
    ],
)
def test_a_malformed_field_is_named(operation: str, change: dict[str, Any], param: str, code: str) -> None:
    fields = {key: value for key, value in {**GOOD[operation], **change}.items() if value is not ...}
    error = refused(operation, json.dumps(fields).encode())
    assert (error.param, error.code, error.type) == (param, code, "invalid_request_error")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "body",
    [
        *(b"", b" ", b"null", b"5", b'"text"', b"[]", b"{", b"{}}", b"{'model': 1}", b"not json", b"\xff\xfe"),
        *(b'{"model": NaN}', b'{"model": Infinity}', b'\xef\xbb\xbf{"model": "m"}', DEEP, b'{"x": ' + DEEP + b"}"),
        b'{"model": "m", "messages": [{"role": "user", "content": "\xff"}], "input": "\xff", "prompt": "\xff"}',
    ],
    ids=range(17),
)
def test_a_body_that_is_no_json_object_is_refused(operation: str, body: bytes) -> None:
    assert refused(operation, body).code == "invalid_json"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"model": 1e999, "messages": [{}]}', "model"),
        (b'{"model": "m", "messages": [{"a": "\\ud800"}]}', None),
        (b'{"model": "m", "messages": [{}], "stream": 1e999}', "stream"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused(body: bytes, param: str | None) -> None:
    assert refused("chat", body).param == param


def test_of_duplicate_keys_the_last_counts_for_the_check_and_for_the_upstream() -> None:
    asked = read("chat", b'{"model": "a", "messages": [{}], "model": "b"}')
    assert asked.model == "b"
    assert json.loads(asked.payload.encode()) == {"model": "b", "messages": [{}]}
    assert asked.payload.encode().count(b'"model"') == 1
    assert refused("chat", b'{"model": "a", "messages": [{}], "messages": []}').param == "messages"


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "m", "messages": [{}]}',
        b'{"model": "a", "messages": [{}], "mo\\u0064el": "b"}',
        b'{"model": 1, "messages": [{}], "model": "b"}',
        b'{"model": "a", "messages": [], "messages": [{}], "stream": "x", "stream": true}',
        b'{"model": "a", "messages": [{}], "stream": true, "stream": null}',
        b'{"model": "a", "messages": [{}], "stream_options": {}}',
        b'{"model": "a", "messages": [{}], "stream": true, "stream_options": {"include_usage": true}}',
        b'{"model": "a", "messages": [{}], "stream_options": {"include_usage": true}}',
        b'{"model": "a", "messages": [{}], "stream": true, "stream_options": {"x": 1e999}}',
        b'{"model": "a", "messages": [{}, 1]}',
        b'{"model": "\\ud800", "messages": [{}]}',
        b'{"model": "' + b"m" * 512 + b'", "messages": [{}]}',
        b'{"model": "' + "é".encode() * 512 + b'", "messages": [{}]}',
        b'{"model": "' + b"m" * 513 + b'", "messages": [{}]}',
        b'{"model": "", "messages": [{}]}',
    ],
)
def test_the_quick_look_finds_what_the_long_one_finds(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def said() -> object:
        found = read_or_refused("chat", body)
        return found if isinstance(found, Asked) else found.facts() | {"message": found.message, "param": found.param}

    quick = said()
    monkeypatch.setattr(requests, "_look", lambda body: None)
    assert quick == said()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_not_ours_to_check_passes(operation: str) -> None:
    """The upstream knows better which parameters are real (`n` of any type, tools, extras)."""
    extra = {"n": "many", "temperature": None, "tools": 5, "x_unknown": {"a": [1]}, "stream_options": None, "user": 7}
    asked = read(operation, json.dumps({**GOOD[operation], **extra}).encode())
    assert asked.model == "m"
    call = OpenAI().encode_request(Request(operation, model="m", payload=asked.payload))
    assert json.loads(call.body) == {**GOOD[operation], **extra}


@pytest.mark.parametrize(
    ("operation", "stream", "expected"),
    [
        ("chat", True, True),
        ("chat", False, False),
        ("chat", None, False),
        ("completion", True, True),
        ("embedding", True, False),
    ],
)
def test_who_asked_for_a_stream(operation: str, stream: bool | None, expected: bool) -> None:
    assert read(operation, json.dumps({**GOOD[operation], "stream": stream}).encode()).stream is expected
    assert read(operation, json.dumps(GOOD[operation]).encode()).stream is False


def test_questions_about_models_need_no_body() -> None:
    assert OpenAI().decode_request("models.show", b"rubbish", "org/m").model == "org/m"
    assert OpenAI().decode_request("models.list", b"", "").model == ""


@pytest.mark.parametrize(
    ("operation", "path"),
    [("chat", "/chat/completions"), ("completion", "/completions"), ("embedding", "/embeddings")],
)
@pytest.mark.parametrize(("stream", "accept"), [(True, "text/event-stream"), (False, "application/json")])
def test_a_call_says_where_and_what_it_accepts(operation: str, path: str, stream: bool, accept: str) -> None:
    call = OpenAI().encode_request(Request(operation, payload=GOOD[operation], stream=stream))
    assert (call.method, call.path) == ("POST", path)
    assert dict(call.headers) == {"content-type": "application/json", "accept": accept}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["model", "messages", "input", "stream", "stream_options", "role", "content", "n"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=10,
)


@given(operation=st.sampled_from(OPERATIONS), body=json_values.map(lambda v: json.dumps(v).encode()) | st.binary())
def test_law_6_any_bytes_are_a_request_or_a_typed_400(operation: str, body: bytes) -> None:
    asked = read_or_refused(operation, body)
    if isinstance(asked, InvalidRequest):
        assert asked.status == 400
        assert asked.param or asked.code == "invalid_json"
    else:
        assert asked.model
        assert isinstance(asked.stream, bool)
        dict(asked.payload)


@given(operation=st.sampled_from(OPERATIONS), changes=json_values.filter(lambda value: isinstance(value, dict)))
def test_law_6_a_good_request_with_any_fields_is_read_or_refused_by_name(
    operation: str, changes: dict[str, Any]
) -> None:
    body = json.dumps({**GOOD[operation], **changes}, allow_nan=True).encode()
    asked = read_or_refused(operation, body)
    if isinstance(asked, InvalidRequest):
        assert asked.code == "invalid_json" or (asked.param or "").split("[")[0] in {**GOOD[operation], **changes}
    else:
        assert set(asked.payload) == {**GOOD[operation], **changes}.keys()


def test_messages_are_looked_at_one_level_deep() -> None:
    """A long history is not decoded here; what in it cannot be read is a typed refusal to whoever looks."""
    payload = OpenAI().decode_request("chat", b'{"model": "m", "messages": [{"a": 1e999}]}', "").payload
    with pytest.raises(InvalidRequest) as caught:
        payload.get("messages")
    assert caught.value.param == "messages"


def test_a_model_name_without_end_is_refused() -> None:
    error = refused("chat", b'{"model": "%s", "messages": [{}]}' % (b"m" * 513))
    assert (error.param, error.code) == ("model", "string_above_max_length")
