"""The messages of a chat (protocol.md 1.4, 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pipeline import IfLost, InvalidRequest, Losses, Message, ToolCall
from stages.dialects.ollama.fields import Fields
from stages.dialects.ollama.read_images import placed, read_image

_ROLES: Mapping[str, Literal["system", "user", "assistant", "tool"]] = {
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}
_SAID = frozenset({"role", "content"})
_MESSAGE = frozenset({"role", "content", "thinking", "images", "tool_calls", "tool_name", "tool_call_id"})
_CALL = frozenset({"id", "type", "function"})
_FUNCTION = frozenset({"index", "name", "arguments"})


def read_messages(fields: Fields, losses: Losses) -> tuple[Message, ...]:
    """All of them, in order; fields that the server does not know are lost here as they are there."""
    return tuple(
        _message(fields.element("messages", at, value, _MESSAGE), losses)
        for at, value in enumerate(fields.items("messages", "api.Message"))
    )


def _message(fields: Fields, losses: Losses) -> Message:
    role = _role(fields)
    if fields.says_only(_SAID):
        return Message(role, placed(fields.text("content"), fields.at("content"), []), path=fields.path)
    images = [
        read_image(value, f"{fields.at('images')}[{at}]", "ChatRequest.messages.images")
        for at, value in enumerate(fields.items("images", "api.ImageData"))
    ]
    parts = placed(fields.text("content"), fields.at("content"), images)
    calls, reasoning = _calls(fields, losses), fields.text("thinking")
    call_id, tool_name = fields.text("tool_call_id"), fields.text("tool_name")
    for path in fields.unknown():
        losses.drop(path, IfLost.DROP)
    if role != "assistant":
        # Nobody but the model calls tools or thinks; the server renders these by the template, which skips them.
        if calls:
            losses.drop(fields.at("tool_calls"), IfLost.WARN)
        if reasoning:
            losses.drop(fields.at("thinking"), IfLost.WARN)
        calls, reasoning = (), ""
    if role != "tool":
        for name in ("tool_call_id", "tool_name"):
            if fields.text(name):
                losses.drop(fields.at(name), IfLost.DROP)
        call_id = tool_name = ""
    return Message(
        role,
        parts,
        reasoning,
        calls,
        call_id or None,
        tool_name or None,
        fields.path,
        reasoning_path=fields.at("thinking") if reasoning else "",
    )


def _role(fields: Fields) -> Literal["system", "user", "assistant", "tool"]:
    """Ollama passes any role to the template, most of which ignore what they do not know; others refuse it (3.3)."""
    said = fields.text("role")
    role = _ROLES.get(said.lower())
    if role is None:
        where = fields.path if fields.get("role") is None else fields.at("role")
        message = f'invalid role "{said[:40]}": must be system, user, assistant or tool'
        raise InvalidRequest(message, param=where, code="invalid_value")
    return role


def _calls(fields: Fields, losses: Losses) -> tuple[ToolCall, ...]:
    """The calls in the order of their indices if these tell them apart: old servers number all of them 0 (1.4)."""
    calls: list[tuple[int, ToolCall]] = []
    for at, value in enumerate(fields.items("tool_calls", "api.ToolCall")):
        call = fields.element("tool_calls", at, value, _CALL)
        function = call.inner("function", _FUNCTION)
        name = function.text("name")
        if not name:
            raise InvalidRequest("a tool call needs the name of a function", param=call.path, code="invalid_value")
        for path in (*call.unknown(), *function.unknown()):
            losses.drop(path, IfLost.DROP)
        arguments = function.object("arguments", "api.ToolCallFunctionArguments")
        calls.append((function.whole("index") or 0, ToolCall(name, arguments, call.text("id") or None, call.path)))
    if len({index for index, _ in calls}) == len(calls):
        calls.sort(key=lambda numbered: numbered[0])
    return tuple(call for _, call in calls)
