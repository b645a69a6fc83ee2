"""A correct stage, and for each law a stage like it that breaks just this one. The kit must tell them apart.

The correct one does a little of everything that a stage may do: it reads settings, writes a slot, looks at events,
waits for the end and releases.
"""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import threading
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
from pydantic import Field, SecretStr

from pipeline import (
    END,
    MODEL,
    PRINCIPAL,
    Body,
    Event,
    EventKind,
    Handler,
    Host,
    InvalidRequest,
    Request,
    Response,
    StageSettings,
    note,
    stage,
)


class Words(StageSettings):
    words: list[str] = Field(default=["secret"], description="What is counted.")
    token: SecretStr = Field(default=SecretStr("kit-secret-setting-0123456789"), description="Of the counter.")


@stage("kit.twin", writes=(MODEL,), calls_next="at_most_once")
class Twin:
    """Counts the events of an answer, holds a place while it runs, and refuses a request without a model."""

    Settings = Words

    def __init__(self, settings: Words, host: Host) -> None:
        self._settings = settings
        self._host = host
        self._running = 0

    async def start(self) -> None:
        self._running = 0

    async def stop(self) -> None:
        self._running = 0

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        if not request.model and request.operation == "chat":
            raise InvalidRequest("name a model", param="model")
        self._running += 1
        try:
            response = await call_next(request.with_slot(MODEL, request.model))
        except BaseException:
            self._running -= 1
            raise
        counted = _Counted(request)
        response.body.map(counted)
        response.body.on_end(lambda outcome: note(request, events=counted.events))
        response.body.on_close(self._release)
        return response

    async def _release(self) -> None:
        self._running -= 1


class _Counted:
    def __init__(self, request: Request) -> None:
        self.events = 0

    def __call__(self, event: Event) -> Event:
        self.events += 1
        return event


class Undescribed(Twin):
    """L1."""

    class Settings(StageSettings):
        words: list[str] = Field(default=[])


class StartsWhenBuilt(Twin):
    """L2."""

    def __init__(self, settings: Words, host: Host) -> None:
        super().__init__(settings, host)
        socket.getaddrinfo("localhost", 80)


class StartsAThread(Twin):
    """L2: which is over before anybody looks."""

    def __init__(self, settings: Words, host: Host) -> None:
        super().__init__(settings, host)
        thread = threading.Thread(target=len, args=("",))
        thread.start()
        thread.join()


class LeavesAFileOpen(Twin):
    """L2: for as long as it lives."""

    def __init__(self, settings: Words, host: Host) -> None:
        super().__init__(settings, host)
        weakref.finalize(self, os.close, os.open(os.devnull, os.O_RDONLY))


class WritesAFile(Twin):
    """L2: without an `open` of Python's."""

    def __init__(self, settings: Words, host: Host) -> None:
        super().__init__(settings, host)
        os.close(os.open(Path(tempfile.gettempdir(), "gatewright-kit"), os.O_WRONLY | os.O_CREAT))


class StartsATask(Twin):
    """L2: where a loop happens to run."""

    def __init__(self, settings: Words, host: Host) -> None:
        super().__init__(settings, host)
        try:
            self._task = asyncio.get_running_loop().create_task(asyncio.sleep(3600))
        except RuntimeError:
            return


class CallsTwice(Twin):
    """L3."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        first = await super().__call__(request, call_next)
        await first.body.aclose()
        return await super().__call__(request, call_next)


class EditsInPlace(Twin):
    """L4."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        for message in request.payload.get("messages") or ():
            message["seen"] = True
        return await super().__call__(request, call_next)


class LooksUndeclared(Twin):
    """L5."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        request.slots.get(PRINCIPAL)
        return await super().__call__(request, call_next)


class DropsEmpty(Twin):
    """L6."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await super().__call__(request, call_next)
        response.body.map(lambda event: event if event.text or event.kind is EventKind.END else None)
        return response


