"""The normal form NO of an OpenAI chat request, word for word from protocol.md 6.

A pure function of JSON, written without the product's reader and writer: it says what they must amount to.
"""

from __future__ import annotations

import json
from typing import Any

from pipeline import Data
from stages.dialects import conformance_values as values

_EFFORTS = {"minimal": "low", "xhigh": "max"}
_KEPT = ("temperature", "top_p", "frequency_penalty", "presence_penalty", "seed", "top_logprobs")
_ROLES = {"developer": "system", "function": "tool"}


def role(message: Data) -> str:
    """The role by today's name."""
    given: str = message["role"]
    return _ROLES.get(given, given)


def normal(request: Data) -> Data:
    """NO. What a rule of it does not name is copied; everything absent from it is class D or not in subset C."""
    given = {key: value for key, value in request.items() if value is not None}
    out: Data = {"model": given["model"], "messages": [_message(message) for message in given["messages"]]}
    out["stream"] = given.get("stream", False)
    out |= {key: given[key] for key in _KEPT if key in given}
    limit = given.get("max_completion_tokens", given.get("max_tokens"))
    if limit is not None:
        out["max_completion_tokens"] = int(limit)
    stops = [given["stop"]] if isinstance(given.get("stop"), str) else given.get("stop", [])
    if any(stops):
        out["stop"] = [stop for stop in stops if stop]
    if "reasoning_effort" in given:
        out["reasoning_effort"] = _EFFORTS.get(given["reasoning_effort"], given["reasoning_effort"])
    form = given.get("response_format", {"type": "text"})
    if form["type"] == "json_object":
        out["response_format"] = form
    elif form["type"] == "json_schema":
        schema = {"name": "response", "schema": form["json_schema"]["schema"], "strict": False}
        out["response_format"] = {"type": "json_schema", "json_schema": schema}
    if given.get("tools") and given.get("tool_choice") != "none":
        out["tools"] = [{"type": "function", "function": _function(tool["function"])} for tool in given["tools"]]
    if given.get("logprobs"):
        out["logprobs"] = True
    return out


def settled(request: Data) -> Data:
    """A written request, less what profiles spell in two ways (protocol.md 3.3, "by profile").

    That is the name of the token limit, of past reasoning and of the effort, whose most is xhigh where max is refused.
    `stream_options` goes: a stream is asked for with its usage, and NO does not have them.
    """
    out = {key: value for key, value in request.items() if key not in ("stream_options", "reasoning", "max_tokens")}
    if "max_tokens" in request:
        out["max_completion_tokens"] = request["max_tokens"]
    effort = request.get("reasoning_effort", request.get("reasoning", {}).get("effort"))
    if effort is not None:
        out["reasoning_effort"] = _EFFORTS.get(effort, effort)
    out["messages"] = [_settled(message) for message in request["messages"]]
    return out


def pictures(request: Data) -> list[bytes]:
    """All pictures of the messages, in order."""
    urls = [
        part["image_url"]["url"]
        for message in request["messages"]
        for part in (message["content"] if isinstance(message.get("content"), list) else [])
        if part["type"] == "image_url"
    ]
    return [values.unpacked(url.partition("base64,")[2]) for url in urls]


def _message(given: Data) -> Data:
    message = {key: value for key, value in given.items() if value is not None}
    text, images = _content(message.get("content"))
    out: Data = {"role": role(message), "content": text}
    if images:
        out["content"] = [*([{"type": "text", "text": text}] if text else []), *images]
    if out["role"] == "tool":
        return out | {"tool_call_id": message["tool_call_id"]}
    if message.get("tool_calls"):
        out["tool_calls"] = [_call(call) for call in message["tool_calls"]]
        out["content"] = text or None  # rule N3
    reasoning = message.get("reasoning") or message.get("reasoning_content")
    return out | ({"reasoning": reasoning} if reasoning else {})


def _content(content: Any) -> tuple[str, list[Data]]:
    """The texts joined by a line feed, and the pictures as NO writes them."""
    if not isinstance(content, list):
        return content or "", []
    text = "\n".join(part["text"] for part in content if part["type"] == "text")
    return text, [_image(picture) for picture in pictures({"messages": [{"content": content}]})]


def _image(picture: bytes) -> Data:
    url = f"data:{values.sniffed(picture)};base64,{values.standard(picture)}"
    return {"type": "image_url", "image_url": {"url": url}}


def _call(call: Data) -> Data:
    function = call["function"]
    arguments = values.compact(json.loads(function["arguments"].strip() or "{}"))
    return {"id": call["id"], "type": "function", "function": {"name": function["name"], "arguments": arguments}}


def _function(function: Data) -> Data:
    parameters = function.get("parameters") or {"type": "object", "properties": {}}
    described = {key: function[key] for key in ("description",) if function.get(key) is not None}
    return {"name": function["name"], **described, "parameters": parameters}


def _settled(message: Data) -> Data:
    out = dict(message)
    said = [out.pop(key) for key in ("reasoning", "reasoning_content") if key in out]
    if said:
        out["reasoning"] = said[0]
    if out.get("tool_calls"):
        out["tool_calls"] = [_call(call) for call in out["tool_calls"]]
    return out
