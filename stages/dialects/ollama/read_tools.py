"""The tools and the form that a client asks its answer to have (protocol.md 1.4, 3.3)."""

from __future__ import annotations

from typing import Any

from pipeline import AnswerFormat, IfLost, InvalidRequest, Losses, Tool
from stages.dialects.ollama.fields import Fields

_TOOL = frozenset({"type", "function"})
_FUNCTION = frozenset({"name", "description", "parameters"})


def read_tools(fields: Fields, losses: Losses) -> tuple[Tool, ...]:
    """The tools, their schemas as they came: the server would strip them, which is no reason to do it for others."""
    tools: list[Tool] = []
    for at, value in enumerate(fields.items("tools", "api.Tool")):
        tool = fields.element("tools", at, value, _TOOL)
        function = tool.inner("function", _FUNCTION)
        name = function.text("name")
        if not name:
            raise InvalidRequest("a tool needs the name of a function", param=tool.path, code="invalid_value")
        tool.text("type")
        for path in (*tool.unknown(), *function.unknown()):
            losses.drop(path, IfLost.DROP)
        schema = function.object("parameters", "api.ToolFunctionParameters")
        parameters = schema if function.get("parameters") is not None else None
        tools.append(Tool(name, function.text("description") or None, parameters, tool.path))
    return tuple(tools)


def read_format(fields: Fields) -> AnswerFormat | None:
    """Any JSON or that of a schema; null and "" ask for nothing."""
    asked: Any = fields.get("format")
    if asked is None or asked == "":
        return None
    if asked == "json":
        return AnswerFormat(path=fields.at("format"))
    if isinstance(asked, dict):
        return AnswerFormat(asked, path=fields.at("format"))
    said = f'"{asked[:40]}"' if isinstance(asked, str) else "of that type"
    message = f'invalid format: {said}; expected "json" or a valid JSON Schema object'
    raise InvalidRequest(message, param=fields.at("format"), code="invalid_value")
