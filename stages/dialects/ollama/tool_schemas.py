"""A tool's JSON Schema in the few keywords that the server lets through to the model (protocol.md 1.4, pitfall 35).

It strips all others without a word, so a model never learns of a default, a format or a bound, nor what a `$ref` stands
for. Here references are put in place and what would be stripped is said in the description of its property, the one
thing that always arrives. The keywords themselves stay, for servers that come to know them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline import Data
from stages.dialects.wire import as_dict, as_list, as_text, encode

_SAID = (
    *("default", "format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("multipleOf", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems", "examples"),
)
"""What is put in words, in this order."""

_DEFINITIONS = ("$defs", "definitions")
_MOST_SAID = 200
_MOST_WORDS = 600
_MOST_LEVELS = 24
_MOST_NODES = 2_000
"""Bounds: a few references can stand for a schema of any size, and for one without an end."""


def plain_schema(schema: Data) -> Data:
    """`schema`, which is not changed, for a tool; without a type or properties the server's template fails.

    Definitions go: nothing refers to them any more, and they would reach the model as so many more tokens.
    """
    plain = {key: value for key, value in _Plain(schema).node(schema, 0, ()).items() if key not in _DEFINITIONS}
    said = {"type": plain.get("type") or "object", "properties": as_dict(plain.get("properties"))}
    return {**plain, **said}


class _Plain:
    def __init__(self, root: Data) -> None:
        self._root = root
        self._left = _MOST_NODES

    def node(self, schema: Data, depth: int, inside: tuple[str, ...]) -> Data:
        """`inside` are the references that this node stands in: one that leads back to itself ends there."""
        self._left -= 1
        if depth > _MOST_LEVELS or self._left < 0:
            return schema
        schema, inside = self._resolved(schema, inside)
        schema = _merged(schema)
        if isinstance(schema.get("$ref"), str):
            schema, inside = self._resolved(schema, inside)  # the usual `allOf` of one reference
        plain = dict(schema)
        properties = schema.get("properties")
        if isinstance(properties, dict):
            plain["properties"] = {name: self._inner(value, depth, inside) for name, value in properties.items()}
        items = schema.get("items")
        if isinstance(items, dict):
            plain["items"] = self._inner(items, depth, inside)
        options = schema.get("anyOf", schema.get("oneOf"))
        if isinstance(options, list):
            plain["anyOf"] = [self._inner(value, depth, inside) for value in options]
        if "const" in schema and "enum" not in schema:
            plain["enum"] = [schema["const"]]
        words = _words(schema) if depth else ""
        if words:
            plain["description"] = f"{schema['description']} ({words})" if as_text(schema.get("description")) else words
        return plain

    def _inner(self, value: Any, depth: int, inside: tuple[str, ...]) -> Any:
        return self.node(value, depth + 1, inside) if isinstance(value, dict) else value

    def _resolved(self, schema: Data, inside: tuple[str, ...]) -> tuple[Data, tuple[str, ...]]:
        """The schema with what its reference stands for; its own words come before those of the definition."""
        while isinstance(schema.get("$ref"), str):
            ref: str = schema["$ref"]
            found = None if ref in inside else _at(self._root, ref)
            if found is None:
                return schema, inside
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            inside = (*inside, ref)
            schema = {**found, **rest}
        return schema, inside


def _at(root: Data, ref: str) -> Data | None:
    """What a local reference, `#/$defs/Place`, points to."""
    if not ref.startswith("#"):
        return None
    found: Any = root
    for step in ref[1:].split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None


def _merged(schema: Data) -> Data:
    """`allOf` is stripped too: its members put together, the schema's own words first."""
    members = [member for member in as_list(schema.get("allOf")) if isinstance(member, dict)]
    if not members:
        return schema
    merged: Data = {}
    for member in (*members, {key: value for key, value in schema.items() if key != "allOf"}):
        properties = {**as_dict(merged.get("properties")), **as_dict(member.get("properties"))}
        required = [*as_list(merged.get("required")), *as_list(member.get("required"))]
        merged = {**merged, **member}
        if properties:
            merged["properties"] = properties
        if required:
            merged["required"] = required
    return merged


def _words(schema: Mapping[str, Any]) -> str:
    said: list[str] = []
    for key in _SAID:
        if key in schema:
            try:
                value = encode(schema[key]).decode()
            except RecursionError:
                continue  # nested as deep as can be read cannot be written from here; it would be cut anyway
            said.append(f"{key}: {value if len(value) <= _MOST_SAID else value[:_MOST_SAID] + '...'}")
    return "; ".join(said)[:_MOST_WORDS]
