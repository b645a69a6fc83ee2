"""A model as a catalogue knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What an upstream says of one of its models.

    `created` is Unix seconds. `capabilities` is None where they are unknown, which is not the same as having none: then
    nothing is held back. They are `completion, tools, insert, vision, embedding, thinking, audio, image`.
    `context_length` counts tokens. `loaded` is what the upstream says of a model in memory, None for one that is not.
    `server_version` is that of the upstream's software. `extra` keeps the upstream's own words, in its `dialect`.
    """

    id: str
    created: int = 0
    owned_by: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    capabilities: tuple[str, ...] | None = None
    context_length: int | None = None
    loaded: Mapping[str, Any] | None = None
    server_version: str | None = None
    dialect: str = ""

    def lacks(self, capability: str) -> bool:
        """Whether the model is known not to be able to do this."""
        return self.capabilities is not None and capability not in self.capabilities