class _Holding:
    """Keeps the last letters of what was said, to look at them together with the next ones."""

    def __init__(self, letters: int, *, until_finish: bool) -> None:
        self._letters = letters
        self._until_finish = until_finish
        self._held = ""

    def __call__(self, event: Event) -> tuple[Event, ...]:
        choices = event.data.get("choices")
        if self._until_finish and choices and choices[0].get("finish_reason"):
            held, self._held = self._held, ""
            return (event.map_text(lambda index, text: held + text),)
        return (event.map_text(self._text),)

    def _text(self, index: int, text: str) -> str:
        text = self._held + text
        said, self._held = text[: -self._letters], text[-self._letters :]
        return said


class NeverLetsGo(Twin):
    """L6: the end of an answer stays with it."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await super().__call__(request, call_next)
        response.body.expand(_Holding(4, until_finish=False))
        return response


class WaitsForTheFinish(Twin):
    """L6: which not all model servers send."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await super().__call__(request, call_next)
        response.body.expand(_Holding(4, until_finish=True))
        return response


class RedactsEachEvent(Twin):
    """L7: the field's favourite. A word that is cut over two events goes through."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await super().__call__(request, call_next)
        response.body.map(lambda event: event.map_text(lambda index, text: text.replace("secret", "***")))
        return response


class WrapsWithoutClosing(Twin):
    """L8: the generator's `finally` does not run if nobody began to read."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await super().__call__(request, call_next)
        return Response(Body.of(_relayed(response.body)), slots=response.slots)


async def _relayed(body: Body) -> AsyncIterator[Event]:
    try:
        async for event in body:
            yield event
    finally:
        await body.aclose()


class RaisesAtTheEnd(Twin):
    """L9."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await super().__call__(request, call_next)

        def settle(outcome: object) -> None:
            raise RuntimeError("settled already")

        response.body.on_end(settle)
        return response


class AnswersItself(Twin):
    """L10: drops what it has received."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await super().__call__(request, call_next)
        if request.operation != "chat":
            return response
        return Response(Body.of([Event({"choices": []}), END]))


class RaisesKeyError(Twin):
    """L11: of its own, and untyped."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        if request.operation == "chat":
            request.payload["temperature"]
        return await super().__call__(request, call_next)


class RaisesWhileRead(Twin):
    """L11: the same in a function of the body, where the engine makes an opaque 500 of it."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await super().__call__(request, call_next)
        response.body.map(lambda event: event.with_data({**event.data, "said": event.data["choices"][0]}))
        return response


class SwallowsErrors(Twin):
    """L11: what comes from further in becomes an answer."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        try:
            return await super().__call__(request, call_next)
        except Exception:
            return Response(Body.of([END]))


class SwallowsCancellation(Twin):
    """L11: `except BaseException` and no `raise`."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        try:
            return await super().__call__(request, call_next)
        except Exception:
            raise
        except BaseException:
            return Response(Body.of([END]))


class KeepsTheLock(Twin):
    """L12: who is cancelled while waiting never gives the place back."""

    def __init__(self, settings: Words, host: Host) -> None:
        super().__init__(settings, host)
        self._free = True

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        if not self._free:
            raise InvalidRequest("one at a time")
        self._free = False
        try:
            response = await super().__call__(request, call_next)
        except Exception:
            self._free = True
            raise
        response.body.on_close(self._give_back)
        return response

    async def _give_back(self) -> None:
        self._free = True


class LeavesATask(Twin):
    """L12: works in the background of a request, for ever."""

    def __init__(self, settings: Words, host: Host) -> None:
        super().__init__(settings, host)
        self._tasks: Any = None

    async def start(self) -> None:
        await super().start()
        self._tasks = anyio.create_task_group()
        await self._tasks.__aenter__()

    async def stop(self) -> None:
        await super().stop()
        if self._tasks is not None:
            self._tasks.cancel_scope.cancel()
            await self._tasks.__aexit__(None, None, None)
            self._tasks = None

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        self._tasks.start_soon(anyio.sleep_forever)
        return await super().__call__(request, call_next)


