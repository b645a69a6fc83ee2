"""Top-level fields that no model server is told: hints, and what OpenAI alone can do (protocol.md 3.1, 3.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline import IfLost, Losses
from stages.dialects.openai import expect
from stages.dialects.openai.lost import UNKNOWN, lose, lose_others, says_nothing
from stages.dialects.openai.table import READS

_PAID_TIERS = ("flex", "scale", "priority", "fast")
_OPERATIONS = ("chat", "completion", "embedding")


_WITH_CARE = frozenset({"modalities", "service_tier", "stream_options", "echo", "best_of", "encoding_format"})
"""Those whose loss depends on what they say."""


def _names(operation: str, *, read: bool) -> frozenset[str]:
    """The top-level names that have a row; with `read`, those that something reads."""
    rows = [row for row in READS if operation in row.operations]
    names = [(row.field.split(".")[0].split("[")[0], row.means) for row in rows]
    return frozenset(name for name, means in names if not read or means is not None or name in _WITH_CARE)


_READ = {operation: _names(operation, read=True) for operation in _OPERATIONS}
_KNOWN = {operation: _names(operation, read=False) for operation in _OPERATIONS}
_INSIDE = {
    "reasoning": ("effort",),
    "response_format": ("type", "json_schema"),
    "ollama": ("options", *(row.field.split(".")[1] for row in READS if row.field.startswith("ollama."))),
}


def read_hints(payload: Mapping[str, Any], operation: str, losses: Losses) -> None:
    """Report each by its rule; what says only what is so anyway is no loss."""
    read = _READ[operation]
    for name in payload:
        if name not in read and not says_nothing(payload[name]):
            lose(losses, name, if_lost=None if name in _KNOWN[operation] else UNKNOWN)
    for name, known in _INSIDE.items():
        if name in payload and name in read and isinstance(payload[name], dict):
            lose_others(losses, payload[name], name, known)
    for name, check in _CHECKS.items():
        if name in payload and name in read:
            check(payload[name], losses)


def _stream_options(given: Any, losses: Losses) -> None:
    options = expect.thing(given, "stream_options")
    lose_others(losses, options or {}, "stream_options", ("include_usage",))


def _service_tier(given: Any, losses: Losses) -> None:
    """Whoever asks for a tier by name expects to get another service than everybody."""
    tier = expect.text(given, "service_tier")
    if tier is not None:
        lose(losses, "service_tier", if_lost=IfLost.WARN if tier in _PAID_TIERS else None)


def _modalities(given: Any, losses: Losses) -> None:
    wanted = expect.array(given, "modalities") or []
    for at, item in enumerate(wanted):
        if not isinstance(item, str):
            raise expect.wrong(f"modalities[{at}]", "a string")
    if any(item != "text" for item in wanted):
        lose(losses, "modalities", "Only text can be answered here.")


_CHECKS: Mapping[str, Callable[[Any, Losses], None]] = {
    "modalities": _modalities,
    "service_tier": _service_tier,
    "stream_options": _stream_options,
}
