"""The tools of a client's request, which of them may be called, and the form of the answer (protocol.md 2.2, 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pipeline import AnswerFormat, Data, IfLost, InvalidRequest, Losses, Tool, ToolChoice
from stages.dialects.openai import expect
from stages.dialects.openai.lost import lose, lose_others


def uses_legacy_functions(payload: Mapping[str, Any]) -> bool:
    """Whether the request speaks of `functions`, the form before tools; then its answer does so too."""
    return bool(payload.get("functions")) and not payload.get("tools")


def read_tools(payload: Mapping[str, Any], losses: Losses) -> tuple[tuple[Tool, ...], ToolChoice | None]:
    given = expect.array(payload.get("tools"), "tools") or []
    functions = expect.array(payload.get("functions"), "functions") or []
    if given and functions:
        lose(losses, "functions")
        functions = []
    tools = [tool for at, item in enumerate(given) if (tool := _tool(item, f"tools[{at}]", losses)) is not None]
    for at, item in enumerate(functions):
        path = f"functions[{at}]"
        tools.append(_function(_required(item, path), path, path, losses))
    choice = _choice(payload.get("tool_choice"), losses) or _legacy_choice(payload.get("function_call"))
    _check(choice, tools)
    return tuple(tools), choice


def _required(item: Any, path: str) -> Data:
    given = expect.thing(item, path)
    if given is None:
        raise expect.wrong(path, "an object")
    return given


def _tool(item: Any, path: str, losses: Losses) -> Tool | None:
    tool = _required(item, path)
    kind = expect.text(tool.get("type"), f"{path}.type") or "function"
    if kind != "function":
        lose(losses, path, f"Tools of type `{kind}` are not supported here.")
        return None
    lose_others(losses, tool, path, ("type", "function"))
    where = f"{path}.function"
    return _function(expect.required_thing(tool, "function", path), where, path, losses)


def _function(function: Data, path: str, owner: str, losses: Losses) -> Tool:
    name = expect.required_text(function, "name", path)
    strict = expect.flag(function.get("strict"), f"{path}.strict")
    if strict:
        lose(losses, f"{path}.strict")
    lose_others(losses, function, path, ("name", "description", "parameters", "strict"))
    description = expect.text(function.get("description"), f"{path}.description")
    return Tool(name, description, expect.thing(function.get("parameters"), f"{path}.parameters"), owner)


def _choice(given: Any, losses: Losses) -> ToolChoice | None:
    path = "tool_choice"
    if given is None or given == "auto":
        return None
    if isinstance(given, str):
        return ToolChoice(_mode(given, path), path=path)
    if not isinstance(given, dict):
        raise expect.wrong(path, "a string or an object")
    kind = expect.required_text(given, "type", path)
    if kind == "function":
        function = expect.required_thing(given, "function", path)
        return ToolChoice("required", (expect.required_text(function, "name", f"{path}.function"),), path)
    if kind == "allowed_tools":
        return _allowed(expect.required_thing(given, "allowed_tools", path), f"{path}.allowed_tools", losses)
    lose(losses, path, f"The tool choice `{kind}` is not supported here.", if_lost=IfLost.REJECT)
    return None


def _mode(given: Any, path: str) -> Literal["auto", "none", "required"]:
    match expect.text(given, path):
        case "auto":
            return "auto"
        case "none":
            return "none"
        case "required":
            return "required"
    raise expect.invalid(path, f"`{path}` must be one of none, auto, required.")


def _allowed(allowed: Data, path: str, losses: Losses) -> ToolChoice:
    expect.required_text(allowed, "mode", path)
    mode = _mode(allowed["mode"], f"{path}.mode")
    names = []
    for at, item in enumerate(expect.array(allowed.get("tools"), f"{path}.tools") or ()):
        where = f"{path}.tools[{at}]"
        tool = _required(item, where)
        kind = expect.text(tool.get("type"), f"{where}.type") or "function"
        if kind != "function":
            lose(losses, where, f"Tools of type `{kind}` are not supported here.", if_lost=IfLost.REJECT)
            continue
        function = expect.required_thing(tool, "function", where)
        names.append(expect.required_text(function, "name", f"{where}.function"))
    return ToolChoice(mode, tuple(names), "tool_choice")


def _legacy_choice(given: Any) -> ToolChoice | None:
    path = "function_call"
    if given is None or given == "auto":
        return None
    if isinstance(given, str):
        return ToolChoice(_mode(given, path), path=path)
    if not isinstance(given, dict):
        raise expect.wrong(path, "a string or an object")
    return ToolChoice("required", (expect.required_text(given, "name", path),), path)


def _check(choice: ToolChoice | None, tools: list[Tool]) -> None:
    """A call can only be demanded of a tool that there is."""
    if choice is None or choice.mode == "none":
        return
    if not tools:
        raise expect.invalid(choice.path, f"`{choice.path}` is only allowed when tools are given.")
    known = {tool.name for tool in tools}
    unknown = [name for name in choice.names or () if name not in known]
    if unknown or choice.names == ():
        message = f"There is no tool `{unknown[0]}`." if unknown else f"`{choice.path}` names no tools."
        raise expect.invalid(choice.path, message)


def read_format(given: Any, losses: Losses) -> AnswerFormat | None:
    """What the answer must look like. A schema that is promised and missing is refused (protocol.md 4, row 36)."""
    path = "response_format"
    wanted = expect.thing(given, path)
    if wanted is None:
        return None
    kind = expect.required_text(wanted, "type", path)
    if kind == "text":
        return None
    if kind == "json_object":
        return AnswerFormat(path=path)
    if kind != "json_schema":
        raise expect.invalid(f"{path}.type", f"There is no response format `{kind}`.")
    where = f"{path}.json_schema"
    described = expect.required_thing(wanted, "json_schema", path)
    schema = expect.thing(described.get("schema"), f"{where}.schema")
    if schema is None:
        raise InvalidRequest(f"`{where}` has no `schema`.", param=where, code="missing_required_parameter")
    expect.flag(described.get("strict"), f"{where}.strict")
    lose_others(losses, described, where, ("schema", "name"))
    return AnswerFormat(schema, expect.text(described.get("name"), f"{where}.name"), path)
