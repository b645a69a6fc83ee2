"""Tool-call fragments put right (protocol.md 2.5; laws 19, 27; pitfalls 14, 15).

Clients index their list of calls with `index` and concatenate repeated strings, so a repeated name becomes
`lookuplookup` and a gap in the numbers an exception, one turn later and far from its cause.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline import Data
from stages.dialects.wire import as_dict, as_int, as_list, encode


class ToolCalls:
    """The calls of one choice: gap-free indices in order of appearance; id, type and name exactly once each.

    A fragment belongs to the call with its index. One with an id that was not seen under that index begins a new call:
    servers that number every call 0 are common. `new_id` makes ids for servers that send none, or the same one twice.
    """

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._open: dict[int, int] = {}
        self._given: list[str | None] = []

    def __bool__(self) -> bool:
        return bool(self._given)

    def fragments(self, given: Any) -> list[Data]:
        """The fragments of one delta, renumbered and stripped of what was said before."""
        return [self._fragment(as_dict(call), at) for at, call in enumerate(as_list(given))]

    def _fragment(self, call: Data, at: int) -> Data:
        key = as_int(call.get("index"), at)
        id = call.get("id") if isinstance(call.get("id"), str) and call["id"] else None
        number = self._open.get(key)
        function = as_dict(call.get("function"))
        if number is not None and (id is None or id == self._given[number]):
            return {"index": number, "function": {"arguments": _arguments(function.get("arguments"))}}
        number = self._open[key] = len(self._given)
        known = id in self._given
        self._given.append(id)
        name = function.get("name")
        rest = {k: v for k, v in function.items() if k not in ("name", "arguments")}
        return {
            **{k: v for k, v in call.items() if k not in ("index", "id", "type", "function")},
            "index": number,
            "id": self._new_id() if id is None or known else id,
            "type": "function",
            "function": {
                **rest,
                "name": name if isinstance(name, str) else "",
                "arguments": _arguments(function.get("arguments")),
            },
        }


def _arguments(value: Any) -> str:
    """Arguments are JSON text in a string; some servers send the object itself."""
    if isinstance(value, str):
        return value
    return "" if value is None else encode(value).decode()
