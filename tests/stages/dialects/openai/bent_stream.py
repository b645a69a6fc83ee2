"""An `Answer` as the bytes of an event stream, written as a server with its habits would."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.stages.dialects.openai.strategies import Answer, Call, Habits, Said, answers, head, logprobs

CHUNK = "chat.completion.chunk"
DONE = b"data: [DONE]\n\n"
LINE_ENDS = (b"\n", b"\r", b"\r\n")


def frame(value: Any, *, ascii: bool = True) -> bytes:
    """One event. Without `ascii`, U+2028 and its kind stand in the JSON as they are."""
    return b"data: " + json.dumps(value, ensure_ascii=ascii).encode() + b"\n\n"


@st.composite
def frames(draw: st.DrawFn, given: Answer | None = None) -> tuple[Answer, list[bytes]]:
    """The events of a complete stream without its end marker, and what they say."""
    answer = given or draw(answers())
    queues = [_choice(said, index, answer.habits) for index, said in enumerate(answer.choices)]
    ascii = draw(st.booleans())
    out: list[bytes] = []
    while any(queues):
        queue = draw(st.sampled_from([queue for queue in queues if queue]))
        choice = queue.pop(0)
        usage = _usage_beside(answer, first=not out, last=not any(queues))
        out.append(frame({**head(CHUNK, len(out), answer.habits), "choices": [choice], **usage}, ascii=ascii))
        out.extend(draw(st.sampled_from([[], [], [], [b": ping\n\n"], [b"data:\n\n"], [b"event: x\n\n"]])))
    if answer.habits.usage.startswith("own"):
        out.append(frame({**head(CHUNK, len(out), answer.habits), "choices": [], "usage": answer.usage}))
    if answer.habits.usage == "own spaced null":
        out.append(frame({**head(CHUNK, len(out), answer.habits), "choices": [], "usage": None}))
    return answer, out


@st.composite
def streams(draw: st.DrawFn) -> tuple[Answer, bytes]:
    """A complete stream: with its end marker, in any line ends, perhaps with bytes after the end."""
    answer, events = draw(frames())
    after = draw(st.sampled_from([b"", b"", DONE, b"data: {", b"\n\n: bye\n\n", b"data: not json\n\n"]))
    end = draw(st.sampled_from([DONE, DONE, b"data:[DONE]", b"id: 7\ndata: [DONE]\n\n"]))
    stream = b"".join(events) + end + (after if end.endswith(b"\n") else b"")
    return answer, stream.replace(b"\n", draw(st.sampled_from(LINE_ENDS)))


def end_marker(stream: bytes) -> int:
    """Where the end marker of one of `streams` is complete: from there on, a cut changes nothing."""
    at = stream.find(b"data: [DONE]")
    return (at + len(b"data: [DONE]")) if at >= 0 else stream.find(b"data:[DONE]") + len(b"data:[DONE]")


def _usage_beside(answer: Answer, *, first: bool, last: bool) -> dict[str, Any]:
    habit = answer.habits.usage
    if habit == "every" or (habit == "finish" and last) or (habit == "early" and first):
        return {"usage": answer.usage}
    if habit in ("own spaced null", "early"):
        return {"usage": None}
    return {}


def _choice(said: Said, index: int, habits: Habits) -> list[dict[str, Any]]:
    """The entries of one choice, in order."""
    deltas: list[dict[str, Any]] = [{"content": ""}] if habits.role == "first" else []
    deltas += [{"reasoning_content": part} for part in said.reasoning]
    deltas += [{"content": part, "refusal": None} for part in said.texts]
    deltas += _calls(said.calls, habits)
    for at, delta in enumerate(deltas):
        if habits.role == "every" or (habits.role == "first" and at == 0):
            delta["role"] = "assistant"
        elif habits.role == "null":
            delta["role"] = None
    entries = [{"index": index, "delta": delta, **_between(habits), **logprobs(habits, "a")} for delta in deltas]
    if habits.finish_apart or not entries:
        entries.append({"index": index, "delta": {} if index % 2 else {"content": None}})
    entries[-1]["finish_reason"] = said.finish
    return entries


def _between(habits: Habits) -> dict[str, Any]:
    between: dict[str, Any] = {
        "null": {"finish_reason": None},
        "empty": {"finish_reason": ""},
        "missing": {},
    }
    found: dict[str, Any] = between[habits.between]
    return found


def _calls(calls: tuple[Call, ...], habits: Habits) -> list[dict[str, Any]]:
    """The deltas that carry calls, one after another or, by habit, all in one."""
    if habits.calls == "one delta":
        whole = [
            {"index": at, "id": call.id, "type": "function", "function": _function(call.name, "".join(call.arguments))}
            for at, call in enumerate(calls)
        ]
        return [{"tool_calls": whole}] if whole else []
    deltas = []
    for at, call in enumerate(calls):
        index = {"index": 0 if habits.calls == "all 0" else at}
        said_once = {} if habits.calls == "no ids" else {"id": call.id}
        if habits.calls != "no types":
            said_once["type"] = "function"
        deltas.append({"tool_calls": [{**index, **said_once, "function": _function(call.name, None)}]})
        for part in call.arguments:
            again = {**said_once, "function": _function(call.name, part)}
            later = {"function": {"arguments": part}}
            deltas.append({"tool_calls": [{**index, **(again if habits.calls == "repeated" else later)}]})
    return deltas


def _function(name: str, arguments: str | None) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}
