"""The keys a pydantic model accepts at some depth: what a misspelt key can have meant."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline.config.tree import Loc


def keys_at(model: type[BaseModel], loc: Loc) -> set[str]:
    """The keys accepted at a pydantic location, as they are written in a file (the alias where a field has one).

    For suggestions only: where a union leaves the model open, the keys of all its members are given.
    """
    reached: list[Any] = [model]
    for part in loc:
        # A part that leads nowhere is the name of a union's member, not of a value.
        below = [inner for annotation in reached for inner in _below(annotation, part)]
        reached = below or [annotation for annotation in reached if _is_tagged(annotation, part)] or reached
    return {key for annotation in reached if _is_model(annotation) for key in _fields(annotation)}


def _below(annotation: Any, part: str | int) -> Iterator[Any]:
    """The annotations of the value one step down, with unions taken apart."""
    arguments = get_args(annotation)
    if _is_model(annotation):
        field = _fields(annotation).get(str(part))
        if field is not None:
            yield from _members(field.annotation)
    elif arguments:
        for argument in arguments if isinstance(part, int) else arguments[-1:]:  # an index may be a tuple's
            yield from _members(argument)


def _members(annotation: Any) -> Iterator[Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _members(arguments[0])
    elif origin in (Union, types.UnionType):
        for argument in arguments:
            yield from _members(argument)
    else:
        yield annotation


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    fields = {}
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        fields[alias if isinstance(alias, str) else name] = field
    return fields


def _is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _is_tagged(annotation: Any, tag: str | int) -> bool:
    """Whether a member of a union is the one that `tag` picks."""
    return _is_model(annotation) and any(tag in get_args(field.annotation) for field in _fields(annotation).values())
