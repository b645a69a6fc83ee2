"""A client's request in the neutral form: which operation here is which there (protocol.md 3.3, 3.5, 3.6)."""

from __future__ import annotations

from typing import Any

from pipeline import (
    Answered,
    Data,
    Given,
    IfLost,
    InvalidRequest,
    Losses,
    Message,
    NeutralRequest,
    Parameter,
    Request,
    Text,
)
from stages.dialects.ollama import durations
from stages.dialects.ollama.fields import Fields
from stages.dialects.ollama.read_images import placed, read_image
from stages.dialects.ollama.read_messages import read_messages
from stages.dialects.ollama.read_parameters import read_parameters
from stages.dialects.ollama.read_tools import read_format, read_tools
from stages.dialects.ollama.structs import STRUCTS
from stages.dialects.table import Content

Parameters = dict[Parameter, Given]


def read(request: Request, losses: Losses) -> NeutralRequest | Answered:
    """The request as no provider writes it. Raises `InvalidRequest` naming the field, and nothing else."""
    reader = _READERS.get(request.operation)
    if reader is None:
        raise InvalidRequest("not supported by this gateway", status=501, code="unsupported_operation")
    struct = STRUCTS[request.operation]
    fields = Fields(request.payload, struct.fields, struct=struct.name)
    return reader(fields, read_parameters(fields, request.operation, losses), request.stream, losses)


def _chat(fields: Fields, parameters: Parameters, stream: bool, losses: Losses) -> NeutralRequest | Answered:
    messages = read_messages(fields, losses)
    tools, form = read_tools(fields, losses), read_format(fields)
    if not messages:
        return Answered(_loaded(parameters, {"delta": {"role": "assistant", "content": ""}}))
    return NeutralRequest("chat", stream, messages, tools, format=form, parameters=parameters)


def _generate(fields: Fields, parameters: Parameters, stream: bool, losses: Losses) -> NeutralRequest | Answered:
    """Raw text and filling in are completions; all else is a chat of one turn, since a template makes a chat of it."""
    prompt, system = Text(fields.text("prompt"), fields.at("prompt")), fields.text("system")
    raw, form = fields.flag("raw"), read_format(fields)
    images = [
        read_image(value, f"{fields.at('images')}[{at}]", "GenerateRequest.images")
        for at, value in enumerate(fields.items("images", "api.ImageData"))
    ]
    if raw:
        for name in ("template", "system", "context"):
            if fields.get(name):
                message = "raw mode does not support template, system, or context"
                raise InvalidRequest(message, param=fields.at(name), code="invalid_value")
    if not prompt.text:
        return Answered(_loaded(parameters, {"text": ""}))
    if not raw and Parameter.SUFFIX not in parameters:
        said = (Message("system", (Text(system, fields.at("system")),), path=fields.at("system")),) if system else ()
        asked = Message("user", placed(prompt.text, prompt.path, images), path=prompt.path)
        return NeutralRequest("chat", stream, (*said, asked), format=form, parameters=parameters)
    # A text that is continued has no place for any of these.
    if images:
        losses.drop(fields.at("images"), Content.IMAGE.if_lost)
    if form is not None:
        losses.drop(form.path, Content.ANY_JSON.if_lost)
    if system:
        losses.drop(fields.at("system"), Content.TEXT.if_lost)
    return NeutralRequest("completion", stream, prompts=(prompt,), parameters=parameters)


def _embed(fields: Fields, parameters: Parameters, stream: bool, losses: Losses) -> NeutralRequest | Answered:
    """`input` is one text or several. None at all loads the model; `[""]` embeds the empty text (1.6)."""
    given: Any = fields.get("input")
    path = fields.at("input")
    truncate = parameters.get(Parameter.TRUNCATE)
    if truncate is not None and truncate.value is True:
        # The default, said aloud: that others refuse a text that is too long is no loss to report (3.6).
        losses.drop(truncate.path, IfLost.DROP)
        del parameters[Parameter.TRUNCATE]
    if isinstance(given, str) and given:
        return NeutralRequest("embedding", inputs=(Text(given, path),), parameters=parameters)
    if given is None or given == "" or given == []:
        return Answered({"data": []})
    if not isinstance(given, list):
        raise InvalidRequest("invalid input type", param=path, code="invalid_type")
    for at, text in enumerate(given):
        if not isinstance(text, str):
            raise InvalidRequest("invalid input type", param=f"{path}[{at}]", code="invalid_type")
    inputs = tuple(Text(text, f"{path}[{at}]") for at, text in enumerate(given))
    return NeutralRequest("embedding", inputs=inputs, parameters=parameters)


def _embed_single(fields: Fields, parameters: Parameters, stream: bool, losses: Losses) -> NeutralRequest | Answered:
    prompt = fields.text("prompt")
    if not prompt:
        return Answered({"data": []})
    return NeutralRequest("embedding", inputs=(Text(prompt, fields.at("prompt")),), parameters=parameters)


_READERS = {"chat": _chat, "completion": _generate, "embedding": _embed, "embedding.single": _embed_single}


def _loaded(parameters: Parameters, said: Data) -> Data:
    """The answer to a request that says nothing: the model is loaded, or unloaded if it is kept no longer (1.4, 1.5).

    There is nothing to load behind another protocol, and no model server need be asked.
    """
    kept = parameters.get(Parameter.KEEP_ALIVE)
    unload = kept is not None and durations.keep_alive(kept.value) == 0
    choice = {"index": 0, **said, "finish_reason": "unload" if unload else "load", "logprobs": None}
    return {"choices": [choice]}
