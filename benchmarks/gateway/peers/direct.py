"""No gateway: the origin itself, from whose latencies the added ones are counted. Its CPU is the origin's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from benchmarks.gateway.peers.peer import ALIASES, Place
from benchmarks.gateway.scenarios import LATENCIES


class Direct:
    """The origin as a peer."""

    name = "direct"
    scenarios = LATENCIES
    dialect: Literal["openai", "ollama"] = "openai"

    def install(self) -> None: ...

    def installed(self) -> bool:
        return True

    def version(self) -> str:
        return "the origin itself"

    def installed_mb(self) -> float | None:
        return None

    def command(self, at: Place) -> Sequence[str]:
        return ()

    def environment(self, at: Place) -> Mapping[str, str]:
        return {}

    def path(self, scenario: str) -> str:
        return "/v1/chat/completions"

    def headers(self, scenario: str) -> Mapping[str, str]:
        return {}

    def model(self, alias: str) -> str:
        return ALIASES[alias]
