"""What an unquoted YAML scalar means: the YAML 1.2 core schema.

Why not PyYAML's own rules: they are YAML 1.1, where `no` is false, `010` is eight, `12:30` is a number of minutes and
`1e3` is text. A config must not depend on knowing that.
"""

from __future__ import annotations

import re

from pipeline.config.tree import Scalar

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NOT_A_NUMBER = frozenset((".nan", ".NaN", ".NAN"))


def core_scalar(text: str) -> Scalar:
    """The value of an unquoted scalar; `ValueError` for a whole number with more digits than Python will convert."""
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _PREFIXED.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text):
        return float("-inf" if text.startswith("-") else "inf")
    if text in _NOT_A_NUMBER:
        return float("nan")
    return text
