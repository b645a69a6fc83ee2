"""Fragments of tool calls put together: this protocol knows whole calls only (protocol.md 3.4, law 28)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipeline import Data
from stages.dialects.ollama import arguments
from stages.dialects.wire import as_dict, as_int, as_list, as_text, encode


@dataclass(slots=True)
class _Call:
    index: int
    id: str = ""
    name: str = ""
    text: str = ""


class ToolCalls:
    """The calls of one answer, while their fragments come in, perhaps those of several calls in turn.

    A fragment belongs to the call of its number, else to the one of its id, else to the latest. It begins a new call
    under a number that is taken if its id is another, or its name is, or is said again after the arguments are whole:
    servers that number every call 0 are common, and so are those that repeat the name in each fragment (pitfall 15).
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._calls: list[_Call] = []
        self._open: dict[int, _Call] = {}
        self._legacy: _Call | None = None

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, given: Any) -> bool:
        """Take the `tool_calls` of one delta; whether there were any."""
        fragments = [as_dict(fragment) for fragment in as_list(given)]
        for fragment in fragments:
            function = as_dict(fragment.get("function"))
            self._add(fragment, as_text(fragment.get("id")), as_text(function.get("name")), function)
        return bool(fragments)

    def add_legacy(self, given: Any) -> bool:
        """Take a `function_call`, of which an answer has one at most; whether it was one."""
        if not isinstance(given, dict):
            return False
        if self._legacy is None:
            self._legacy = self._new(len(self._calls))
        call = self._legacy
        call.name = call.name or as_text(given.get("name"))
        call.text += _text_of(given.get("arguments"))
        return True

    def whole(self) -> list[Data]:
        """All calls by their numbers, renumbered without gaps. Raises `UpstreamGarbage` on arguments that are none."""
        ordered = sorted(self._calls, key=lambda call: call.index)
        return [self._written(call, at) for at, call in enumerate(ordered)]

    def _add(self, fragment: Data, id: str, name: str, function: Data) -> None:
        number = as_int(fragment.get("index"), -1)
        call = self._open.get(number) if number >= 0 else self._of_id(id, name)
        if call is None or _begins_another(call, id, name):
            call = self._new(number if number >= 0 else len(self._calls))
            self._open[number] = call
        call.id = call.id or id
        call.name = call.name or name
        call.text += _text_of(function.get("arguments"))

    def _of_id(self, id: str, name: str) -> _Call | None:
        if id:
            return next((call for call in self._calls if call.id == id), None)
        return self._calls[-1] if self._calls else None

    def _new(self, index: int) -> _Call:
        taken = {call.index for call in self._calls}
        call = _Call(index if index not in taken else max(taken) + 1)
        self._calls.append(call)
        return call

    def _written(self, call: _Call, at: int) -> Data:
        text = encode(arguments.parse(call.text)).decode()
        id = call.id or self._new_id()
        return {"index": at, "id": id, "type": "function", "function": {"name": call.name, "arguments": text}}


def _begins_another(call: _Call, id: str, name: str) -> bool:
    if id and call.id:
        return id != call.id
    if name and call.name:
        return name != call.name or arguments.is_whole(call.text)
    return False


def _text_of(value: Any) -> str:
    """Arguments are JSON text in a string; some servers send the object itself."""
    if isinstance(value, str):
        return value
    return "" if value is None else encode(value).decode()
