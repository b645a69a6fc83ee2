"""Checks that a JSON value has a shape; each is a function of the value and of the path to it, for the message.

Keys that a `record` does not name are allowed: unknown fields must survive a gateway.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any, str], None]


class Violation(AssertionError):
    """A value is not what the schema says."""


def demand(holds: bool, path: str, what: str) -> None:
    if not holds:
        raise Violation(f"{path}: {what}")


def anything(value: Any, path: str) -> None:
    """Any JSON value."""


def text(value: Any, path: str) -> None:
    demand(isinstance(value, str), path, f"a string, not {value!r}")


def filled(value: Any, path: str) -> None:
    demand(isinstance(value, str) and value != "", path, f"a string with something in it, not {value!r}")


def number(value: Any, path: str) -> None:
    demand(isinstance(value, (int, float)) and not isinstance(value, bool), path, f"a number, not {value!r}")


def count(value: Any, path: str) -> None:
    demand(isinstance(value, int) and not isinstance(value, bool) and value >= 0, path, f"a count, not {value!r}")


def null(value: Any, path: str) -> None:
    demand(value is None, path, f"null, not {value!r}")


def mapping(value: Any, path: str) -> None:
    demand(isinstance(value, dict), path, f"an object, not {value!r}")


def one_of(*words: str) -> Check:
    def check(value: Any, path: str) -> None:
        demand(isinstance(value, str) and value in words, path, f"one of {words}, not {value!r}")

    return check


def nullable(inner: Check) -> Check:
    def check(value: Any, path: str) -> None:
        if value is not None:
            inner(value, path)

    return check


def either(first: Check, second: Check) -> Check:
    def check(value: Any, path: str) -> None:
        try:
            first(value, path)
        except Violation:
            second(value, path)

    return check


def listing(inner: Check, *, least: int = 0) -> Check:
    def check(value: Any, path: str) -> None:
        demand(isinstance(value, list), path, f"an array, not {value!r}")
        demand(len(value) >= least, path, f"at least {least} items")
        for at, item in enumerate(value):
            inner(item, f"{path}[{at}]")

    return check


def table(inner: Check) -> Check:
    """An object of any keys, with values of one kind."""

    def check(value: Any, path: str) -> None:
        mapping(value, path)
        for key, item in value.items():
            inner(item, f"{path}.{key}")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with all of `required`, perhaps some of `optional`, and anything else."""

    def check(value: Any, path: str) -> None:
        demand(isinstance(value, dict), path, f"an object, not {value!r}")
        for key, inner in required.items():
            demand(key in value, path, f"misses {key!r}")
            inner(value[key], f"{path}.{key}")
        for key, inner in (optional or {}).items():
            if key in value:
                inner(value[key], f"{path}.{key}")

    return check
