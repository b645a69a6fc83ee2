"""Patterns of model names."""

from __future__ import annotations

import re


def wildcard(pattern: str) -> re.Pattern[str]:
    """Only `*` is special: brackets and question marks occur in names. Match with `fullmatch`."""
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
