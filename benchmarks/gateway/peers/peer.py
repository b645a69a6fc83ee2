"""What the benchmark asks of a peer: how to install it, how to start it, how to talk to it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gateway.agreed import CLIENT_KEY
from benchmarks.gateway.bodies import Dialect

BUILD = Path(__file__).resolve().parents[3] / ".build" / "bench"
"""Below it each peer has a folder of its own, for what it installs: BUILD / name."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a peer runs: the port it listens on, that of the origin (both on 127.0.0.1), a folder for its files."""

    port: int
    origin_port: int
    folder: Path

    def write(self, name: str, text: str) -> str:
        """Put a file into the folder, such as a configuration. Its path."""
        path = self.folder / name
        path.write_text(text)
        return str(path)


def port_file(at: Place) -> Path:
    """Where a peer that cannot be told its port tells it."""
    return at.folder / "port"


def port_of(at: Place) -> int:
    """The port at which a peer is to be found, for now: a peer that chooses it has to start first."""
    told = port_file(at).read_text() if port_file(at).exists() else ""
    return int(told) if told else at.port


class Peer(ABC):
    """One gateway under test. What most of them do alike is here.

    `scenarios` names the scenarios that it can do; it is visited in no others. `dialect` is what its clients speak:
    the benchmark writes their bodies in it, with the answer of the origin expected in the same.
    """

    name: str
    scenarios: frozenset[str]
    dialect: Dialect = "openai"

    def install(self) -> None:  # noqa: B027  # most peers have nothing to install
        """Install it below BUILD / name, pinned to one version. Does nothing if it is there. Raises if it cannot be."""

    def installed(self) -> bool:
        """Whether it can be started. Must be quick: it is asked before each run."""
        return True

    @abstractmethod
    def version(self) -> str:
        """Its version and what else is needed to compare, in one line."""

    def installed_mb(self) -> float | None:
        """What its installation takes on disk, in units of 1,000,000 bytes. None where that cannot be told apart."""
        return None

    @abstractmethod
    def command(self, at: Place) -> Sequence[str]:
        """The command that starts it in the foreground, one process or worker. Writes its config files into
        `at.folder`. Empty: nothing is started, since it is the origin itself. One that takes a port of its own choice
        writes it into `port_file(at)`, in digits."""

    def environment(self, at: Place) -> Mapping[str, str]:
        """What it needs in its environment beside that of the benchmark. Asked for after `command`."""
        return {}

    def path(self) -> str:
        """Where requests go."""
        return "/v1/chat/completions"

    def headers(self) -> Mapping[str, str]:
        """Header fields of requests beside host, content-type and content-length. Asked for after `command`."""
        return {"authorization": f"Bearer {CLIENT_KEY}"}

    def model(self, alias: str) -> str:
        """What it wants the model called that others know as `alias` (one of ALIASES)."""
        return alias
