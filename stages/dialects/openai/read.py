"""A client's request as no provider writes it (protocol.md 3.1, 3.5, 3.6, the left sides)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline import Answered, InvalidRequest, Losses, NeutralRequest, Parameter, Request, Text, UnsupportedMediaType
from stages.dialects.openai import expect
from stages.dialects.openai.lost import lose
from stages.dialects.openai.read_hints import read_hints
from stages.dialects.openai.read_messages import read_messages
from stages.dialects.openai.read_parameters import read_parameters
from stages.dialects.openai.read_tools import read_format, read_tools


def read(request: Request, losses: Losses) -> NeutralRequest | Answered:
    """Raises `InvalidRequest` naming a field that exists, and nothing else (law 6)."""
    payload = request.payload
    match request.operation:
        case "chat":
            return _chat(payload, request.stream, losses)
        case "completion":
            return _completion(payload, request.stream, losses)
        case "embedding":
            return _embedding(payload, losses)
    raise UnsupportedMediaType(f"This gateway cannot translate {request.operation} from openai.")


def _chat(payload: Mapping[str, Any], stream: bool, losses: Losses) -> NeutralRequest:
    messages = read_messages(payload.get("messages"), losses)
    tools, choice = read_tools(payload, losses)
    format = read_format(payload.get("response_format"), losses)
    parameters = read_parameters(payload, "chat", losses)
    read_hints(payload, "chat", losses)
    return NeutralRequest(
        "chat",
        stream=stream,
        messages=messages,
        tools=tools,
        tool_choice=choice,
        format=format,
        parameters=parameters,
    )


def _completion(payload: Mapping[str, Any], stream: bool, losses: Losses) -> NeutralRequest | Answered:
    prompts = read_prompts(payload)
    echo = expect.flag(payload.get("echo"), "echo") or False
    nothing = expect.whole(payload.get("max_tokens"), "max_tokens", least=0 if echo else 1) == 0
    parameters = read_parameters(_without(payload, "max_tokens") if nothing else payload, "completion", losses)
    choices = parameters[Parameter.CHOICES].value if Parameter.CHOICES in parameters else 1
    best_of = expect.whole(payload.get("best_of"), "best_of", least=0, most=20)
    if best_of is not None and best_of > choices:
        lose(losses, "best_of", "Choosing the best of several answers is not supported here.")
    read_hints(payload, "completion", losses)
    if nothing:
        return _echoed(prompts, choices)
    return NeutralRequest("completion", stream=stream, prompts=prompts, parameters=parameters)


def _embedding(payload: Mapping[str, Any], losses: Losses) -> NeutralRequest:
    if payload.get("input") is None:
        raise InvalidRequest("You must provide input.", param="input", code="missing_required_parameter")
    inputs = _texts(payload["input"], "input")
    for given in inputs:
        if not given.text:
            raise expect.invalid(given.path, f"`{given.path}` must not be empty.")
    read_encoding(payload)
    parameters = read_parameters(payload, "embedding", losses)
    read_hints(payload, "embedding", losses)
    return NeutralRequest("embedding", inputs=inputs, parameters=parameters)


def read_prompts(payload: Mapping[str, Any]) -> tuple[Text, ...]:
    """The texts to go on with. Without a prompt the model begins a text of its own."""
    given = payload.get("prompt")
    return (Text("", "prompt"),) if given is None else _texts(given, "prompt")


def read_encoding(payload: Mapping[str, Any]) -> str:
    """How the caller wants its vectors: `float` or `base64`."""
    given = expect.text(payload.get("encoding_format"), "encoding_format")
    wanted = "float" if given is None else given.lower()
    if wanted not in ("float", "base64"):
        raise expect.invalid("encoding_format", "`encoding_format` must be one of float, base64.")
    return wanted


def _texts(given: Any, path: str) -> tuple[Text, ...]:
    """A text or an array of texts. Numbers are tokens of some model, and whose they are nobody here can tell."""
    if isinstance(given, str):
        return (Text(given, path),)
    if not isinstance(given, list):
        raise expect.wrong(path, "a string or an array of strings")
    if not given:
        raise expect.invalid(path, f"`{path}` must not be empty.")
    texts = []
    for at, item in enumerate(given):
        if isinstance(item, (int, list)) and not isinstance(item, bool):
            message = f"`{path}` must be text: arrays of tokens are not supported here."
            raise InvalidRequest(message, param=path, code="unsupported_value")
        if not isinstance(item, str):
            raise expect.wrong(f"{path}[{at}]", "a string")
        texts.append(Text(item, f"{path}[{at}]"))
    return tuple(texts)


def _without(payload: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: payload[key] for key in payload if key != name}


def _echoed(prompts: tuple[Text, ...], choices: int) -> Answered:
    """The prompts and not a token more: nobody need be asked (protocol.md 3.5, max_tokens 0)."""
    said = [
        {"index": at * choices + copy, "text": prompt.text, "logprobs": None, "finish_reason": "length"}
        for at, prompt in enumerate(prompts)
        for copy in range(choices)
    ]
    return Answered({"choices": said})
