"""A client's request, read as Go would: what is malformed is a 400 that names the field (protocol.md 1.1, 1.4-1.8)."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Asked, InvalidRequest
from stages.dialects.ollama.requests import decode_request
from stages.dialects.ollama.structs import STRUCTS

GET = ("models.list", "models.running", "version", "alive")
STREAMED = ("chat", "completion", "manage.pull", "manage.push", "manage.create")
DIGEST = "sha256:" + "a" * 64
DEEP = b"[" * 100_000 + b"]" * 100_000


def decode(operation: str, body: bytes) -> Asked:
    return decode_request(operation, body, "")


def asked(operation: str, **fields: Any) -> Asked:
    return decode(operation, json.dumps(fields).encode())


def refused(operation: str, body: bytes) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        decode(operation, body)
    return caught.value


def where(operation: str) -> str:
    return "source" if operation == "manage.copy" else "model"


@pytest.mark.parametrize("operation", STRUCTS)
@pytest.mark.parametrize("body", [b"", b"  \n", b"\t"])
def test_an_empty_body_is_missing(operation: str, body: bytes) -> None:
    assert refused(operation, body).message == "missing request body"


@pytest.mark.parametrize("operation", STRUCTS)
@pytest.mark.parametrize("body", [b"{}", b"null", b'{"model": null}', b'{"model": ""}', b'{"source": null}'])
def test_a_missing_model_is_told_as_the_server_does(operation: str, body: bytes) -> None:
    error = refused(operation, body)
    if operation in ("completion", "embedding"):
        assert (error.status, error.message, error.param) == (404, "model '' not found", "model")
    else:
        assert (error.status, error.message, error.param) == (400, f"{where(operation)} is required", where(operation))


@pytest.mark.parametrize(
    ("body", "kind"), [(b"[]", "array"), (b'"m"', "string"), (b"5", "number"), (b"5.5", "number"), (b"true", "bool")]
)
def test_a_body_that_is_no_object_is_refused(body: bytes, kind: str) -> None:
    error = refused("chat", body)
    assert error.message.startswith(f"json: cannot unmarshal {kind}")
    assert error.message.endswith(" into Go value of type api.ChatRequest")


@pytest.mark.parametrize(
    "body",
    [
        *(b"{", b'{"model": NaN}', b"{'model': 1}", b"\xff", b'{"model": "\xff"}', b"\xef\xbb\xbf{}", DEEP),
        *(b'{"x": ' + DEEP, b'{"model": "m", "messages": [{"content": "\\ud800"}]}', b'\xff{"model": "m"}'),
        b'{"x":' + b"9" * 5000,
    ],
    ids=range(11),
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    error = refused("chat", body)
    assert (error.status, error.code) == (400, "invalid_json")


@pytest.mark.parametrize("after", [b"x", b"{", b' {"model": "other"}', b"\xff\xfe", b"\n]]]"])
def test_what_follows_the_first_value_is_not_looked_at(after: bytes) -> None:
    found = decode("chat", b' {"model": "m", "n": 12345678901234567890123, "x": "\xc3\xa9"}' + after)
    assert found.model == "m"
    assert found.payload.encode() == b'{"model":"m","n":12345678901234567890123,"x":"\xc3\xa9"}'


TYPES = {
    "string": (
        *("model", "name", "source", "destination", "prompt", "suffix", "system", "template", "from", "quantize"),
        *("quantization", "renderer", "parser", "requires", "remote_host", "draft_quantize"),
    ),
    "bool": (
        *("stream", "truncate", "shift", "logprobs", "raw", "verbose", "insecure"),
        *("_debug_render_only",),
    ),
    "int": ("top_logprobs", "dimensions"),
    "[]int": ("context",),
    "[]api.Message": ("messages",),
    "[]api.ImageData": ("images",),
    "api.Tools": ("tools",),
    "map[string]interface {}": ("options", "parameters", "info"),
    "map[string]string": ("files", "adapters", "draft_files"),
}
SEVERAL = {"format", "think", "keep_alive", "input", "license"}
EXAMPLES = {"string": "a", "bool": True, "int": 1, "array": [], "object": {}}
NAMES = {
    "chat": "ChatRequest",
    "completion": "GenerateRequest",
    "models.show": "ShowRequest",
    "embedding": "EmbedRequest",
    "embedding.single": "EmbeddingRequest",
    **{f"manage.{what}": f"{what.title()}Request" for what in ("pull", "push", "create", "copy", "delete")},
}


def test_what_go_calls_the_type_of_each_field() -> None:
    """Clients show the server's words to their users, so each is told as the server tells it."""
    types = {field: type for type, fields in TYPES.items() for field in fields}
    for operation, struct in STRUCTS.items():
        for field in struct.fields.keys() - SEVERAL:
            wanted = types[field]
            kind = "object" if wanted.startswith("map") else wanted if wanted in EXAMPLES else "array"
            for other in EXAMPLES.keys() - {kind}:
                error = refused(operation, json.dumps({where(operation): "m", field: EXAMPLES[other]}).encode())
                found, place = "number" if other == "int" else other, f"{NAMES[operation]}.{field}"
                assert error.message == f"json: cannot unmarshal {found} into Go struct field {place} of type {wanted}"
                assert error.param == field
            asked(operation, **{where(operation): "m", field: EXAMPLES[kind]})