class CollectsFirst(Twin):
    """L13."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await super().__call__(request, call_next)
        events = [event async for event in response.body]
        return Response(Body.of(events), slots=response.slots)


@stage("kit.twin", writes=(MODEL,), calls_next="at_most_once", expands=True)
class CollectsByExpanding(Twin):
    """L13: which is declared, and holds back all the same."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await super().__call__(request, call_next)
        response.body.expand(_Collecting(begins_at_once=False))
        return response


@stage("kit.twin", writes=(MODEL,), calls_next="at_most_once", expands=True)
class BeginsAndThenCollects(Twin):
    """L13: the first word is out, and then nothing for a long time."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await super().__call__(request, call_next)
        response.body.expand(_Collecting(begins_at_once=True))
        return response


class _Collecting:
    def __init__(self, *, begins_at_once: bool) -> None:
        self._begin = begins_at_once
        self._held: list[Event] = []

    def __call__(self, event: Event) -> tuple[Event, ...]:
        if self._begin or event.kind is EventKind.END:
            self._begin = False
            return (*self._held, event)
        self._held.append(event)
        return ()


class KeepsStateOnItself(Twin):
    """L14: numbers what is said, and the next request begins anew."""

    def __init__(self, settings: Words, host: Host) -> None:
        super().__init__(settings, host)
        self._said = 0

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        self._said = 0
        response = await super().__call__(request, call_next)
        response.body.map(lambda event: event.map_text(self._numbered))
        return response

    def _numbered(self, index: int, text: str) -> str:
        self._said += 1
        return f"{self._said} {text}"


class StopsOnlyWhatRan(Twin):
    """L15."""

    def __init__(self, settings: Words, host: Host) -> None:
        super().__init__(settings, host)
        self._begun: list[int] = []

    async def start(self) -> None:
        self._begun.append(1)

    async def stop(self) -> None:
        self._begun.pop()


class LogsThePrompt(Twin):
    """L16."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        self._host.log.info("asked", payload=dict(request.payload))
        return await super().__call__(request, call_next)


class TellsTheSecret(Twin):
    """L16."""

    def __repr__(self) -> str:
        return f"TellsTheSecret({self._settings.token.get_secret_value()})"


class ChangesOnlyStreams(Twin):
    """L17."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await super().__call__(request, call_next)
        if request.stream:
            response.body.map(lambda event: event.map_text(lambda index, text: text.upper()))
        return response


MUTANTS: tuple[tuple[str, type[Twin]], ...] = (
    ("L1", Undescribed),
    ("L2", StartsWhenBuilt),
    ("L2", StartsAThread),
    ("L2", LeavesAFileOpen),
    ("L2", WritesAFile),
    ("L2", StartsATask),
    ("L3", CallsTwice),
    ("L4", EditsInPlace),
    ("L5", LooksUndeclared),
    ("L6", DropsEmpty),
    ("L6", NeverLetsGo),
    ("L6", WaitsForTheFinish),
    ("L7", RedactsEachEvent),
    ("L8", WrapsWithoutClosing),
    ("L9", RaisesAtTheEnd),
    ("L10", AnswersItself),
    ("L11", RaisesKeyError),
    ("L11", RaisesWhileRead),
    ("L11", SwallowsErrors),
    ("L11", SwallowsCancellation),
    ("L12", KeepsTheLock),
    ("L12", LeavesATask),
    ("L13", CollectsFirst),
    ("L13", CollectsByExpanding),
    ("L13", BeginsAndThenCollects),
    ("L14", KeepsStateOnItself),
    ("L15", StopsOnlyWhatRan),
    ("L16", LogsThePrompt),
    ("L16", TellsTheSecret),
    ("L17", ChangesOnlyStreams),
)
