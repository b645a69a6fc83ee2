"""Requests on the wire: a client's, checked for what the gateway itself needs, and ours to an upstream.

What a field means is `read`'s to say. The types of known fields are checked here already, in Go's words, because they
decide nothing but whether the request can be read at all (protocol.md 1.1). A request of this dialect for an upstream
of this dialect stays as it is but for `stream`, whose default there is true: it is always said (protocol.md 3.0.4).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline import Asked, InvalidRequest, NotFound, Payload, Request, UpstreamCall
from stages.dialects.ollama import go_json
from stages.dialects.ollama.structs import STRUCTS, Struct

STREAMED = frozenset({"chat", "completion", "manage.pull", "manage.push", "manage.create"})
"""Operations that stream unless they are asked not to; all others never do."""

_CALLS: Mapping[str, tuple[str, str]] = {
    "chat": ("POST", "/api/chat"),
    "completion": ("POST", "/api/generate"),
    "embedding": ("POST", "/api/embed"),
    "embedding.single": ("POST", "/api/embeddings"),
    "models.list": ("GET", "/api/tags"),
    "models.show": ("POST", "/api/show"),
    "models.running": ("GET", "/api/ps"),
    "version": ("GET", "/api/version"),
    "alive": ("GET", "/"),
    "manage.pull": ("POST", "/api/pull"),
    "manage.push": ("POST", "/api/push"),
    "manage.create": ("POST", "/api/create"),
    "manage.copy": ("POST", "/api/copy"),
    "manage.delete": ("DELETE", "/api/delete"),
    "manage.blob.check": ("HEAD", "/api/blobs/"),
    "manage.blob.push": ("POST", "/api/blobs/"),
}
_BLOBS = frozenset({"manage.blob.check", "manage.blob.push"})
_UNKNOWN_WITHOUT_MODEL = frozenset({"completion", "embedding"})
_LONGEST_MODEL = 512
_DIGEST = re.compile(r"sha256[:-][0-9a-fA-F]{64}")


def decode_request(operation: str, body: bytes, path_model: str) -> Asked:
    """The model, payload and mode asked for. Raises `InvalidRequest` naming the field, and nothing else."""
    if operation in _BLOBS:
        # The digest becomes a part of the upstream's path, so nothing but a digest may pass.
        if not _DIGEST.fullmatch(path_model):
            raise InvalidRequest("invalid digest format", param="digest", code="invalid_value")
        return Asked("", Payload({"digest": path_model, "content": body}))
    struct = STRUCTS.get(operation)
    if struct is None:
        return Asked("", Payload())
    payload = go_json.parse(body, struct.fields, struct.name)
    _check_types(payload, struct)
    payload, model = _model(operation, payload, struct)
    stream = operation in STREAMED and payload.get("stream") is not False
    return Asked(model, payload, stream)


def encode_request(request: Request) -> UpstreamCall:
    """The request as a call. Its payload is in this dialect: a client's own, or written by `write`."""
    operation, payload = request.operation, request.payload
    if operation not in _CALLS:
        raise NotFound(f"A model server is not asked for {operation}.")
    method, path = _CALLS[operation]
    if operation in _BLOBS:
        content = payload["content"] if operation == "manage.blob.push" else b""
        kind = (("content-type", "application/octet-stream"),) if operation == "manage.blob.push" else ()
        return UpstreamCall(method, path + payload["digest"], content, (*kind, ("accept", "application/json")))
    if method == "GET":
        return UpstreamCall(method, path, b"", (("accept", "text/plain" if path == "/" else "application/json"),))
    if operation in STREAMED and payload.get("stream") is not request.stream:
        payload = payload.with_(stream=request.stream)
    if operation != "manage.copy" and "model" not in payload:
        payload = payload.with_(model=request.model)  # other dialects name it in the path
    accept = "application/x-ndjson" if request.stream and operation in STREAMED else "application/json"
    try:
        body = payload.encode()
    except RecursionError:
        raise InvalidRequest("The request is nested too deeply.", code="invalid_json") from None
    return UpstreamCall(method, path, body, (("content-type", "application/json"), ("accept", accept)))


def rename(request: Request, model: str) -> Payload:
    """The payload asking for another model; a blob belongs to none."""
    if request.operation in _BLOBS:
        return request.payload
    return request.payload.with_(**{"source" if request.operation == "manage.copy" else "model": model})


def _check_types(payload: Payload, struct: Struct) -> None:
    """One level deep: a long history is not decoded for a look at its brackets."""
    for key, wanted in struct.fields.items():
        raw = payload.raw(key) if wanted and key in payload else None
        if raw is None:
            continue
        found = go_json.kind(raw)
        if found == "null" or found == _JSON_KINDS.get(wanted[:3], "array"):
            continue
        raise go_json.mismatch(found, f"{struct.name}.{key}", wanted, key)


_JSON_KINDS = {"str": "string", "boo": "bool", "int": "number", "map": "object"}


def _model(operation: str, payload: Payload, struct: Struct) -> tuple[Payload, str]:
    """The model, from wherever this operation says it; `name` is what it was called in old clients (1.7, 1.8)."""
    where = "source" if operation == "manage.copy" else "model"
    model = payload.get(where) or ""
    if "name" in struct.fields and "name" in payload:
        model = model or payload["name"] or ""
        payload = payload.without("name").with_(model=model)
    if not model and operation in _UNKNOWN_WITHOUT_MODEL:
        raise InvalidRequest("model '' not found", status=404, param=where, code="model_not_found")
    if not model:
        raise InvalidRequest(f"{where} is required", param=where, code="missing_required_parameter")
    if len(model) > _LONGEST_MODEL:
        message = f"the model's name is over {_LONGEST_MODEL} characters"
        raise InvalidRequest(message, param=where, code="string_above_max_length")
    return payload, model
