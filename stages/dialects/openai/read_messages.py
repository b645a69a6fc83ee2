"""A client's messages as neutral turns, one for one (protocol.md 2.3, 3.1; law 9)."""

from __future__ import annotations

from typing import Any, Literal

from pipeline import Data, InvalidRequest, Losses, Message, Part, Text, ToolCall
from stages.dialects.openai import expect
from stages.dialects.openai.lost import lose, lose_others
from stages.dialects.openai.read_parts import read_content
from stages.dialects.wire import NOT_JSON, decode

_ROLES: dict[str, Literal["system", "user", "assistant", "tool"]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_SAID = frozenset({"role", "content"})
_KNOWN = {
    **dict.fromkeys(_ROLES, _SAID),
    "assistant": _SAID | {"refusal", "reasoning", "reasoning_content", "tool_calls", "function_call"},
    "tool": _SAID | {"tool_call_id", "name"},
    "function": _SAID | {"name"},
}


def read_messages(given: Any, losses: Losses) -> tuple[Message, ...]:
    """All turns. A tool's answer is given the name of its call: some protocols know calls by nothing else."""
    messages = expect.array(given, "messages")
    if messages is None:
        raise InvalidRequest("You must provide messages.", param="messages", code="missing_required_parameter")
    if not messages:
        raise expect.invalid("messages", "messages must not be empty.")
    names: dict[str, str] = {}
    return tuple(_message(message, f"messages[{at}]", names, losses) for at, message in enumerate(messages))


def _message(given: Any, path: str, names: dict[str, str], losses: Losses) -> Message:
    if not isinstance(given, dict):
        raise expect.wrong(path, "an object")
    message: Data = given
    role = expect.required_text(message, "role", path).lower()
    if role not in _ROLES:
        raise InvalidRequest(f"There is no role `{role}`.", param=f"{path}.role", code="invalid_value")
    lose_others(losses, message, path, _KNOWN[role])
    parts = read_content(message.get("content"), f"{path}.content", losses)
    if role == "assistant" and not message.keys() <= _SAID:
        return _assistant(message, parts, path, names, losses)
    if _ROLES[role] == "tool":
        return _answer(message, parts, path, names)
    return Message(_ROLES[role], parts, path=path)


def _assistant(message: Data, parts: tuple[Part, ...], path: str, names: dict[str, str], losses: Losses) -> Message:
    refusal = expect.text(message.get("refusal"), f"{path}.refusal")
    if refusal:
        parts = (*parts, Text(refusal, f"{path}.refusal"))
    calls = _calls(message, path, losses)
    names.update({call.id: call.name for call in calls if call.id is not None})
    reasoning, where = _reasoning(message, path, losses)
    return Message("assistant", parts, reasoning=reasoning, calls=calls, path=path, reasoning_path=where)


def _reasoning(message: Data, path: str, losses: Losses) -> tuple[str, str]:
    """The text and its path: it goes by one of two names (pitfall 40), and some servers send both."""
    first, second = f"{path}.reasoning", f"{path}.reasoning_content"
    preferred = expect.text(message.get("reasoning"), first)
    other = expect.text(message.get("reasoning_content"), second)
    if preferred and other and preferred != other:
        lose(losses, second)
    return (preferred, first) if preferred else (other or "", second if other else "")


def _calls(message: Data, path: str, losses: Losses) -> tuple[ToolCall, ...]:
    calls = [
        call
        for at, given in enumerate(expect.array(message.get("tool_calls"), f"{path}.tool_calls") or ())
        if (call := _call(given, f"{path}.tool_calls[{at}]", losses)) is not None
    ]
    where = f"{path}.function_call"
    legacy = expect.thing(message.get("function_call"), where)
    if legacy is not None:
        if calls:
            lose(losses, where)
        else:
            calls.append(_function(legacy, where, where, None, losses))
    return tuple(calls)


def _call(given: Any, path: str, losses: Losses) -> ToolCall | None:
    call = expect.thing(given, path)
    if call is None:
        raise expect.wrong(path, "an object")
    kind = expect.text(call.get("type"), f"{path}.type") or "function"
    if kind != "function":
        lose(losses, path, f"Tool calls of type `{kind}` are not supported here.")
        return None
    lose_others(losses, call, path, ("id", "type", "function"))
    id = expect.text(call.get("id"), f"{path}.id") or None
    return _function(expect.required_thing(call, "function", path), f"{path}.function", path, id, losses)


def _function(function: Data, path: str, owner: str, id: str | None, losses: Losses) -> ToolCall:
    name = expect.required_text(function, "name", path)
    lose_others(losses, function, path, ("name", "arguments"))
    return ToolCall(name, _arguments(function.get("arguments"), f"{path}.arguments"), id, owner)


def _arguments(given: Any, path: str) -> Data:
    """JSON text of an object; a call without arguments may say "" (protocol.md 3.1)."""
    text = expect.text(given, path) or ""
    if not text.strip():
        return {}
    try:
        arguments = decode(text)
    except NOT_JSON:
        arguments = None
    if not isinstance(arguments, dict):
        raise expect.invalid(path, f"`{path}` must be the JSON text of an object.")
    return arguments


def _answer(message: Data, parts: tuple[Part, ...], path: str, names: dict[str, str]) -> Message:
    id = expect.text(message.get("tool_call_id"), f"{path}.tool_call_id") or None
    name = expect.text(message.get("name"), f"{path}.name") or None
    return Message("tool", parts, call_id=id, tool_name=names.get(id or "", name), path=path)
