"""The checks that are the same for every chat model of LangChain; what differs is told by the scripts that call it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from langchain_core.messages import HumanMessage, ToolMessage
from report import GREET, LONG, QUESTION, SCHEMA, WEATHER, check, folded, refused, stay, stopped


def facts(message: Any) -> dict[str, Any]:
    """What an answer says, by the names that every client reports."""
    told = message.response_metadata
    return {
        "text": message.content,
        "finish": told.get("finish_reason") or told.get("done_reason"),
        "tokens": (message.usage_metadata or {}).get("output_tokens"),
    }


class Checks:
    """One chat model's run. `chat(model=, limit=, key=)` and `embed()` make the client's objects."""

    def __init__(self, chat: Callable[..., Any], embed: Callable[[], Any], model: str, tool_model: str) -> None:
        self._chat = chat
        self._embed = embed
        self._model = model
        self._tool_model = tool_model

    async def whole(self) -> Any:
        return facts(await self._chat().ainvoke(GREET))

    async def stream(self) -> Any:
        whole, parts = await folded(self._chat().astream(GREET))
        return {**facts(whole), "parts": parts}

    async def tools(self) -> Any:
        chat = self._chat(model=self._tool_model, limit=64)
        question = HumanMessage(QUESTION)
        said, _ = await folded(chat.bind_tools([WEATHER]).astream([question]))
        (call,) = said.tool_calls
        after = await chat.ainvoke([question, said, ToolMessage("Sunny, 20 degrees.", tool_call_id=call["id"])])
        return {
            "calls": len(said.tool_calls),
            "name": call["name"],
            "arguments": call["args"],
            "finish": facts(said)["finish"],
            "answer": after.content,
        }

    async def structured(self) -> Any:
        return await self._chat(limit=40).with_structured_output(SCHEMA, method="json_schema").ainvoke(GREET)

    async def embeddings(self) -> Any:
        embed = self._embed()
        return {
            "vectors": await embed.aembed_documents(["one", "two"]),
            "again": [await embed.aembed_query(text) for text in ("one", "two")],
        }

    async def unknown(self) -> Any:
        return await refused(lambda: self._chat(model="no-such-model").ainvoke(GREET))

    async def unknown_streamed(self) -> Any:
        return await refused(lambda: folded(self._chat(model="no-such-model").astream(GREET)))

    async def wrong_key(self) -> Any:
        return await refused(lambda: self._chat(key="nobody").ainvoke(GREET))

    async def cancel(self) -> Any:
        return await stopped(self._chat(limit=1500).astream(LONG))

    async def all(self) -> None:
        await check("chat", self.whole)
        await check("stream", self.stream)
        await check("tools", self.tools)
        await check("structured", self.structured)
        await check("embeddings", self.embeddings)
        await check("unknown model", self.unknown)
        await check("unknown model, streamed", self.unknown_streamed)
        await check("wrong key", self.wrong_key)
        await check("cancel", self.cancel)
        await asyncio.to_thread(stay)  # while the loop runs on, which may still have a stream to close

    def run(self) -> None:
        asyncio.run(self.all())
