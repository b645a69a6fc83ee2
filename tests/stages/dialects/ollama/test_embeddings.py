"""Embeddings, both ways (protocol.md 1.6, 3.6; laws 40, 41)."""

from __future__ import annotations

import base64
import json
import math
import struct
from typing import Any

import pytest

from pipeline import END, Data, Event
from stages.dialects.ollama.dialect import Ollama
from tests.stages.dialects.ollama.served import JSON, NOW, Ticks, as_line, ask, serve
from tests.stages.dialects.served import Served
from tests.stages.fakes import FakeClock

OURS = as_line({"model": "theirs", "embeddings": [[0.6, 0.8], [1, 0]], "total_duration": 5, "prompt_eval_count": 3})


async def answered(data: Any, operation: str = "embedding", **fields: Any) -> Served:
    """The answer of an Ollama face to an OpenAI list."""
    answer = json.dumps({"object": "list", "data": data, "model": "theirs", **fields}).encode()
    request = ask(stream=False, operation=operation)
    inputs = ["text"] * (len(data or ()) or 1)
    request = request.evolve(payload=request.payload.with_(input=inputs if len(inputs) > 1 else "text"))
    return await serve(request, [answer], upstream="openai", operation="embedding", clock=Ticks(NOW))


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


async def test_vectors_are_sorted_unpacked_and_made_unit_vectors() -> None:
    data = [{"index": 1, "embedding": packed(0, -2.5)}, {"index": 0, "embedding": [3, 4]}]
    answer = (await answered(data, usage={"prompt_tokens": 7, "total_tokens": 7})).json
    assert answer.pop("total_duration") >= 1
    assert answer == {"model": "asked", "embeddings": [[0.6, 0.8], [0.0, -1.0]], "prompt_eval_count": 7}


async def test_the_older_call_has_one_vector_as_the_model_made_it() -> None:
    served = await answered([{"index": 0, "embedding": packed(3, 4)}], "embedding.single", usage={"prompt_tokens": 7})
    assert served.json == {"embedding": [3.0, 4.0]}


async def test_a_vector_without_length_stays() -> None:
    assert (await answered([{"embedding": [0, 0]}])).json["embeddings"] == [[0, 0]]


@pytest.mark.parametrize("embedding", [None, [], "", "!", "AAA=", "AAAAAAA=", ["a"], [True], [None], packed(math.inf)])
async def test_what_is_no_vector_is_garbage(embedding: Any) -> None:
    served = await answered([{"index": 0, "embedding": embedding}])
    assert served.raised is not None
    assert (served.raised.status, served.raised.code) == (502, "upstream_protocol_error")


async def test_law_41_another_number_of_vectors_than_of_inputs_is_garbage() -> None:
    request = ask(stream=False, operation="embedding")
    for inputs, vectors in ((["a", "b"], 1), (["a"], 2), ("a", 2)):
        answer = json.dumps({"data": [{"embedding": [1.0]}] * vectors}).encode()
        asked = request.evolve(payload=request.payload.with_(input=inputs))
        assert (await serve(asked, [answer], upstream="openai")).raised is not None


@pytest.mark.parametrize("data", [[], None])
async def test_an_answer_without_vectors_is_garbage(data: Any) -> None:
    assert (await answered(data)).raised is not None


@pytest.mark.parametrize(
    ("operation", "answer"),
    [("embedding", {"model": "asked", "embeddings": []}), ("embedding.single", {"embedding": []})],
)
def test_no_input_is_answered_with_no_vector(operation: str, answer: Data) -> None:
    request = ask(stream=False, operation=operation)
    complete = Ollama().completer(request, model="asked", id="x", clock=FakeClock())
    encoder = Ollama().encoder(request)
    for event in (Event({"data": []}), END):
        for made in complete(event):
            encoder.encode(made)
    assert json.loads(encoder.finish()) == answer


@pytest.mark.parametrize("shape", ["complete", "forward"])
async def test_of_an_ollama_server_only_the_name_is_changed(shape: Any) -> None:
    served = await serve(ask(stream=False, operation="embedding"), [OURS], shape=shape)
    assert served.json == {**json.loads(OURS), "model": "asked"}
    single = b'{"embedding":[3.0,4.0]}'
    assert (await serve(ask(stream=False, operation="embedding.single"), [single], shape=shape)).body == single


async def test_an_openai_client_gets_them_numbered_and_counted() -> None:
    request = ask(stream=False, operation="embedding", dialect="openai")
    request = request.evolve(payload=request.payload.with_(input=["one", "two"]))
    served = await serve(request, [OURS], content_type=JSON)
    assert [(item["index"], item["embedding"]) for item in served.json["data"]] == [(0, [0.6, 0.8]), (1, [1, 0])]
    assert served.json["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    assert served.outcome.usage is not None
    assert served.outcome.usage.input_tokens == 3


async def test_an_error_in_a_200_answer_is_an_error() -> None:
    served = await serve(ask(stream=False, operation="embedding"), [b'{"error":"boom"}'])
    assert served.raised is not None
    assert served.raised.message == "boom"