@pytest.mark.parametrize(
    ("operation", "field", "value", "said"),
    [
        ("chat", "model", 5, "number into Go struct field ChatRequest.model of type string"),
        ("chat", "model", 5.5, "number into Go struct field ChatRequest.model of type string"),
        ("chat", "messages", "Hi", "string into Go struct field ChatRequest.messages of type []api.Message"),
        ("chat", "stream", "true", "string into Go struct field ChatRequest.stream of type bool"),
        ("chat", "stream", 1, "number into Go struct field ChatRequest.stream of type bool"),
        ("chat", "options", [], "array into Go struct field ChatRequest.options of type map[string]interface {}"),
        ("chat", "tools", {}, "object into Go struct field ChatRequest.tools of type api.Tools"),
        ("chat", "top_logprobs", 1.0, "number 1.0 into Go struct field ChatRequest.top_logprobs of type int"),
        (
            "chat",
            "top_logprobs",
            10**30,
            "number 1" + "0" * 30 + " into Go struct field ChatRequest.top_logprobs of type int",
        ),
        ("chat", "top_logprobs", True, "bool into Go struct field ChatRequest.top_logprobs of type int"),
        ("completion", "prompt", ["a"], "array into Go struct field GenerateRequest.prompt of type string"),
        ("completion", "raw", 0, "number into Go struct field GenerateRequest.raw of type bool"),
        ("completion", "context", "1", "string into Go struct field GenerateRequest.context of type []int"),
        ("embedding", "truncate", {}, "object into Go struct field EmbedRequest.truncate of type bool"),
        ("embedding.single", "prompt", 1, "number into Go struct field EmbeddingRequest.prompt of type string"),
        ("models.show", "name", [], "array into Go struct field ShowRequest.name of type string"),
        ("manage.pull", "insecure", "", "string into Go struct field PullRequest.insecure of type bool"),
        ("manage.create", "files", [], "array into Go struct field CreateRequest.files of type map[string]string"),
        ("manage.copy", "destination", 1, "number into Go struct field CopyRequest.destination of type string"),
    ],
)
def test_a_wrong_type_is_told_in_gos_words(operation: str, field: str, value: Any, said: str) -> None:
    body = json.dumps({where(operation): "m", field: value}).encode()
    error = refused(operation, body)
    assert error.message == f"json: cannot unmarshal {said}"
    assert (error.status, error.param) == (400, field)


@pytest.mark.parametrize(
    ("number", "fits"), [(2**63 - 1, True), (2**63, False), (-(2**63), True), (-(2**63) - 1, False)]
)
def test_an_integer_has_64_bits(number: int, fits: bool) -> None:
    body = json.dumps({"model": "m", "dimensions": number}).encode()
    if fits:
        assert decode("embedding", body).payload["dimensions"] == number
    else:
        assert refused("embedding", body).param == "dimensions"


