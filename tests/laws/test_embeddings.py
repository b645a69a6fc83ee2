"""Laws 40 and 41: vectors (protocol.md 3.6, 6)."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Data
from stages.dialects.openai.conformance_answers import pack, unpack
from tests.laws.answered import MODEL, Pair, serve
from tests.laws.often import often
from tests.laws.translated import KITS, OLLAMA, OPENAI

O_FROM_L = Pair(OPENAI, OLLAMA, "embedding", "embedding", {"model": MODEL, "input": ["a", "b"]})
L_FROM_O = Pair(OLLAMA, OPENAI, "embedding", "embedding", {"model": MODEL, "input": ["a", "b"]})
SINGLE = Pair(OLLAMA, OPENAI, "embedding.single", "embedding", {"model": MODEL, "prompt": "a"})
O_FROM_O = Pair(OPENAI, OPENAI, "embedding", "embedding", {"model": MODEL, "input": ["a", "b"]})


def vectors(pair: Pair, answer: Data, **more: Any) -> Data:
    """The client's answer. It asked for as many vectors as there are."""
    count = size(answer)
    request = {**pair.request, **more}
    if "input" in request:
        request["input"] = [f"text {at}" for at in range(count)]
    asking = Pair(pair.client, pair.upstream, pair.operation, pair.there, request)
    # Neither protocol streams vectors; Ollama's has no field for it.
    served = serve(asking, [json.dumps(answer).encode()], stream=False)
    assert served.raised is None, repr(served.raised)
    found: Data = json.loads(served.body)
    return found


def size(answer: Data) -> int:
    """How many vectors it has."""
    return len(answer["embeddings"] if "embeddings" in answer else answer["data"])


def single(vector: list[float]) -> list[float]:
    """As float32 holds it."""
    return unpack(pack(vector))


@pytest.mark.parametrize("pair", [O_FROM_L, O_FROM_O], ids=str)
@often
@given(data=st.data())
def test_law_40_base64_and_floats_are_the_same_vectors(pair: Pair, data: st.DataObject) -> None:
    answer = data.draw(KITS[pair.upstream.name].answers("embedding"))
    said = answer.get("embeddings") or [unpack(one["embedding"]) for one in by_index(answer)]
    packed = vectors(pair, answer, encoding_format="base64")
    plain = vectors(pair, answer, encoding_format="float")
    assert all(isinstance(one["embedding"], str) for one in packed["data"])
    assert all(isinstance(one["embedding"], list) for one in plain["data"])
    for got in (packed, plain):
        assert [unpack(one["embedding"]) for one in got["data"]] == [single(vector) for vector in said]


def by_index(answer: Data) -> list[Data]:
    return sorted(answer["data"], key=lambda one: int(one["index"]))


@often
@given(answer=KITS["openai"].answers("embedding"))
def test_law_40_ollama_clients_get_unit_vectors(answer: Data) -> None:
    got = vectors(L_FROM_O, answer)["embeddings"]
    for vector, one in zip(got, by_index(answer), strict=True):
        given = unpack(one["embedding"])
        length = math.hypot(*given)
        if length > 1e-30:
            assert math.hypot(*vector) == pytest.approx(1)
            assert vector == pytest.approx([number / length for number in given], abs=1e-6)


@often
@given(answer=KITS["openai"].answers("embedding"))
def test_law_40_the_old_path_of_ollama_gives_the_vector_as_it_is(answer: Data) -> None:
    got = vectors(SINGLE, {**answer, "data": by_index(answer)[:1]})
    assert set(got) == {"embedding"}
    assert got["embedding"] == pytest.approx(unpack(by_index(answer)[0]["embedding"]), rel=1e-6)


@pytest.mark.parametrize("pair", [O_FROM_L, L_FROM_O, O_FROM_O], ids=str)
@often
@given(data=st.data())
def test_law_41_each_vector_is_that_of_its_input(pair: Pair, data: st.DataObject) -> None:
    answer = data.draw(KITS[pair.upstream.name].answers("embedding"))
    got = vectors(pair, answer)
    KITS[pair.client.name].check("embedding", got, model=MODEL)
    count = size(answer)
    assert size(got) == count
    used = answer.get("prompt_eval_count", answer.get("usage", {}).get("prompt_tokens", 0))
    told = got["usage"]["prompt_tokens"] if "usage" in got else got.get("prompt_eval_count", 0)
    assert told == used


@pytest.mark.parametrize("pair", [O_FROM_L, L_FROM_O], ids=str)
@often
@given(data=st.data(), missing=st.booleans())
def test_law_41_one_vector_too_few_or_too_many_is_no_answer(pair: Pair, missing: bool, data: st.DataObject) -> None:
    """Vectors that cannot be told apart would be stored under the wrong texts."""
    answer = data.draw(KITS[pair.upstream.name].answers("embedding"))
    count = size(answer) + (1 if missing else -1)
    if count:
        request = {**pair.request, "input": [f"text {at}" for at in range(count)]}
        asking = Pair(pair.client, pair.upstream, pair.operation, pair.there, request)
        served = serve(asking, [json.dumps(answer).encode()], stream=False)
        assert served.raised is not None
        assert served.raised.status == 502
