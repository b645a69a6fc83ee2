"""Settings of a stage, from the fields of its pydantic class: nobody writes a strategy for what is declared already."""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError
from pydantic.fields import FieldInfo

M = TypeVar("M", bound=BaseModel)

SECRET = "kit-secret-setting-0123456789"
WORDS = ("a", "b", "ab", "kit", "a b", "secret")
_ABSENT = object()


class NoStrategy(TypeError):
    """A field of a type that the kit has no values for: the stage's `Arrangement` must give `settings`."""


@cache
def from_settings(settings: type[M]) -> st.SearchStrategy[M]:
    """Settings objects that validate. Absent fields keep their defaults, which is where shrinking leads.

    What a field's type and limits do not say, such as two fields that exclude each other, is found out by validating.
    """
    fields = {name: _optional(field, name, settings) for name, field in settings.model_fields.items()}

    def build(given: Mapping[str, Any]) -> M | None:
        try:
            return settings.model_validate({name: value for name, value in given.items() if value is not _ABSENT})
        except ValidationError:
            return None

    built: st.SearchStrategy[Any] = st.fixed_dictionaries(fields).map(build)
    return built.filter(lambda settings: settings is not None)


def _optional(field: FieldInfo, name: str, owner: type[BaseModel]) -> st.SearchStrategy[Any]:
    given = _of_type(field.annotation, _limits(field.metadata), f"{owner.__qualname__}.{name}")
    return given if field.is_required() else st.just(_ABSENT) | given


def _limits(metadata: Sequence[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in metadata:
        for name in ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern"):
            value = getattr(each, name, None)
            if value is not None:
                found[name] = value
    return found


def _of_type(annotation: Any, limits: Mapping[str, Any], where: str) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return _of_type(annotation.__origin__, {**limits, **_limits(annotation.__metadata__)}, where)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        inner = sorted(arguments, key=lambda each: each is not type(None))
        return st.one_of([_of_type(each, limits, where) for each in inner])
    if origin in (list, set, frozenset, tuple, Sequence):
        return _collections(arguments, limits, where)
    if origin in (dict, Mapping):
        keys, values = (_of_type(each, {}, where) for each in arguments)
        return st.dictionaries(keys, values, min_size=limits.get("min_length", 0), max_size=2)
    if annotation is None or annotation is type(None):
        return st.none()
    if isinstance(annotation, type):
        found = _of_class(annotation, limits)
        if found is not None:
            return found
    if annotation is Any:
        return st.sampled_from([None, 0, "a"])
    raise NoStrategy(f"{where}: no values for {annotation!r}; give the stage's Arrangement a strategy of settings")


def _collections(arguments: Sequence[Any], limits: Mapping[str, Any], where: str) -> st.SearchStrategy[Any]:
    least = limits.get("min_length", 0)
    return st.lists(_of_type(arguments[0], {}, where), min_size=least, max_size=max(least, 2))


def _of_class(cls: type, limits: Mapping[str, Any]) -> st.SearchStrategy[Any] | None:
    if cls is bool:
        return st.booleans()
    if cls is str:
        return _strings(limits)
    if issubclass(cls, Enum):
        return st.sampled_from(list(cls))
    if cls is int:
        least = limits.get("ge", limits["gt"] + 1 if "gt" in limits else 0)
        return st.integers(least, limits.get("le", limits["lt"] - 1 if "lt" in limits else least + 100))
    if cls is float:
        least = float(limits.get("ge", limits.get("gt", 0.0)))
        most = float(limits.get("le", limits.get("lt", least + 100.0)))
        return st.floats(least, most, allow_nan=False, exclude_min="gt" in limits, exclude_max="lt" in limits)
    if issubclass(cls, SecretStr):
        return st.just(SecretStr(SECRET))
    if issubclass(cls, SecretBytes):
        return st.just(SecretBytes(SECRET.encode()))
    if issubclass(cls, BaseModel):
        return from_settings(cls)
    return None


def _strings(limits: Mapping[str, Any]) -> st.SearchStrategy[str]:
    if "pattern" in limits:
        return st.from_regex(limits["pattern"], fullmatch=True)
    words = [word for word in WORDS if len(word) >= limits.get("min_length", 0)]
    longest = limits.get("max_length", max(map(len, WORDS)))
    fitting = [word for word in words if len(word) <= longest] or ["a" * limits.get("min_length", 1)]
    return st.sampled_from(fitting)
