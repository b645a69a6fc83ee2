"""The golden vectors A to E of protocol.md 3.10, through the whole response path."""

from __future__ import annotations

from typing import Any

from tests.stages.dialects.ollama.served import DONE, NOW, Ticks, ask, chunk, line, serve
from tests.stages.dialects.served import Served

THINKS = (
    b'{"model":"q","created_at":"2026-01-02T03:04:05.9Z",'
    b'"message":{"role":"assistant","content":"","thinking":"hm"},"done":false}\n'
)
SAYS = (
    b'{"model":"q","created_at":"2026-01-02T03:04:06.1Z","message":{"role":"assistant","content":"Hi"},"done":false}\n'
)
CALLS = (
    '{"model":"q","created_at":"2026-01-02T03:04:06.2Z","message":{"role":"assistant","content":"","tool_calls":['
    '{"function":{"index":0,"name":"f","arguments":{"b":1,"a":"é"}}},'
    '{"function":{"index":0,"name":"g","arguments":{}}}]},'
    '"done":true,"done_reason":"stop","prompt_eval_count":7,"eval_count":9}\n'
).encode()


async def test_a_a_stream_from_ollama_for_an_openai_client() -> None:
    served = await serve(ask(dialect="openai", usage=True), [THINKS, SAYS, CALLS])
    *chunks, usage, done = served.events
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    ids = [call.pop("id") for delta in deltas for call in delta.get("tool_calls", ())]
    assert deltas == [
        {"role": "assistant", "content": ""},
        {"reasoning": "hm"},
        {"content": "Hi"},
        {"tool_calls": [_call(0, "f", '{"b":1,"a":"é"}')]},
        {"tool_calls": [_call(1, "g", "{}")]},
        {},
    ]
    assert len(set(ids)) == 2
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * 5 + ["tool_calls"]
    assert [chunk["usage"] for chunk in chunks] == [None] * 6
    assert (usage["choices"], usage["usage"]) == (
        [],
        {"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16},
    )
    assert {chunk["created"] for chunk in [*chunks, usage]} == {1767323045}
    assert done == "[DONE]"


def _call(index: int, name: str, arguments: str) -> dict[str, Any]:
    return {"index": index, "type": "function", "function": {"name": name, "arguments": arguments}}


INTERLEAVED = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "A"}),
    chunk({"tool_calls": [{"index": 0, "id": "x", "type": "function", "function": {"name": "f", "arguments": ""}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"k":'}}]}),
    chunk({"tool_calls": [{"index": 1, "id": "y", "type": "function", "function": {"name": "g", "arguments": "{}"}}]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": "2}"}}]}),
    chunk({}, "tool_calls"),
    b'data: {"id":"c","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}\n\n',
    DONE,
]
CALLED = [
    {"id": "x", "function": {"index": 0, "name": "f", "arguments": {"k": 2}}},
    {"id": "y", "function": {"index": 1, "name": "g", "arguments": {}}},
]


async def test_b_a_stream_from_openai_for_an_ollama_client() -> None:
    served = await serve(ask(), INTERLEAVED, upstream="openai", clock=Ticks(NOW))
    said, called, done = served.lines
    assert said["message"] == {"role": "assistant", "content": "A"}
    assert called["message"] == {"role": "assistant", "content": "", "tool_calls": CALLED}
    assert [line["done"] for line in served.lines] == [False, False, True]
    assert done["message"] == {"role": "assistant", "content": ""}
    assert (done["done_reason"], done["prompt_eval_count"], done["eval_count"]) == ("stop", 3, 4)


async def test_b_the_calls_are_told_before_the_end_of_the_stream() -> None:
    served = await serve(ask(), INTERLEAVED, upstream="openai")
    assert b"tool_calls" in served.pieces[1]
    assert len(served.pieces) == 3


async def test_b_the_same_as_a_whole_answer() -> None:
    served = await serve(ask(stream=False), INTERLEAVED, upstream="openai", content_type="text/event-stream")
    assert served.json["message"] == {"role": "assistant", "content": "A", "tool_calls": CALLED}
    assert (served.json["done"], served.json["eval_count"]) == (True, 4)


def _error_after_the_text(served: Served) -> Any:
    role, said, error = served.events
    assert role["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert said["choices"][0]["delta"] == {"content": "Hi"}
    return error["error"]


async def test_c_an_error_in_mid_stream_is_an_error_event_and_no_end_marker() -> None:
    served = await serve(ask(dialect="openai"), [SAYS, b'{"error":"boom"}\n'])
    error = _error_after_the_text(served)
    assert error == {"message": "boom", "type": "api_error", "param": None, "code": "upstream_error"}


async def test_d_a_cut_stream_is_an_error_event_and_no_end_marker() -> None:
    error = _error_after_the_text(await serve(ask(dialect="openai"), [SAYS]))
    assert (error["type"], error["code"]) == ("api_error", "upstream_incomplete")


async def test_e_length_wins_over_calls() -> None:
    calls = {"tool_calls": [{"function": {"name": "f", "arguments": {}}}]}
    served = await serve(ask(dialect="openai"), [line(calls, done=True, done_reason="length")])
    assert served.events[-2]["choices"][0]["finish_reason"] == "length"