@pytest.mark.parametrize("operation", STRUCTS)
def test_null_is_not_set(operation: str) -> None:
    nulls = dict.fromkeys(STRUCTS[operation].fields)
    assert asked(operation, **{**nulls, where(operation): "m"}).model == "m"


@pytest.mark.parametrize("operation", STRUCTS)
def test_only_some_operations_stream_and_these_do_by_default(operation: str) -> None:
    named = {where(operation): "m"}
    assert asked(operation, **named).stream is (operation in STREAMED)
    assert asked(operation, **named, stream=None).stream is (operation in STREAMED)
    assert asked(operation, **named, stream=False).stream is False


@pytest.mark.parametrize("operation", GET)
def test_what_is_only_got_has_no_body(operation: str) -> None:
    found = decode_request(operation, b"\xff not json", "ignored")
    assert (found.model, dict(found.payload), found.stream) == ("", {}, False)


def test_keys_match_whatever_their_case_and_the_last_counts() -> None:
    found = decode("chat", b'{"model":"a","MODEL":"b","Stream":true,"model":"c","\xc5\xbftream":false,"Unknown":[1]}')
    assert (found.model, found.stream) == ("c", False)
    assert json.loads(found.payload.encode()) == {"model": "c", "stream": False, "Unknown": [1]}
    assert decode("chat", b'{"Model":"a","model":"b","mOdel":"c"}').model == "c"
    assert decode("chat", b'{"mOdel":"c","x":{"model":"inner"},"Model":"d"}').model == "d"


def test_a_value_keeps_its_bytes_when_its_key_is_put_right() -> None:
    found = decode("chat", b'{"Model":"m","MESSAGES":[{"n":1.00,"s":"\\u00e9"}]}')
    assert found.payload.encode() == b'{"model":"m","messages":[{"n":1.00,"s":"\\u00e9"}]}'


@pytest.mark.parametrize("operation", ["models.show", "manage.pull", "manage.push", "manage.delete", "manage.create"])
def test_name_is_an_old_word_for_model(operation: str) -> None:
    found = asked(operation, name="old")
    assert (found.model, dict(found.payload)) == ("old", {"model": "old"})
    assert asked(operation, name="old", model="new").model == "new"
    assert asked(operation, name="old", model="").model == "old"


def test_elsewhere_name_is_no_word_for_model() -> None:
    assert refused("chat", b'{"name": "m"}').param == "model"


def test_copying_names_its_source() -> None:
    assert asked("manage.copy", source="a", destination="b").model == "a"


@pytest.mark.parametrize("operation", STRUCTS)
def test_a_models_name_has_a_bound(operation: str) -> None:
    assert asked(operation, **{where(operation): "m" * 512}).model == "m" * 512
    error = refused(operation, json.dumps({where(operation): "m" * 513}).encode())
    assert error.code == "string_above_max_length"


def test_a_blob_is_bytes_and_a_digest() -> None:
    found = decode_request("manage.blob.push", b"\x00\xff", DIGEST)
    assert dict(found.payload) == {"digest": DIGEST, "content": b"\x00\xff"}
    assert (found.model, found.stream) == ("", False)


@pytest.mark.parametrize("digest", ["", "sha256:", DIGEST[:-1], DIGEST + "a", DIGEST + "\n", f"../{DIGEST}", "a" * 64])
def test_nothing_but_a_digest_gets_into_a_path(digest: str) -> None:
    for operation in ("manage.blob.push", "manage.blob.check"):
        with pytest.raises(InvalidRequest, match="invalid digest format"):
            decode_request(operation, b"", digest)


@given(st.sampled_from(sorted(STRUCTS)), st.binary() | st.text().map(str.encode))
def test_no_bytes_raise_anything_else(operation: str, body: bytes) -> None:
    for whole in (body, b'{"model":"m",' + body, b'{"model":"m"}' + body):
        with suppress(InvalidRequest):
            decode(operation, whole)
