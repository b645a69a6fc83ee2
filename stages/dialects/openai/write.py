"""A neutral request for an upstream of this dialect (protocol.md 3.3, 3.5, 3.6)."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import Data, Losses, NeutralRequest, Target, Tool, ToolChoice, Translated
from stages.dialects.openai.write_messages import with_json_hint, write_messages
from stages.dialects.openai.write_parameters import write_parameters
from stages.dialects.table import Content

_NO_PARAMETERS: Data = {"type": "object", "properties": {}}
_SCHEMA_NAME = "response"


def write(asked: NeutralRequest, target: Target, losses: Losses, profile: str) -> Sequence[Translated]:
    """Always one call: this protocol takes several prompts and several choices at once."""
    payload: Data = {"model": target.model}
    match asked.operation:
        case "chat":
            payload.update(_chat(asked, losses, profile))
        case "completion":
            texts = [prompt.text for prompt in asked.prompts]
            payload["prompt"] = texts[0] if len(texts) == 1 else texts
            if asked.format is not None:
                # Text completions have no response format.
                means = Content.ANY_JSON if asked.format.schema is None else Content.SCHEMA_JSON
                losses.drop(asked.format.path, means.if_lost)
        case "embedding":
            texts = [given.text for given in asked.inputs]
            payload["input"] = texts[0] if len(texts) == 1 else texts
            payload["encoding_format"] = "float"
    payload.update(write_parameters(asked.parameters, asked.operation, target, losses, profile))
    if asked.operation != "embedding":
        payload["stream"] = asked.stream
        if asked.stream:
            # Without it a stream tells no counts, and other protocols tell them always (pitfall 42).
            payload["stream_options"] = {"include_usage": True}
    return [Translated(asked.operation, payload)]


def _chat(asked: NeutralRequest, losses: Losses, profile: str) -> Data:
    messages = asked.messages
    format = asked.format
    payload: Data = {}
    if format is not None and format.schema is None and losses.emulates("json_hint"):
        messages = with_json_hint(messages)
    payload["messages"] = write_messages(messages, losses, profile)
    if asked.tools:
        payload["tools"] = [_tool(tool) for tool in asked.tools]
        if asked.tool_choice is not None:
            payload["tool_choice"] = _choice(asked.tool_choice)
    if format is not None:
        payload["response_format"] = _format(format.schema, format.name)
    return payload


def _tool(tool: Tool) -> Data:
    function: Data = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or dict(_NO_PARAMETERS)
    return {"type": "function", "function": function}


def _choice(choice: ToolChoice) -> str | Data:
    if choice.names is None or choice.mode == "none":
        return choice.mode
    named = [{"type": "function", "function": {"name": name}} for name in choice.names]
    if choice.mode == "required" and len(named) == 1:
        return named[0]
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": named}}


def _format(schema: Data | None, name: str | None) -> Data:
    """Not `strict`: OpenAI then refuses most schemas that people write (protocol.md 3.3)."""
    if schema is None:
        return {"type": "json_object"}
    return {"type": "json_schema", "json_schema": {"name": name or _SCHEMA_NAME, "schema": schema, "strict": False}}
