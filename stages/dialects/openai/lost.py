"""Reporting a client's field that the neutral form cannot hold, by the rule that the table has for it."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from pipeline import Data, IfLost, Losses
from stages.dialects.openai.table import READS

_INDEX = re.compile(r"\[\d+\]")
_RULES = {row.field: row.if_lost for row in READS if row.means is None}
UNKNOWN = _RULES["*"]
"""The rule for fields that nobody knows."""


def lose(losses: Losses, path: str, message: str | None = None, *, if_lost: IfLost | None = None) -> None:
    """The field at `path` is lost. Without a row of its own it is one that nobody knows."""
    rule = _RULES.get(_INDEX.sub("[]", path), UNKNOWN) if if_lost is None else if_lost
    losses.drop(path, rule, message)


def lose_others(losses: Losses, owner: Data, path: str, known: Collection[str]) -> None:
    """All fields of `owner` but the known ones. Null and empty lists say nothing, so nothing is lost with them."""
    for key, value in owner.items():
        if key not in known and not says_nothing(value):
            lose(losses, f"{path}.{key}")


def says_nothing(value: Any) -> bool:
    return value is None or value == []
