"""Types and defaults of settings, in the words of someone who writes a config and not Python.

Nothing here raises: a third party's annotation that has no words of ours is shown as Python shows it.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

_WORDS = {str: "text", bool: "boolean", int: "integer", float: "number", SecretStr: "secret text", Any: "anything"}
_SEVERAL = (list, set, frozenset, tuple)


def type_of(field: FieldInfo) -> str:
    """What may be written for a field."""
    return _type(field.annotation)


def default_of(field: FieldInfo) -> str:
    """What holds when nothing is written."""
    if field.is_required():
        return "required"
    try:
        value = field.get_default(call_default_factory=True)
    except Exception:
        return "made when needed"  # a factory that wants the other fields, or that fails
    return "none" if value is None or value == "" else f"`{as_config(value)}`"


def as_config(value: Any) -> str:
    """A value as it would be written in a config."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Enum):
        return as_config(value.value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{as_config(key)}: {as_config(of)}" for key, of in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(as_config, value))}]"
    if isinstance(value, (set, frozenset)):
        return f"[{', '.join(sorted(map(as_config, value)))}]"
    return str(value)


def summary(described: object) -> str:
    """The first paragraph of the docstring, on one line."""
    return " ".join(doc(described).split("\n\n")[0].split())


def doc(described: object) -> str:
    """The docstring, without its indentation; "" for none of its own."""
    own = vars(described).get("__doc__") if isinstance(described, type) else getattr(described, "__doc__", None)
    return inspect.cleandoc(own) if isinstance(own, str) else ""


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(arguments[0])
    if origin is Literal:
        return _choice(arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(_type(one) for one in arguments if one is not type(None))
    if origin in _SEVERAL:
        return f"list of {' | '.join(dict.fromkeys(_type(one) for one in arguments if one is not ...))}"
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return f"mapping to {_type(arguments[1])}"
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return _choice(annotation)
    words = _WORDS.get(annotation) if annotation.__hash__ is not None else None
    return words or f"`{getattr(annotation, '__name__', annotation)}`"


def _choice(values: Iterable[Any]) -> str:
    return " | ".join(f"`{as_config(value)}`" for value in values)
