"""langchain-openai, unmodified, at the OpenAI face."""

from __future__ import annotations

from typing import Any

from chain import Checks
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from report import TOLD


def chat(model: str = TOLD["model"], limit: int = 8, key: str = TOLD["key"]) -> Any:
    return ChatOpenAI(
        base_url=TOLD["openai"],
        api_key=key,
        model=model,
        temperature=0,
        max_completion_tokens=limit,
        stream_usage=True,
        max_retries=0,
        timeout=60,
    )


def embed() -> Any:
    # Otherwise it counts tokens first, by a file it would fetch from the internet, and sends token numbers.
    return OpenAIEmbeddings(
        base_url=TOLD["openai"], api_key=TOLD["key"], model=TOLD["model"], check_embedding_ctx_length=False
    )


if __name__ == "__main__":
    Checks(chat, embed, TOLD["model"], TOLD["tool_model"]).run()
