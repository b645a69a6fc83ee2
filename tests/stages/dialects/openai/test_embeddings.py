"""Embeddings in the form that was asked for (protocol.md 2.7, 3.6; laws 40, 41)."""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Event, InvalidRequest, UpstreamGarbage
from tests.stages.dialects.openai.abroad import answer, request_for
from tests.stages.dialects.openai.schema import check_embeddings


def embedded(*vectors: Any, dialect: str = "other", indices: list[Any] | None = None, **asked: Any) -> Any:
    data = [
        {"index": index, "embedding": vector, "native": 1}
        for index, vector in zip(indices or range(len(vectors)), vectors, strict=True)
    ]
    told = Event({"data": data, "usage": {"prompt_tokens": 3}, "total_duration": 5}, dialect=dialect)
    request = request_for("embedding", stream=False, **{"input": ["x"] * len(vectors), **asked})
    whole = answer(request, [told])
    if asked.get("encoding_format") is None:
        check_embeddings(whole)
    return whole


def base64_of(*numbers: float) -> str:
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def test_the_list_in_this_protocols_form() -> None:
    whole = embedded([0.5, 1.0], [1.5])
    assert whole == {
        "object": "list",
        "model": "asked",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.5, 1.0]},
            {"object": "embedding", "index": 1, "embedding": [1.5]},
        ],
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }


@given(numbers=st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=5), text=st.booleans())
def test_law_40_base64_and_float_are_the_same_float32(numbers: list[float], text: bool) -> None:
    vector: Any = base64_of(*numbers) if text else numbers
    finite = [number for number in numbers if abs(number) < 1e39] == numbers
    encoded = embedded(vector, encoding_format="Base64")["data"][0]["embedding"]
    assert list(struct.unpack(f"<{len(numbers)}f", b64decode(encoded))) == numbers
    if finite:
        assert embedded(vector, encoding_format="float")["data"][0]["embedding"] == numbers
        assert embedded(vector)["data"][0]["embedding"] == numbers


def test_law_41_vectors_stand_in_the_order_of_their_inputs() -> None:
    data = embedded([1.0], [2.0], [3.0], indices=[2, 0, 1])["data"]
    assert [(item["index"], item["embedding"]) for item in data] == [(0, [2.0]), (1, [3.0]), (2, [1.0])]
    data = embedded([1.0], [2.0], indices=[0, 0])["data"]
    assert [(item["index"], item["embedding"]) for item in data] == [(0, [1.0]), (1, [2.0])]


@pytest.mark.parametrize("inputs", ["x", ["x", "y", "z"]])
def test_law_41_another_number_of_vectors_is_the_servers_fault(inputs: Any) -> None:
    with pytest.raises(UpstreamGarbage):
        embedded([1.0], [2.0], input=inputs)


@pytest.mark.parametrize("vector", [[0.5, 0.5], base64_of(0.5, 0.5)])
def test_a_vector_shorter_than_asked_is_refused(vector: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        embedded(vector, dimensions=3)
    assert caught.value.param == "dimensions"
    assert len(embedded(vector, dimensions=2)["data"]) == 1


@pytest.mark.parametrize("vector", [None, 5, "!", "QQ==", ["x"], [None], [1e300]])
def test_what_is_no_vector_is_the_servers_fault(vector: Any) -> None:
    with pytest.raises(UpstreamGarbage) as caught:
        embedded(vector, encoding_format="base64", dimensions=1)
    assert caught.value.work_done == "maybe"


def test_a_server_of_this_dialect_is_corrected_only_where_a_form_was_named() -> None:
    text = base64_of(0.5)
    assert embedded([0.5], dialect="openai", encoding_format="base64")["data"][0]["embedding"] == text
    assert embedded(text, dialect="openai", encoding_format="float")["data"][0]["embedding"] == [0.5]
    whole = embedded([0.5], dialect="openai", dimensions=9, encoding_format="int8")
    assert (whole["data"][0]["embedding"], whole["data"][0]["native"]) == ([0.5], 1)
