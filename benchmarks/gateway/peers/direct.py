"""No gateway: the origin itself, from whose latencies the added ones are counted. Its CPU is the origin's."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.gateway.agreed import ALIASES
from benchmarks.gateway.peers.peer import Peer, Place
from benchmarks.gateway.scenarios import LATENCIES


class Direct(Peer):
    """The origin as a peer."""

    name = "direct"
    scenarios = LATENCIES

    def version(self) -> str:
        return "the origin itself"

    def command(self, at: Place) -> Sequence[str]:
        return ()

    def model(self, alias: str) -> str:
        return ALIASES[alias]
