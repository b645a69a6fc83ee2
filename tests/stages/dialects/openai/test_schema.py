"""The schema that judges the gateway is strict itself: good objects pass; every key dropped or bent is noticed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from tests.stages.dialects.openai import schema
from tests.stages.dialects.openai.good import CHAT, EMBEDDINGS, ERROR, MODELS, TEXT, chat_stream, text_stream
from tests.stages.dialects.openai.shape import Violation
from tests.stages.dialects.openai.stream_schema import check_chat_stream, check_text_stream, parse_stream

Check = Callable[[Any], None]


def chat_with_usage(chunks: Any) -> None:
    check_chat_stream(chunks, usage="required")


def text_without_usage(chunks: Any) -> None:
    check_text_stream(chunks, usage="absent")


GOOD: list[tuple[Check, Any]] = [
    (schema.check_chat_completion, CHAT),
    (schema.check_text_completion, TEXT),
    (schema.check_embeddings, EMBEDDINGS),
    (schema.check_model_list, MODELS),
    (schema.check_error, ERROR),
    (chat_with_usage, chat_stream()),
    (text_without_usage, text_stream()),
]

# Keys that a good object may lack: everything else that the examples hold is required.
OPTIONAL = {"usage", "tool_calls", "system_fingerprint", "extra", "content", "a token"}
UNKNOWN = {"extra"}
# No field of the schema is a boolean; beside that, what else must not stand where such a value stood.
WRONG: dict[type, tuple[Any, ...]] = {
    str: (5, {}, ["x"]),
    int: (-1, 1.5, "1", None),
    float: ("1", {}, []),
    dict: ([], "x", 5),
    list: ({}, 5, ["odd", {}, None, True]),
    type(None): (5, -1.5),
}


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every key and item inside `value`."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*path, key)
        yield from paths(item, (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


REQUIRED_KEYS = [
    pytest.param(check, good, path, id=f"{check.__name__}-{'.'.join(map(str, path))}")
    for check, good in GOOD
    for path in paths(good)
    if isinstance(path[-1], str) and path[-1] not in OPTIONAL and not UNKNOWN & set(path)
]
KNOWN_VALUES = [
    pytest.param(check, good, path, id=f"{check.__name__}-{'.'.join(map(str, path))}")
    for check, good in GOOD
    for path in paths(good)
    if not UNKNOWN & set(path)
]


@pytest.mark.parametrize(("check", "good"), GOOD, ids=lambda value: getattr(value, "__name__", ""))
def test_good_objects_pass_with_keys_that_nobody_knows(check: Check, good: Any) -> None:
    check(good)
    assert any(UNKNOWN & set(path) for path in paths(good)) or check is schema.check_error


@pytest.mark.parametrize(("check", "good", "path"), REQUIRED_KEYS)
def test_a_dropped_required_key_is_noticed(check: Check, good: Any, path: tuple[Any, ...]) -> None:
    bent = deepcopy(good)
    del at(bent, path[:-1])[path[-1]]
    with pytest.raises(Violation):
        check(bent)


@pytest.mark.parametrize(("check", "good", "path"), KNOWN_VALUES)
def test_a_value_of_another_type_is_noticed(check: Check, good: Any, path: tuple[Any, ...]) -> None:
    for wrong in (True, *WRONG[type(at(good, path))]):
        bent = deepcopy(good)
        at(bent, path[:-1])[path[-1]] = wrong
        with pytest.raises(Violation):
            check(bent)


def bent_streams() -> Iterator[tuple[str, list[Any]]]:
    """A good stream with one rule broken that no single chunk shows."""
    role, hi, _role_1, first, later, _second, stop, _stop_1, usage = range(9)

    def bent(change: Callable[[list[Any]], object]) -> list[Any]:
        stream = deepcopy(chat_stream())
        change(stream)
        return stream

    yield "role missing", bent(lambda s: s[role]["choices"][0]["delta"].pop("role"))
    yield "role twice", bent(lambda s: s[hi]["choices"][0]["delta"].update(role="assistant"))
    yield "text after the finish", bent(lambda s: s.insert(stop + 1, s[hi]))
    yield "two finishes", bent(lambda s: s.insert(stop, s[stop]))
    yield "no finish", bent(lambda s: s.pop(stop))
    yield "a finish that says something", bent(lambda s: s[stop]["choices"][0]["delta"].update(content="x"))
    yield "finish empty instead of null", bent(lambda s: s[hi]["choices"][0].update(finish_reason=""))
    yield "usage before the end", bent(lambda s: s.insert(0, s.pop(usage)))
    yield "usage in the finish chunk", bent(lambda s: s[stop].update(usage=s[usage]["usage"]))
    yield "no usage", bent(lambda s: s.pop(usage))
    yield "no null usage", bent(lambda s: s[hi].pop("usage"))
    yield "a wrong total", bent(lambda s: s[usage]["usage"].update(total_tokens=4))
    yield "another id", bent(lambda s: s[hi].update(id="other"))
    yield "another time", bent(lambda s: s[hi].update(created=1))
    yield "another model", bent(lambda s: s[hi].update(model="other"))
    yield "a call that skips an index", bent(lambda s: s[first]["choices"][0]["delta"]["tool_calls"][0].update(index=1))
    yield "a call's id twice", bent(lambda s: s[later]["choices"][0]["delta"]["tool_calls"][0].update(id="call_1"))
    yield (
        "a call's name twice",
        bent(lambda s: s[later]["choices"][0]["delta"]["tool_calls"][0]["function"].update(name="look")),
    )
    yield "an id of another call", bent(lambda s: s[5]["choices"][0]["delta"]["tool_calls"][0].update(id="call_1"))
    yield "stop in spite of calls", bent(lambda s: s[7]["choices"][0].update(finish_reason="stop"))
    yield (
        "a choice that skips an index",
        bent(lambda s: [c.update(index=5) for d in s for c in d["choices"] if c["index"]]),
    )
    yield "nothing", []


BENT = list(bent_streams())


@pytest.mark.parametrize("stream", [stream for _, stream in BENT], ids=[name for name, _ in BENT])
def test_a_broken_rule_of_streams_is_noticed(stream: list[Any]) -> None:
    with pytest.raises(Violation):
        chat_with_usage(stream)


def test_usage_is_refused_where_it_was_not_asked_for() -> None:
    with pytest.raises(Violation):
        check_chat_stream(chat_stream(), usage="absent")
    with pytest.raises(Violation):
        check_text_stream([*text_stream(), {**text_stream()[0], "choices": []}], usage="absent")


def test_a_whole_answer_is_held_to_what_its_fields_mean_together() -> None:
    for index, reason in ((0, "tool_calls"), (1, "stop")):
        bent = deepcopy(CHAT)
        bent["choices"][index]["finish_reason"] = reason
        with pytest.raises(Violation):
            schema.check_chat_completion(bent)


def test_two_calls_with_one_id_are_noticed() -> None:
    bent = deepcopy(CHAT)
    bent["choices"][1]["message"]["tool_calls"][1]["id"] = "call_1"
    with pytest.raises(Violation):
        schema.check_chat_completion(bent)


FRAME = b"data: " + json.dumps(chat_stream()[0]).encode() + b"\n\n"
DONE = b"data: [DONE]\n\n"
FAULT = b"data: " + json.dumps(ERROR).encode() + b"\n\n"


def test_a_stream_is_read_to_its_end() -> None:
    assert parse_stream(FRAME + DONE).done
    assert parse_stream(FRAME + FAULT).error == ERROR["error"]
    assert parse_stream(FRAME).chunks == chat_stream()[:1]


@pytest.mark.parametrize(
    "body",
    [
        FAULT + DONE,
        DONE + DONE,
        DONE + FRAME,
        FRAME[:-1],
        FRAME + b"\n\n",
        b": ping\n\n" + DONE,
        b"id: 1\n" + FRAME,
        b"data:{}\n\n",
        b"data: {}\ndata: {}\n\n",
        'data: {"a": "\u2028"}\n\n'.encode(),
        b"data: []\n\n",
        b'data: {"error": "text"}\n\n',
        b'data: {"error": {"message": "m", "type": "t", "param": null, "code": 5}}\n\n',
    ],
)
def test_loose_framing_is_noticed(body: bytes) -> None:
    with pytest.raises(Violation):
        parse_stream(body)
