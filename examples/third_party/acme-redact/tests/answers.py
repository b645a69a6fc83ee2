"""Answers to redact, and what a reader makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline import END, Body, Data, Event, Handler, Host, Request, Response, compose_strict

HOST = Host(resource=lambda group, name: None, implementation=lambda group, name: None)


def chunk(content: str | None = None, finish: str | None = None, index: int = 0, **delta: Any) -> Data:
    said = delta if content is None else {"content": content, **delta}
    return {"choices": [{"index": index, "delta": said, "finish_reason": finish}]}


def stream(*pieces: str) -> list[Data]:
    """An answer in these pieces, as a stream tells it."""
    return [*map(chunk, pieces), chunk(finish="stop")]


def whole(text: str) -> list[Data]:
    """The same as a whole answer tells it: all of a choice in one event."""
    return [chunk(text, finish="stop")]


async def events(stage: Any, answer: Sequence[Data], *, end: bool = True, streamed: bool = True) -> list[Event]:
    async def given(request: Request) -> Response:
        return Response(Body.of([*map(Event, answer), *([END] if end else [])]))

    handler: Handler = compose_strict([stage], terminal=given)
    return [event async for event in (await handler(Request("chat", model="m", stream=streamed))).body]


async def read(stage: Any, answer: Sequence[Data], *, end: bool = True, index: int = 0, streamed: bool = True) -> str:
    """The text of a choice, up to its finish reason: what a client shows."""
    text = ""
    for event in await events(stage, answer, end=end, streamed=streamed):
        for choice in event.data.get("choices") or ():
            if choice["index"] == index:
                text += choice.get("text") or choice.get("delta", {}).get("content") or ""
                if choice.get("finish_reason"):
                    return text
    return text
