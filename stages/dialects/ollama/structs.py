"""The fields of each request and their Go types, which the server's own error texts name (protocol.md 1.4-1.8).

A type of "" is checked elsewhere: the field takes several. Fields that are not listed pass as they came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_MAP = "map[string]interface {}"
_NAMES = "map[string]string"


@dataclass(frozen=True, slots=True)
class Struct:
    name: str
    fields: Mapping[str, str]


_MODEL = {"model": "string"}
_LEGACY = {"model": "string", "name": "string"}
_GENERATING = {
    **_MODEL,
    "stream": "bool",
    "format": "",
    "options": _MAP,
    "think": "",
    "keep_alive": "",
    "truncate": "bool",
    "shift": "bool",
    "logprobs": "bool",
    "top_logprobs": "int",
    "_debug_render_only": "bool",
}

STRUCTS: Mapping[str, Struct] = {
    "chat": Struct("ChatRequest", {**_GENERATING, "messages": "[]api.Message", "tools": "api.Tools"}),
    "completion": Struct(
        "GenerateRequest",
        {
            **_GENERATING,
            **dict.fromkeys(("prompt", "suffix", "system", "template"), "string"),
            "context": "[]int",
            "raw": "bool",
            "images": "[]api.ImageData",
        },
    ),
    "embedding": Struct(
        "EmbedRequest",
        {**_MODEL, "input": "", "truncate": "bool", "dimensions": "int", "keep_alive": "", "options": _MAP},
    ),
    "embedding.single": Struct("EmbeddingRequest", {**_MODEL, "prompt": "string", "keep_alive": "", "options": _MAP}),
    "models.show": Struct(
        "ShowRequest", {**_LEGACY, "verbose": "bool", "system": "string", "template": "string", "options": _MAP}
    ),
    "manage.pull": Struct("PullRequest", {**_LEGACY, "insecure": "bool", "stream": "bool"}),
    "manage.push": Struct("PushRequest", {**_LEGACY, "insecure": "bool", "stream": "bool"}),
    "manage.create": Struct(
        "CreateRequest",
        {
            **_LEGACY,
            **dict.fromkeys(("from", "template", "system", "quantize", "quantization"), "string"),
            **dict.fromkeys(("renderer", "parser", "requires", "remote_host", "draft_quantize"), "string"),
            **dict.fromkeys(("files", "adapters", "draft_files"), _NAMES),
            **dict.fromkeys(("parameters", "info"), _MAP),
            "license": "",
            "messages": "[]api.Message",
            "stream": "bool",
        },
    ),
    "manage.copy": Struct("CopyRequest", {"source": "string", "destination": "string"}),
    "manage.delete": Struct("DeleteRequest", _LEGACY),
}
