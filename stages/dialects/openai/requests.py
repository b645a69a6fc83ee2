"""Reading a client's request (protocol.md 2.2-2.7): only what the gateway itself needs is checked.

Parse leniently, emit strictly: unknown fields pass to the upstream, which knows better than we which are real. What is
checked here is what would otherwise fail further on with a worse message.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from pipeline import Asked, InvalidRequest, Payload

GENERATING = frozenset({"chat", "completion"})
_LONGEST_MODEL = 512


class _Object(msgspec.Struct):
    """Any JSON object; its fields are skipped, not decoded."""


class _Sound(msgspec.Struct):
    """A chat request of which nothing is to be said. Any other is looked at field by field, to say what."""

    model: Annotated[str, msgspec.Meta(min_length=1, max_length=_LONGEST_MODEL)]
    messages: Annotated[list[_Object], msgspec.Meta(min_length=1)]
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None


_sound = msgspec.json.Decoder(_Sound).decode
_objects = msgspec.json.Decoder(list[_Object]).decode
_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode


def decode_request(operation: str, body: bytes, path_model: str) -> Asked:
    """The model, payload and mode asked for. Raises `InvalidRequest` naming the field."""
    if operation.startswith("models."):
        return Asked(path_model, Payload())
    try:
        payload = Payload.parse(body)
    except ValueError as error:
        raise InvalidRequest(f"The request body is not a JSON object: {error}.", code="invalid_json") from None
    if operation == "chat" and (sound := _look(body)) is not None:
        return Asked(sound.model, payload, bool(sound.stream))
    model = payload.get("model")
    if model is None:
        raise InvalidRequest("You must provide a model.", param="model", code="missing_required_parameter")
    if not isinstance(model, str) or not model:
        raise InvalidRequest("The model must be a non-empty string.", param="model", code="invalid_type")
    if len(model) > _LONGEST_MODEL:
        message = f"The model's name is over {_LONGEST_MODEL} characters."
        raise InvalidRequest(message, param="model", code="string_above_max_length")
    if operation == "chat":
        _check_messages(payload)
    elif operation == "embedding" and payload.get("input") is None:
        raise InvalidRequest("You must provide input.", param="input", code="missing_required_parameter")
    return Asked(model, payload, _stream(operation, payload))


def _look(body: bytes) -> _Sound | None:
    try:
        sound = _sound(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    return sound if sound.stream or sound.stream_options is None else None


def _check_messages(payload: Payload) -> None:
    """An array of objects, not empty. One level deep: a long history is not decoded for a look at its brackets."""
    raw = payload.raw("messages")
    if raw is None or raw == b"null":
        raise InvalidRequest("You must provide messages.", param="messages", code="missing_required_parameter")
    if not raw.startswith(b"["):
        raise InvalidRequest("messages must be an array.", param="messages", code="invalid_type")
    try:
        messages = _objects(raw)
    except msgspec.ValidationError:
        at = next(at for at, message in enumerate(_elements(raw)) if not bytes(message).startswith(b"{"))
        raise InvalidRequest("A message must be an object.", param=f"messages[{at}]", code="invalid_type") from None
    if not messages:
        raise InvalidRequest("messages must not be empty.", param="messages", code="invalid_value")


def _stream(operation: str, payload: Payload) -> bool:
    stream = payload.get("stream")
    if stream is not None and not isinstance(stream, bool):
        raise InvalidRequest("stream must be a boolean.", param="stream", code="invalid_type")
    options = payload.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise InvalidRequest("stream_options must be an object.", param="stream_options", code="invalid_type")
    if options and not stream:
        message = "stream_options is only allowed when stream is true."
        raise InvalidRequest(message, param="stream_options", code="invalid_value")
    return bool(stream) and operation in GENERATING
