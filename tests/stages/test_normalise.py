"""When an answer is put right, when only renamed, and when it is left alone byte for byte."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest

from pipeline import (
    CHOICE,
    END,
    ORIGINAL,
    TARGET_USED,
    Body,
    Event,
    InvalidRequest,
    Payload,
    Request,
    Response,
    Target,
)
from stages.dialects.openai.dialect import OpenAI
from stages.normalise import Normalise
from tests.pipeline.fakes import FakeSource as LineSource
from tests.pipeline.fakes import LineDecoder, texts
from tests.stages.dialects.openai.bent_stream import DONE, frame
from tests.stages.dialects.openai.good import EMBEDDINGS
from tests.stages.dialects.openai.schema import check_embeddings, check_text_completion
from tests.stages.dialects.openai.served import JSON, SSE, chat, serve
from tests.stages.dialects.openai.stream_schema import check_text_stream, parse_stream
from tests.stages.fakes import FakeClock, Next, fake_host
from tests.stages.transform.toy_dialects import Asks

BENT = frame({"choices": [{"delta": {"content": "Hi"}, "finish_reason": ""}], "odd": 1})


@pytest.mark.parametrize(
    ("shape", "upstream_model", "touched"),
    [
        ("complete", "asked", True),
        ("complete", "theirs", True),
        ("forward", "asked", False),
        ("forward", "theirs", False),
    ],
)
async def test_forward_repairs_nothing(
    shape: Literal["complete", "forward"], upstream_model: str, touched: bool
) -> None:
    served = await serve(chat(stream=True), [BENT, DONE], content_type=SSE, shape=shape, upstream_model=upstream_model)
    assert (BENT not in served.body) == touched


async def test_the_time_is_the_hosts_where_the_upstream_has_none() -> None:
    clock = FakeClock(1_234_567.9)
    request = chat(stream=False)
    chunk = Event({"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]})
    response = Response(Body.of([chunk, END])).with_slot(TARGET_USED, Target("up", "m"))
    normalise = Normalise(Normalise.Settings(), fake_host(clock=clock))
    await normalise(request, Next(lambda _: response))
    response.body.bind(OpenAI().encoder(request))
    assert (await response.body.collect())["created"] == 1_234_567


@pytest.mark.parametrize("shape", ["complete", "forward"])
@pytest.mark.parametrize("operation", ["models.list", "models.show"])
async def test_answers_about_models_are_left_alone(shape: Any, operation: str) -> None:
    response = Response(Body.of([]))
    normalise = Normalise(Normalise.Settings(shape=shape), fake_host())
    assert await normalise(Request(operation, dialect="openai"), Next(lambda _: response)) is response


def asks_host() -> Any:
    return fake_host(implementations={("dialect", "asks"): Asks})


def written_anew(operation: str) -> Request:
    """A request that `transform` has made something else of; the caller's own is in its slot."""
    own = Request("chat", model="asked", dialect="asks", id="r1", payload={"say": ["hi"]})
    return own.with_slot(ORIGINAL, own).evolve(operation=operation, model="theirs", payload=Payload({"other": 1}))


def in_lines(dialect: str, model: str = "theirs") -> Response:
    body = Body(LineSource(b"a\n.\n"), LineDecoder(dialect=dialect))
    return Response(body).with_slot(TARGET_USED, Target("up", model))


@pytest.mark.parametrize("operation", ["chat", "completion", "models.list"])
async def test_what_the_caller_asked_decides_how_the_answer_looks(operation: str) -> None:
    normalise = Normalise(Normalise.Settings(reasoning_fields=["thoughts"]), asks_host())
    response = await normalise(written_anew(operation), Next(lambda _: in_lines("asks")))
    first = await anext(response.body)
    assert first.data["completed"] == {"model": "asked", "id": "r1", "asked": "chat", "reasoning": ["thoughts"]}


async def test_a_request_about_models_is_left_alone_whatever_it_has_become() -> None:
    own = Request("models.list", dialect="asks")
    response = in_lines("tells")
    await Normalise(Normalise.Settings(), asks_host())(
        own.with_slot(ORIGINAL, own).evolve(operation="chat"), Next(lambda _: response)
    )
    assert "completed" not in (await anext(response.body)).data


@pytest.mark.parametrize("model", ["asked", "theirs"])
async def test_an_answer_in_another_dialect_is_completed_with_either_shape(model: str) -> None:
    normalise = Normalise(Normalise.Settings(shape="forward"), asks_host())
    response = await normalise(written_anew("chat"), Next(lambda _: in_lines("tells", model)))
    assert (await anext(response.body)).data["completed"]["model"] == "asked"


async def test_an_answer_in_the_caller_s_dialect_is_forwarded() -> None:
    normalise = Normalise(Normalise.Settings(shape="forward"), asks_host())
    response = await normalise(written_anew("chat"), Next(lambda _: in_lines("asks", "asked")))
    assert "completed" not in (await anext(response.body)).data
    assert await texts(response.body) == []


