"""Places in a JSON value, written as errors and loss reports write them: `messages[0].content[1].text`."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")

OPAQUE = frozenset({"parameters", "arguments", "schema", "metadata", "format", "prediction", "logit_bias", "context"})
"""Fields whose value is one thing, whatever is inside."""


def general(path: str) -> str:
    """Without its indices."""
    return re.sub(r"\[\d+\]", "[]", path)


def steps(path: str) -> list[str | int]:
    return [int(index) if index else key for key, index in _STEP.findall(path)]


def exists(path: str, value: Any) -> bool:
    """Whether there is something at `path`. Keys match whatever their case, as some servers read them."""
    for step in steps(path):
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return False
            value = value[step]
        else:
            found = [key for key in value if key.lower() == step.lower()] if isinstance(value, dict) else []
            if not found:
                return False
            value = value[found[-1]]
    return True


def could_exist(path: str, value: Any) -> bool:
    """Whether `path` names a field that is missing from an object that is there."""
    above = re.sub(r"(\.|^)[^.\[\]]+$", "", path)
    return bool(path) and not path.endswith("]") and (above == "" or exists(above, value))


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every field with a value that is no object and no list of objects."""
    for key, item in value.items():
        here = f"{path}.{key}" if path else key
        if isinstance(item, dict) and item and key not in OPAQUE:
            yield from leaves(item, here)
        elif isinstance(item, list) and key not in OPAQUE and any(isinstance(entry, dict) for entry in item):
            for at, entry in enumerate(item):
                yield from leaves(entry, f"{here}[{at}]")
        else:
            yield here, item


def without(path: str, value: Any) -> Any:
    """A copy that lacks the field at `path`."""
    changed = copy.deepcopy(value)
    *above, last = steps(path)
    owner = changed
    for step in above:
        owner = owner[step]
    del owner[last]
    return changed
