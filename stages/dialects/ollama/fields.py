"""An object of a client's request, read field by field: keys as Go matches them, types as Go checks them.

Every complaint names the field by its path as the caller wrote it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from pipeline import Data, InvalidRequest
from stages.dialects.ollama import go_json

T = TypeVar("T")


class Fields:
    """`struct` is what Go calls the object in its error texts, `path` where it stands ("" for the whole request)."""

    def __init__(self, values: Mapping[str, Any], known: Collection[str], *, struct: str, path: str = "") -> None:
        self._values = values
        self._keys = {name: key for key in values if (name := key if key in known else go_json.folded(key)) in known}
        self._struct = struct
        self.path = path

    def at(self, name: str) -> str:
        """The path of a field."""
        key = self._keys.get(name, name)
        return f"{self.path}.{key}" if self.path else key

    def get(self, name: str) -> Any:
        """The value, or None: null means "not set"."""
        key = self._keys.get(name)
        return None if key is None else self._values[key]

    def says_only(self, names: frozenset[str]) -> bool:
        """Whether there are no other fields than some of these."""
        return len(self._keys) == len(self._values) and self._keys.keys() <= names

    def unknown(self) -> list[str]:
        """The paths of all that is not known here."""
        mine = set(self._keys.values())
        return [f"{self.path}.{key}" if self.path else key for key in self._values if key not in mine]

    def text(self, name: str) -> str:
        value = self.get(name)
        return "" if value is None else self._typed(name, value, str, "string")

    def flag(self, name: str) -> bool | None:
        value = self.get(name)
        return None if value is None else self._typed(name, value, bool, "bool")

    def whole(self, name: str) -> int | None:
        """An integer; unlike in `options`, 7.0 is none (protocol.md 1.1)."""
        value: int | None = self.get(name)
        if value is not None and go_json.kind_of(value) != "number":
            raise self._mismatch(name, value, "int")
        return value

    def items(self, name: str, element: str) -> list[Any]:
        value = self.get(name)
        return [] if value is None else self._typed(name, value, list, f"[]{element}")

    def object(self, name: str, type_name: str = "map[string]interface {}") -> Data:
        value = self.get(name)
        return {} if value is None else self._typed(name, value, dict, type_name)

    def element(self, name: str, at: int, value: Any, known: Collection[str]) -> Fields:
        """The object `value` at place `at` of the array `name`."""
        path = f"{self.at(name)}[{at}]"
        if not isinstance(value, dict):
            raise go_json.mismatch(go_json.kind_of(value), f"{self._struct}.{name}", "object", path)
        return Fields(value, known, struct=f"{self._struct}.{name}", path=path)

    def inner(self, name: str, known: Collection[str]) -> Fields:
        """The object `name`; an empty one if it is not set."""
        return Fields(self.object(name, "object"), known, struct=f"{self._struct}.{name}", path=self.at(name))

    def _typed(self, name: str, value: Any, wanted: type[T], type_name: str) -> T:
        if not isinstance(value, wanted):
            raise self._mismatch(name, value, type_name)
        return value

    def _mismatch(self, name: str, value: Any, type_name: str) -> InvalidRequest:
        return go_json.mismatch(go_json.kind_of(value), f"{self._struct}.{name}", type_name, self.at(name))
