"""A peer that comes from its own packages, in an environment of its own."""

from __future__ import annotations

from benchmarks.gateway.peers.environment import Environment, megabytes
from benchmarks.gateway.peers.peer import Peer
from benchmarks.gateway.scenarios import PRINCIPAL


class Packaged(Peer):
    """A gateway of others: installed from PINNED / name.txt, visited with what a run has the time for."""

    scenarios = PRINCIPAL

    def __init__(self) -> None:
        self.packages = Environment(self.name)

    def install(self) -> None:
        self.packages.install()

    def installed(self) -> bool:
        return self.packages.installed()

    def installed_mb(self) -> float | None:
        return megabytes(self.packages.site_packages)
