"""langchain-ollama, unmodified, at the Ollama face. It asks for streams only, even where its caller does not."""

from __future__ import annotations

from typing import Any

from chain import Checks
from langchain_ollama import ChatOllama, OllamaEmbeddings
from report import TOLD


def kept(key: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {key}"}, "timeout": 60}


def chat(model: str = TOLD["model"], limit: int = 8, key: str = TOLD["key"]) -> Any:
    return ChatOllama(base_url=TOLD["ollama"], model=model, temperature=0, num_predict=limit, client_kwargs=kept(key))


def embed() -> Any:
    return OllamaEmbeddings(base_url=TOLD["ollama"], model=TOLD["model"], client_kwargs=kept(TOLD["key"]))


if __name__ == "__main__":
    Checks(chat, embed, TOLD["model"], TOLD["tool_model"]).run()