@pytest.mark.parametrize(("slots", "index"), [([], 0), ([0], 0), ([2], 2)])
async def test_a_call_for_one_choice_of_several_is_completed_as_that_choice(slots: list[int], index: int) -> None:
    """The echo of a prompt is one of the things that depend on it."""
    own = Request("completion", model="m", dialect="openai", id="r", payload={"prompt": ["a", "b", "c"], "echo": True})
    request = own.with_slot(ORIGINAL, own)
    for choice in slots:
        request = request.with_slot(CHOICE, choice)
    said = Event({"choices": [{"index": 0, "text": "!", "finish_reason": "stop"}]}, dialect="tells")
    response = Response(Body.of([said, Event({"choices": []}), END])).with_slot(TARGET_USED, Target("up", "m"))
    await Normalise(Normalise.Settings(), fake_host())(request, Next(lambda _: response))
    choices = [choice async for event in response.body for choice in event.data.get("choices", ())]
    assert {choice["index"] for choice in choices} == {index}
    assert "".join(choice["text"] for choice in choices) == "abc"[index] + "!"


async def test_a_request_that_nobody_kept_is_its_own_original() -> None:
    request = Request("chat", model="m", dialect="asks", id="r2")
    response = await Normalise(Normalise.Settings(), asks_host())(request, Next(lambda _: in_lines("asks")))
    assert (await anext(response.body)).data["completed"]["id"] == "r2"


TEXT_CHUNKS: list[Any] = [
    {"choices": [{"text": "Hi"}]},
    {"choices": [{"index": 0, "text": " you", "logprobs": {"tokens": [" you"]}, "finish_reason": ""}]},
    {"choices": [{"index": 1, "text": None}]},
    {"choices": [{"index": 1, "text": "!", "finish_reason": "tool_calls"}]},
    {"choices": [{"index": 0, "finish_reason": "length"}], "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
]


async def test_text_completions_are_put_right_as_streams() -> None:
    request = chat(stream=True, operation="completion", usage=True)
    parsed = parse_stream((await serve(request, [*map(frame, TEXT_CHUNKS), DONE], content_type=SSE)).body)
    assert parsed.done
    check_text_stream(parsed.chunks, usage="required")
    texts = ["".join(c["text"] for chunk in parsed.chunks for c in chunk["choices"] if c["index"] == i) for i in (0, 1)]
    assert texts == ["Hi you", "!"]


async def test_text_completions_are_put_right_as_wholes() -> None:
    request = chat(stream=False, operation="completion")
    value = json.loads((await serve(request, [*map(frame, TEXT_CHUNKS), DONE], content_type=SSE)).body)
    check_text_completion(value)
    assert [(choice["text"], choice["finish_reason"]) for choice in value["choices"]] == [
        ("Hi you", "length"),
        ("!", "stop"),
    ]
    assert value["usage"]["total_tokens"] == 3
    whole = {"choices": [{"text": "Hi"}, {"index": 1, "text": None, "finish_reason": "eos"}]}
    value = json.loads((await serve(request, [json.dumps(whole).encode()], content_type=JSON)).body)
    check_text_completion(value)
    assert [choice["text"] for choice in value["choices"]] == ["Hi", ""]


@pytest.mark.parametrize(
    "bent",
    [
        EMBEDDINGS,
        {"data": [{"embedding": [0.5]}, {"embedding": [1.5], "index": None}]},
        {"data": [{"embedding": [0.5], "index": "0", "object": None}], "model": None, "usage": None, "object": 1},
        {"data": [{"embedding": [0.5], "index": 0}], "usage": {"prompt_tokens": 4}, "extra": 1},
    ],
)
async def test_law_41_embeddings_are_put_right_in_order(bent: dict[str, Any]) -> None:
    request = chat(stream=False, operation="embedding")
    value = json.loads((await serve(request, [json.dumps(bent).encode()], content_type=JSON)).body)
    check_embeddings(value)
    assert [item["embedding"] for item in value["data"]] == [item["embedding"] for item in bent["data"]]
    assert value["model"] == "asked"
    assert value["usage"]["prompt_tokens"] == ((bent.get("usage") or {}).get("prompt_tokens") or 0)
    assert value.get("extra") == bent.get("extra")


@pytest.mark.parametrize("bent", [{}, {"data": None}, {"data": []}, {"embedding": [1.0]}])
async def test_an_embedding_answer_without_vectors_is_the_upstreams_fault(bent: dict[str, Any]) -> None:
    request = chat(stream=False, operation="embedding")
    served = await serve(request, [json.dumps(bent).encode()], content_type=JSON)
    assert served.raised is not None
    assert served.raised.code == "upstream_protocol_error"


async def test_an_answer_that_cannot_be_put_right_is_let_go() -> None:
    """What the caller asked is decoded only here: an error of theirs must not cost the upstream's connection."""
    source = LineSource()
    payload = Payload.parse(b'{"model": "m", "input": "x", "dimensions": 1e999}')
    request = Request("embedding", dialect="openai", model="m", payload=payload)
    stage = Normalise(Normalise.Settings(), fake_host())
    with pytest.raises(InvalidRequest):
        await stage(request, Next(lambda _: Response(Body(source, LineDecoder()))))
    assert source.closed
