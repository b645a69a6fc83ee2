"""Reading a client's request (protocol.md 2.2-2.7): only what the gateway itself needs is checked.

Parse leniently, emit strictly: unknown fields pass to the upstream, which knows better than we which are real. What is
checked here is what would otherwise fail further on with a worse message.
"""

from __future__ import annotations

from typing import Any

from pipeline import Asked, InvalidRequest, Payload
from stages.dialects.openai.wire import NOT_JSON

GENERATING = frozenset({"chat", "completion"})
_REQUIRED = {"chat": "messages", "embedding": "input"}


def decode_request(operation: str, body: bytes, path_model: str) -> Asked:
    """The model, payload and mode asked for. Raises `InvalidRequest` naming the field."""
    if operation.startswith("models."):
        return Asked(path_model, Payload())
    payload = _parse(body)
    model = _field(payload, "model")
    if model is None:
        raise InvalidRequest("You must provide a model.", param="model", code="missing_required_parameter")
    if not isinstance(model, str) or not model:
        raise InvalidRequest("The model must be a non-empty string.", param="model", code="invalid_type")
    _check_required(operation, payload)
    return Asked(model, payload, _stream(operation, payload))


def _parse(body: bytes) -> Payload:
    try:
        # The parser passes over what nobody looks at yet, so bytes that are no UTF-8 would surface in some stage.
        if not body.isascii():
            body.decode()
        return Payload.parse(body)
    except RecursionError:
        raise InvalidRequest("The request body is nested too deeply.", code="invalid_json") from None
    except ValueError as error:
        raise InvalidRequest(f"The request body is not a JSON object: {error}.", code="invalid_json") from None


def _field(payload: Payload, name: str) -> Any:
    """The value of a field, or None. What can be parsed may still hold a number that is out of range."""
    try:
        return payload.get(name)
    except NOT_JSON:
        raise InvalidRequest(f"{name} cannot be read.", param=name, code="invalid_value") from None


def _check_required(operation: str, payload: Payload) -> None:
    name = _REQUIRED.get(operation)
    if name is None:
        return
    value = _field(payload, name)
    if value is None:
        raise InvalidRequest(f"You must provide {name}.", param=name, code="missing_required_parameter")
    if name == "messages":
        if not isinstance(value, list):
            raise InvalidRequest("messages must be an array.", param=name, code="invalid_type")
        if not value:
            raise InvalidRequest("messages must not be empty.", param=name, code="invalid_value")
        for at, message in enumerate(value):
            if not isinstance(message, dict):
                raise InvalidRequest("A message must be an object.", param=f"messages[{at}]", code="invalid_type")


def _stream(operation: str, payload: Payload) -> bool:
    stream = _field(payload, "stream")
    if stream is not None and not isinstance(stream, bool):
        raise InvalidRequest("stream must be a boolean.", param="stream", code="invalid_type")
    options = _field(payload, "stream_options")
    if options is not None and not isinstance(options, dict):
        raise InvalidRequest("stream_options must be an object.", param="stream_options", code="invalid_type")
    if options and not stream:
        message = "stream_options is only allowed when stream is true."
        raise InvalidRequest(message, param="stream_options", code="invalid_value")
    return bool(stream) and operation in GENERATING
