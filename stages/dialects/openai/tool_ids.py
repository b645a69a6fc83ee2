"""Rule T: tool calls that nobody named get ids, and each call one answer (protocol.md after 3.3; laws 5, 13).

OpenAI refuses a history in which a call is unanswered or an answer has no call. Others have no ids at all, or lose
them on the way (pitfall of some client libraries), and accept both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from pipeline import Data, Losses, Message, ToolCall
from stages.dialects.wire import encode

_canonical = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class _Unanswered:
    """A call without its answer. `given` is the id that it came with: answers refer to that."""

    call: ToolCall
    given: str | None


def synthetic_id(message: int, call: int, name: str, arguments: Data) -> str:
    """The id of call number `call` of message number `message`: the same each time the history comes again."""
    of = encode([message, call, name, _canonical(arguments).decode()])
    return "call_" + sha256(of).hexdigest()[:24]


def with_tool_ids(messages: Sequence[Message], losses: Losses) -> tuple[Message, ...]:
    """The same conversation with every call named and answered once; what had to be added is reported."""
    return _Thread(losses).of(messages)


class _Thread:
    """The conversation while it is walked, with the queue of unanswered calls of the latest assistant turn."""

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._queue: list[_Unanswered] = []
        self._ids: set[str] = set()
        self._out: list[Message] = []

    def of(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        for at, message in enumerate(messages):
            if message.role == "tool":
                self._answered(message, at)
                continue
            if message.role in ("user", "assistant"):
                self._close()
            self._out.append(self._named(message, at) if message.calls else message)
        self._close()
        return tuple(self._out)

    def _named(self, message: Message, at: int) -> Message:
        calls = []
        for number, call in enumerate(message.calls):
            id = call.id or synthetic_id(at, number, call.name, call.arguments)
            if id in self._ids:
                # An id that was used before names two calls; the later one gets its own.
                if call.id:
                    self._losses.change(call.path)
                id = self._other(at, number, call)
            self._ids.add(id)
            calls.append(replace(call, id=id))
            self._queue.append(_Unanswered(calls[-1], call.id))
        return replace(message, calls=tuple(calls))

    def _other(self, at: int, number: int, call: ToolCall) -> str:
        id = synthetic_id(at, number, call.name, call.arguments)
        while id in self._ids:
            id = "call_" + sha256(id.encode()).hexdigest()[:24]
        return id

    def _answered(self, message: Message, at: int) -> None:
        if not self._queue:
            # An orphan: others accept it, this protocol does not.
            self._losses.change(message.path)
            call = ToolCall(message.tool_name or "unknown", {}, path=message.path)
            self._out.append(self._named(Message("assistant", calls=(call,), path=message.path), at))
        found = self._find(message)
        self._queue.remove(found)
        if message.call_id is not None and message.call_id != found.given and found.given is not None:
            self._losses.change(message.path)
        self._out.append(replace(message, call_id=found.call.id, tool_name=found.call.name))

    def _find(self, message: Message) -> _Unanswered:
        """By id, else by name, else the first: results come in the order of their calls."""
        by_id = [entry for entry in self._queue if message.call_id and entry.given == message.call_id]
        by_name = [entry for entry in self._queue if message.tool_name and entry.call.name == message.tool_name]
        return (by_id or by_name or self._queue)[0]

    def _close(self) -> None:
        """Answer with nothing what was not answered before the turn changed."""
        for entry in self._queue:
            self._losses.change(entry.call.path)
            self._out.append(Message("tool", call_id=entry.call.id, tool_name=entry.call.name, path=entry.call.path))
        self._queue.clear()
