"""What stands for the rest of the chain: it counts its calls, and answers when and how a test says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
from pipeline import (
    END,
    PRINCIPAL,
    TARGET_USED,
    Body,
    Event,
    Handler,
    Headers,
    Host,
    Principal,
    Request,
    Response,
    Target,
    compose_strict,
)

from acme_cache import Cache


class Clock:
    """Time stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


class Upstream:
    """Answers the number of the call. It waits before the head and before the last event if told to."""

    def __init__(self) -> None:
        self.calls: list[Request] = []
        self.head: Callable[[int], Awaitable[None]] = _at_once
        self.rest: Callable[[int], Awaitable[None]] = _at_once
        self.status = 200
        self.pieces = 1

    async def __call__(self, request: Request) -> Response:
        self.calls.append(request)
        number = len(self.calls)
        await self.head(number)
        body = Body.of(self._events(number))
        response = Response(body, status=self.status, headers=Headers({"x-number": str(number)}))
        return response.with_slot(TARGET_USED, Target("upstream", request.model))

    async def _events(self, number: int) -> AsyncIterator[Event]:
        for _ in range(self.pieces):
            yield _event({"content": f"answer {number}"})
        await self.rest(number)
        yield _event({}, finish="stop")
        yield Event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4}})
        yield END


class Gate:
    """Holds the calls of `numbers` until it is opened; `reached` says that the first of them is there."""

    def __init__(self, *numbers: int) -> None:
        self._numbers = numbers
        self.reached = anyio.Event()
        self.opened = anyio.Event()

    async def __call__(self, number: int) -> None:
        if number in self._numbers:
            self.reached.set()
            await self.opened.wait()


def cache(cls: type[Cache] = Cache, clock: Clock | None = None, **settings: Any) -> Cache:
    host = Host(resource=lambda group, name: None, implementation=lambda group, name: None, clock=clock or Clock())
    return cls(cls.Settings(**settings), host)


def handler(stage: Cache, upstream: Upstream) -> Handler:
    return compose_strict([stage], terminal=upstream)


def chat(
    text: str = "hello", *, caller: str = "bob", model: str = "m", stream: bool = True, operation: str = "chat"
) -> Request:
    payload = {"model": model, "messages": [{"role": "user", "content": text}]}
    return Request(operation, model=model, payload=payload, stream=stream).with_slot(PRINCIPAL, Principal(caller))


async def read(response: Response) -> str:
    return "".join([event.text async for event in response.body])


def _event(delta: dict[str, str], finish: str | None = None) -> Event:
    return Event({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


async def _at_once(number: int) -> None:
    return None
