"""An `Answer` as one JSON object, written as a server with its habits would."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.stages.dialects.openai.strategies import Answer, Habits, Said, answers, head, logprobs


@st.composite
def wholes(draw: st.DrawFn) -> tuple[Answer, dict[str, Any]]:
    """A whole chat answer and what it says."""
    answer = draw(answers())
    return answer, whole(answer)


def whole(answer: Answer) -> dict[str, Any]:
    habits = answer.habits
    usage = {} if habits.usage == "never" else {"usage": answer.usage}
    choices = [_choice(said, at, habits) for at, said in enumerate(answer.choices)]
    return {**head("chat.completion", 0, habits), "choices": choices, **usage}


def _choice(said: Said, at: int, habits: Habits) -> dict[str, Any]:
    content = "".join(said.texts)
    message: dict[str, Any] = {"content": content or (None if habits.role == "null" else "")}
    if habits.role in ("first", "every"):
        message["role"] = "assistant"
    if said.reasoning:
        message["reasoning_content"] = "".join(said.reasoning)
    if said.calls:
        message["tool_calls"] = [_call(said, number, habits) for number in range(len(said.calls))]
    elif habits.calls != "right":
        message["tool_calls"] = None
    extra = {"stop_reason": 7} if habits.extra else {}
    index = {} if habits.head == "bare" else {"index": at}
    return {**index, "message": message, **logprobs(habits, "a"), "finish_reason": said.finish, **extra}


def _call(said: Said, number: int, habits: Habits) -> dict[str, Any]:
    call = said.calls[number]
    function = {"name": call.name, "arguments": "".join(call.arguments)}
    # Some servers number the calls of a whole answer too, and number them all 0.
    index = {"all 0": {"index": 0}, "no ids": {"index": 0}, "repeated": {"index": number}}.get(habits.calls, {})
    id = {"no ids": {}, "one delta": {"id": ""}}.get(habits.calls, {"id": call.id})
    type = {} if habits.calls == "no types" else {"type": "function"}
    return {**index, **id, **type, "function": function}
