"""The tools, and which of them must or may be called: of that the protocol says nothing (protocol.md 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline import Data, InvalidRequest, Losses, ModelCard, NeutralRequest, Parameter, Tool, ToolChoice
from stages.dialects.ollama.tool_schemas import plain_schema
from stages.dialects.table import Content


@dataclass(frozen=True, slots=True)
class WrittenTools:
    """The tools to offer, and what to say of them in words ("" for nothing)."""

    offered: list[Data]
    instruction: str = ""

    def instructed(self, messages: list[Data]) -> list[Data]:
        """The messages with the instruction in the system message.

        The trap: a system message of ours replaces the model's own, so one is made only where the caller has none and
        has asked for what cannot be had otherwise.
        """
        if not self.instruction:
            return messages
        if messages and messages[0]["role"] == "system":
            system = messages[0]
            said = "\n\n".join(text for text in (system["content"], self.instruction) if text)
            return [{**system, "content": said}, *messages[1:]]
        return [{"role": "system", "content": self.instruction}, *messages]


def write_tools(asked: NeutralRequest, card: ModelCard | None, losses: Losses) -> WrittenTools:
    """Calling none, or only some, is offering no others; that one must be called can be asked for in words at most."""
    choice = asked.tool_choice
    if choice is not None and choice.mode == "none":
        return WrittenTools([])
    tools = _allowed(asked.tools, choice)
    if tools and card is not None and card.lacks("tools"):
        for tool in tools:
            losses.drop(tool.path, Content.TOOL.if_lost, "The model does not support tools.")
        tools = ()
    instruction = _demand(tools, choice, losses)
    given = asked.parameters.get(Parameter.PARALLEL_TOOL_CALLS)
    if tools and given is not None and given.value is False and not losses.emulates("parallel_tool_calls"):
        losses.drop(given.path, Parameter.PARALLEL_TOOL_CALLS.if_lost)
    return WrittenTools([_tool(tool) for tool in tools], instruction)


def _allowed(tools: tuple[Tool, ...], choice: ToolChoice | None) -> tuple[Tool, ...]:
    if choice is None:
        return tools
    allowed = tuple(tool for tool in tools if choice.names is None or tool.name in choice.names)
    if choice.mode == "required" and not allowed:
        message = "A tool call is demanded, but none of the tools may be called."
        raise InvalidRequest(message, param=choice.path, code="invalid_value")
    return allowed


def _demand(tools: tuple[Tool, ...], choice: ToolChoice | None, losses: Losses) -> str:
    """Asked for in words if the config lets the gateway do so; whether the model obeyed is checked on its answer."""
    if choice is None or choice.mode != "required":
        return ""
    if not losses.emulates("tool_choice"):
        losses.drop(choice.path, Content.TOOL_CHOICE.if_lost, "The model server cannot be made to call a tool.")
        return ""
    names = list(dict.fromkeys(tool.name for tool in tools))
    which = f"the tool `{names[0]}`" if len(names) == 1 else "one of the tools " + ", ".join(f"`{n}`" for n in names)
    return f"You must answer by calling {which}. Do not answer in words." if names else ""


def _tool(tool: Tool) -> Data:
    function: Data = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = plain_schema(tool.parameters or {})
    return {"type": "function", "function": function}
