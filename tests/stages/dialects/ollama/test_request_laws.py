"""The laws of requests (protocol.md section 6) on this dialect's halves of a translation, over generated requests."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline import (
    AnswerFormat,
    Audio,
    CallerError,
    Given,
    Image,
    InvalidRequest,
    Losses,
    Message,
    ModelCard,
    NeutralRequest,
    Parameter,
    Request,
    Target,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    TranslationRules,
)
from stages.dialects.ollama.read import read
from stages.dialects.ollama.requests import encode_request
from stages.dialects.ollama.structs import STRUCTS
from stages.dialects.ollama.write import write
from tests.stages.dialects.ollama.asking import GOOD, JPEG, PNG, TRANSLATED, WAV, asked, exists

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
IMAGES = st.sampled_from([PNG, JPEG, WAV, "aGk="])
WORDS = st.sampled_from(["", "a", "json", "5m", "x\ny", "[img]", "system", "user", "assistant", "tool", "low"])


def bent(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """An object of some of these fields, now and then of another kind, with a key in another case, or no object."""
    either = {key: st.one_of(*(value,) * 9, JSON) for key, value in fields.items()}
    shouted = {key.title(): value for key, value in fields.items()}
    whole = st.fixed_dictionaries({}, optional=either)
    return st.one_of(*(whole,) * 7, st.fixed_dictionaries({}, optional={**either, **shouted}), JSON)


CALLS = bent(
    {
        "id": WORDS,
        "function": bent(
            {"name": st.just("f"), "index": st.integers(0, 3), "arguments": st.dictionaries(WORDS, JSON, max_size=2)}
        ),
    }
)
MESSAGES = bent(
    {
        "role": st.sampled_from(["system", "user", "Assistant", "TOOL"]),
        **dict.fromkeys(("content", "thinking", "tool_name", "tool_call_id"), WORDS),
        "images": st.lists(IMAGES, max_size=2),
        "tool_calls": st.lists(CALLS, max_size=2),
    }
)
OPTIONS = bent(
    {
        **dict.fromkeys(("temperature", "top_p", "min_p"), st.floats(0, 3)),
        **dict.fromkeys(("seed", "num_predict", "num_ctx", "top_k", "num_gpu"), st.integers(-2, 9) | st.just(7.5)),
        "stop": WORDS | st.lists(WORDS, max_size=3),
        "use_mmap": st.booleans(),
    }
)
TOOLS = bent({"type": st.just("function"), "function": bent({"name": WORDS, "description": WORDS, "parameters": JSON})})
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "model": st.just("m"),
    "messages": st.lists(MESSAGES, max_size=3),
    "options": OPTIONS,
    "tools": st.lists(TOOLS, max_size=2),
    "images": st.lists(IMAGES, max_size=2),
    "format": st.sampled_from([None, "", "json", {"type": "object"}]),
    "think": st.booleans() | st.sampled_from(["low", "max"]),
    "keep_alive": st.sampled_from([0, -1, 1.5, "5m", "0"]),
    "input": WORDS | st.lists(WORDS, max_size=3),
    "context": st.lists(st.integers(), max_size=2),
    "top_logprobs": st.integers(-1, 21),
    "dimensions": st.integers(-1, 9),
    **dict.fromkeys(("stream", "raw", "truncate", "shift", "logprobs", "_debug_render_only"), st.booleans()),
    **dict.fromkeys(("prompt", "suffix", "system", "template"), WORDS),
}
RULES = st.builds(
    TranslationRules, emulate=st.sets(st.sampled_from(["chat_template", "n", "tool_choice"])).map(frozenset)
)


def requests(operation: str) -> st.SearchStrategy[Any]:
    fields = bent({name: VALUES[name] for name in STRUCTS[operation].fields})
    return fields.map(lambda said: {**GOOD[operation], **said} if isinstance(said, dict) else said)


ANY = st.sampled_from(TRANSLATED).flatmap(lambda operation: st.tuples(st.just(operation), requests(operation)))


def translated(operation: str, fields: Any, rules: TranslationRules) -> CallerError | None:
    """Through both halves and onto the wire; what stopped it on the way."""
    try:
        request = asked(operation, fields)
        found = read(request, Losses(rules))
        assert read(request, Losses(rules)) == found, "law 5: equal inputs, equal outputs"
        if isinstance(found, NeutralRequest):
            assert found.stream is (found.operation != "embedding" and request.stream)
            for call in write(found, Target("up", "m"), Losses(rules), profile="ollama"):
                encode_request(Request(call.operation, payload=dict(call.payload), stream=found.stream))
    except CallerError as error:
        return error
    return None


@given(ANY, RULES)
def test_law_6_any_json_is_a_request_or_a_refusal_that_names_a_place(pair: Any, rules: TranslationRules) -> None:
    operation, fields = pair
    before = copy.deepcopy(fields)
    error = translated(operation, fields, rules)
    assert fields == before
    if error is None:
        return
    assert isinstance(error, InvalidRequest)
    assert 400 <= error.status < 500
    assert error.message
    if isinstance(fields, dict):
        assert error.param
        assert exists(fields, error.param) or error.param == "model", error.param


@given(requests("chat"), st.sampled_from(["zzz", "Zz", "tool_choice", "n"]), JSON)
def test_law_14_an_unknown_key_changes_nothing_else(fields: Any, key: str, value: Any) -> None:
    def outcome(said: Any) -> Any:
        losses = Losses()
        try:
            return read(asked("chat", said), losses), losses.header()
        except InvalidRequest as error:
            return error.param, error.message

    if isinstance(fields, dict) and key not in fields:
        assert outcome({**fields, key: value}) == outcome(fields)


@given(st.lists(st.tuples(WORDS, st.lists(IMAGES, max_size=3)), min_size=1, max_size=4))
def test_law_9_and_10_reading_keeps_messages_and_images(said: list[tuple[str, list[str]]]) -> None:
    given_ = [{"role": "user", "content": text, "images": images} for text, images in said]
    found = read(asked("chat", {"model": "m", "messages": given_}), Losses())
    assert isinstance(found, NeutralRequest)
    assert len(found.messages) == len(given_)
    images = [part.data for message in found.messages for part in message.parts if not isinstance(part, Text)]
    assert images == [image for _, images in said for image in images]


PARTS = st.builds(Text, WORDS) | st.builds(Image, IMAGES) | st.builds(Audio, st.just(WAV))
NEUTRAL_MESSAGES = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    parts=st.lists(PARTS, max_size=3).map(tuple),
    reasoning=WORDS,
    calls=st.lists(st.builds(ToolCall, st.just("f"), st.just({"a": 1}), st.none() | st.just("c")), max_size=2).map(
        tuple
    ),
    call_id=st.none() | st.just("c"),
)
NEUTRAL_VALUES: dict[Parameter, st.SearchStrategy[Any]] = {
    Parameter.TEMPERATURE: st.floats(0, 9),
    Parameter.MAX_TOKENS: st.integers(1, 9),
    Parameter.SEED: st.integers(),
    Parameter.STOP: st.lists(st.just("x"), min_size=1, max_size=2),
    Parameter.REASONING: st.sampled_from(["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
    Parameter.NUM_CTX: st.integers(1, 9),
    Parameter.SERVER_OPTIONS: st.just({"num_gpu": 1}),
    Parameter.LOGPROBS: st.just(True),
    Parameter.VERBOSITY: st.just("low"),
    Parameter.PARALLEL_TOOL_CALLS: st.booleans(),
}
CARDS = st.none() | st.builds(
    ModelCard,
    st.just("m"),
    capabilities=st.none()
    | st.just(("completion", "vision", "audio", "tools"))
    | st.just(("tools", "thinking", "vision", "audio")),
    server_version=st.sampled_from([None, "0.0.0", "0.4.0", "0.9.0", "0.12.11", "0.31.0"]),
)
CHATS = st.builds(
    NeutralRequest,
    operation=st.just("chat"),
    stream=st.booleans(),
    messages=st.lists(NEUTRAL_MESSAGES, min_size=1, max_size=4).map(tuple),
    tools=st.sampled_from([(), (Tool("f"),), (Tool("f"), Tool("g", "G", {"properties": {}}))]),
    tool_choice=st.none() | st.builds(ToolChoice, st.sampled_from(["auto", "none"]), st.sampled_from([None, ("f",)])),
    format=st.none() | st.builds(AnswerFormat),
    parameters=st.fixed_dictionaries({}, optional=NEUTRAL_VALUES).map(
        lambda values: {parameter: Given(value, parameter.key) for parameter, value in values.items()}
    ),
)


@given(CHATS, CARDS)
def test_laws_of_writing(chat: NeutralRequest, card: ModelCard | None) -> None:
    target, before = Target("up", "m", card), copy.deepcopy(chat)
    losses = Losses()
    (call,) = write(chat, target, losses, profile="ollama")
    assert chat == before
    assert list(write(chat, target, Losses(), profile="ollama")) == [call], "law 5"
    said = call.payload

    places = {"temperature": "temperature", "num_predict": "max_tokens", "seed": "seed", "stop": "stop"}
    keys = {parameter.key for parameter in chat.parameters}
    for name in said.get("options", {}):
        assert {"num_ctx": "num_ctx", "num_gpu": "options", **places}[name] in keys, "law 7"
    assert said.get("options") != {}, "law 7"

    assert [message["role"] for message in said["messages"]] == [message.role for message in chat.messages], "law 9"
    images = [image for message in said["messages"] for image in message.get("images", [])]
    given_ = [part.data for message in chat.messages for part in message.parts if not isinstance(part, Text)]
    assert images == given_, "law 10"
    assert said["stream"] is chat.stream, "law 11"
    if chat.tool_choice is not None and chat.tool_choice.mode == "none":
        assert "tools" not in said, "law 12"

    for parameter, given_value in chat.parameters.items():
        silent = given_value.value in ("none", True) or not chat.tools or parameter is Parameter.SERVER_OPTIONS
        told = {"reasoning": "think", "logprobs": "logprobs"}.get(parameter.key)
        if parameter is Parameter.VERBOSITY or (told and told not in said and given_value.value != "none"):
            assert given_value.path in losses.dropped, "law 8"
        elif parameter is Parameter.PARALLEL_TOOL_CALLS and silent:
            assert given_value.path not in losses.dropped
