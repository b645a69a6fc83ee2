"""Both faces before both kinds of model server, as one process of `gatewright serve`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.wire.documents import KEY, write
from tests.wire.gateway_process import GatewayProcess, serving_process
from tests.wire.model_server import NAME, ModelServer
from tests.wire.ollama_server import SMOL, TOOLS, OllamaServer


@dataclass(frozen=True)
class Front:
    """One gateway: where its two faces are, and the models behind it.

    `tool_model` calls tools when it is asked `question`: models of this size need the words that they know.
    """

    ollama: str
    openai: str
    model: str
    tool_model: str
    question: str


def document(llama: str, ollama: str, **given: Any) -> dict[str, Any]:
    """One gateway a model server, each with the Ollama face and, below it, the OpenAI face."""
    parameters = {"keys": ["team"], "manage_scope": "manage", **given}
    return {
        "version": 1,
        "resources": {
            "upstreams": {
                "llama": {"dialect": "openai", "base_url": llama, "profile": "llama.cpp"},
                "ollama": {"dialect": "ollama", "base_url": ollama},
            },
            "keys": {"team": {"keys": [{"id": "tester", "key": KEY}]}},
        },
        "gateways": {
            "translated": {"use": "ollama", "with": {"upstream": "llama", **parameters}, "mount": "/llama"},
            "native": {"use": "ollama", "with": {"upstream": "ollama", **parameters}, "mount": "/ollama"},
        },
    }


@contextmanager
def both_faces(
    folder: Path, model: ModelServer, ollama: OllamaServer, **given: Any
) -> Iterator[tuple[GatewayProcess, dict[str, Front]]]:
    """The process, and the fronts by the name of the model server behind them."""
    with serving_process(write(folder, document(model.url, ollama.address, **given))) as process:
        root = f"http://127.0.0.1:{process.port}"
        yield (
            process,
            {
                "llama": Front(f"{root}/llama", f"{root}/llama/v1", NAME, NAME, "Please use get_weather for Paris."),
                "ollama": Front(
                    f"{root}/ollama", f"{root}/ollama/v1", SMOL, TOOLS, "What is the weather in Paris? Use the tool."
                ),
            },
        )
