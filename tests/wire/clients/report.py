"""What the LangChain scripts beside this one tell tests/wire/test_other_clients.py, as report.mjs does for JavaScript.

One line of JSON a check, on standard output. A script judges nothing: it calls its client as a user would and says what
the client gave back. It runs under .build/clients, where neither gatewright nor the packages of .venv are.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

TOLD: dict[str, str] = json.loads(sys.argv[1])

GREET = "Say hello."
QUESTION = "Please use get_weather for Paris."  # the words that both models call a tool upon
# Minutes of tokens for a model of this size, unless somebody stops it.
LONG = "Write a very long story about a dragon, in many chapters."
SCHEMA = {
    "title": "answer",
    "description": "An answer.",
    "type": "object",
    "properties": {"yes": {"type": "boolean"}},
    "required": ["yes"],
}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


async def check(name: str, work: Callable[[], Awaitable[Any]]) -> None:
    """Say what `work` gives, or that it raised, which is then the end of this check alone."""
    try:
        said = {"check": name, "value": await work()}
    except Exception as error:
        said = {"check": name, "error": f"{type(error).__name__}: {error}"}
    print(json.dumps(said), flush=True)


async def refused(work: Callable[[], Awaitable[Any]]) -> dict[str, Any]:
    """What a call that must fail is refused with, as the client shows it."""
    try:
        await work()
    except Exception as error:
        shown = {name: getattr(error, name, None) for name in ("status_code", "code", "param")}
        return {"class": type(error).__name__, "message": str(error), "status": shown.pop("status_code"), **shown}
    raise AssertionError("it was not refused")


async def folded(parts: AsyncGenerator[Any, None]) -> tuple[Any, int]:
    """All parts of a stream added up, as LangChain itself adds them, and how many there were."""
    seen = [part async for part in parts]
    whole = seen[0]
    for part in seen[1:]:
        whole += part
    return whole, len(seen)


async def stopped(parts: AsyncGenerator[Any, None]) -> dict[str, Any]:
    """A stream that its reader leaves after three parts."""
    seen = 0
    async for _ in parts:
        seen += 1
        if seen == 3:
            break
    await parts.aclose()
    return {"seen": seen}


def stay() -> None:
    """Stay alive until the test closes standard input: an exit would free the model server just as a cancel does."""
    sys.stdin.read()
