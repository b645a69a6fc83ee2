"""A payload keeps what it does not understand byte for byte, and refuses what no upstream would read the same way."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import InvalidRequest, Payload
from pipeline.payload import _PIECE_BYTES

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=5), VALUES, max_size=5)


@given(values=OBJECTS)
def test_what_is_parsed_reads_and_encodes_as_what_was_sent(values: dict[str, Any]) -> None:
    payload = Payload.parse(json.dumps(values).encode())
    assert dict(payload) == values
    assert json.loads(payload.encode()) == values
    assert dict(Payload(values)) == values


@given(values=OBJECTS, change=VALUES)
def test_a_change_touches_its_own_field_only(values: dict[str, Any], change: Any) -> None:
    before = Payload.parse(json.dumps(values).encode())
    looked_at = dict(before)
    assert json.loads(before.with_(model=change).encode()) == {**values, "model": change}
    rest = {key: value for key, value in values.items() if key != "model"}
    assert json.loads(before.without("model", "absent").encode()) == rest
    assert dict(before) == looked_at == values


def test_an_unknown_field_keeps_its_bytes() -> None:
    odd = b'{ "b" : [1.50, 1e2, "\\u0041", {"z":1,"a":2}] }'
    changed = Payload.parse(b'{"odd":' + odd + b',"model":"a"}').with_(model="b")
    assert changed.encode() == b'{"odd":' + odd + b',"model":"b"}'
    assert Payload.parse(b'{"odd":' + odd + b',"x":1}').without("x").encode() == b'{"odd":' + odd + b"}"


def test_looking_at_a_field_does_not_rewrite_it() -> None:
    payload = Payload.parse(b'{"a":[ 1.50 ]}')
    assert payload["a"] == [1.5]
    assert payload["a"] is payload["a"], "decoded once"
    assert payload.encode() == b'{"a":[ 1.50 ]}'


def test_a_changed_field_shows_its_new_value_after_a_look_at_the_old_one() -> None:
    payload = Payload.parse(b'{"a":1}')
    assert payload["a"] == 1
    assert payload.with_(a=2)["a"] == 2
    assert payload.with_(a=msgspec.Raw(b"3"))["a"] == 3
    assert "a" not in payload.without("a")
    assert payload.without("a").get("a") is None


def test_of_duplicate_keys_the_last_wins_and_only_that_one_is_sent() -> None:
    payload = Payload.parse(b'{"model":"cheap","n":1,"model":"dear"}')
    assert payload["model"] == "dear"
    assert payload.encode().count(b"model") == 1
    assert json.loads(payload.encode())["model"] == payload["model"], "what was checked is what is sent"


@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b" ",
            b"[]",
            b"null",
            b'"a"',
            b"1",
            b"{",
            b'{"a"}',
            b'{"a":1,}',
            b"{a:1}",
            b'{"a":1} {"b":2}',
            b"{'a':1}",
        ),
        *(b'{"a":NaN}', b'{"a":[NaN]}', b'{"a":Infinity}', b'{"a":-Infinity}', b'{"a":01}', b'{"a":[tru]}'),
        *(b'{"a":"\x01"}', b'{"a":"\\q"}', b'\xef\xbb\xbf{"a":1}', '{"a":1}'.encode("utf-16")),
    ],
)
def test_what_is_not_one_json_object_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|utf-8|truncated|Expected"):
        Payload.parse(body)


@given(
    before=st.integers(-8, 8).map(lambda off: _PIECE_BYTES + off - len(b'{"a":"')),
    odd=st.sampled_from(["é", "東", "🙂"]).flatmap(
        lambda char: st.integers(0, len(char.encode())).map(lambda cut: char.encode()[:cut])
    ),
    after=st.sampled_from([b"", "🙂".encode() * _PIECE_BYTES, b"b" * _PIECE_BYTES]),
)
def test_text_is_text_wherever_the_look_at_it_pauses(before: int, odd: bytes, after: bytes) -> None:
    body = b'{"a":"' + b"a" * before + odd + after + b'"}'
    try:
        text: str | None = body.decode()
    except UnicodeDecodeError:
        text = None
    if text is None:
        with pytest.raises(ValueError, match="utf-8"):
            Payload.parse(body)
    else:
        assert Payload.parse(body)["a"] == json.loads(text)["a"]


@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe2\x82"])
@pytest.mark.parametrize("at", [b'{"%s":1}', b'{"a":"%s"}', b'{"a":["%s"]}', b'{"a":{"b":{"%s":1}}}'])
def test_invalid_utf8_is_refused_even_where_nobody_looks(bad: bytes, at: bytes) -> None:
    with pytest.raises(ValueError, match="utf-8"):
        Payload.parse(at.replace(b"%s", bad))


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_without_end_is_a_value_error(opening: bytes, closing: bytes) -> None:
    deep = opening * 100_000 + b"1" + closing * 100_000
    with pytest.raises(ValueError, match="nested too deeply"):
        Payload.parse(b'{"messages":' + deep + b"}")


@pytest.mark.parametrize("number", [b"1e999", b"-1e999", b"9" * 5000, b"[1e999]"])
def test_a_number_that_python_cannot_hold_is_the_caller_s_mistake_and_is_named(number: bytes) -> None:
    payload = Payload.parse(b'{"seed":' + number + b"}")
    assert payload.encode() == b'{"seed":' + number + b"}", "nobody looked: the upstream decides"
    with pytest.raises(InvalidRequest, match="seed") as caught:
        payload["seed"]
    assert caught.value.param == "seed"


def test_nesting_too_deep_to_look_at_is_the_caller_s_mistake() -> None:
    payload = Payload.parse(b'{"a":' + b"[" * 800 + b"]" * 800 + b"}")

    def look_from_far_down(levels: int) -> Any:
        return look_from_far_down(levels - 1) if levels else payload["a"]

    with pytest.raises(InvalidRequest):
        look_from_far_down(300)
    assert isinstance(payload["a"], list)


def test_it_is_a_mapping_that_shows_only_its_keys() -> None:
    payload = Payload.parse(b'{"prompt":"s3cr3t","n":1}')
    assert (list(payload), len(payload), "n" in payload, "m" in payload) == (["prompt", "n"], 2, True, False)
    assert repr(payload) == "Payload(prompt, n)"
    with pytest.raises(KeyError):
        payload["m"]


def test_it_keeps_no_tie_to_the_dict_it_was_made_of() -> None:
    values = {"a": 1}
    payload = Payload(values)
    values["a"] = 2
    assert payload["a"] == 1


def test_the_json_text_of_a_field_is_as_it_was_sent_or_as_it_will_be() -> None:
    payload = Payload.parse(b'{"a":[ 1 ],"n":null}').with_(b={"x": [1]})
    assert [payload.raw(key) for key in ("a", "n", "b", "absent")] == [b"[ 1 ]", b"null", b'{"x":[1]}', None]
