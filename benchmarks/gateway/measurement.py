"""What one run of the benchmark finds out, as it stands in the JSON file, and what several rounds of it come to.

A figure that a scenario does not give, or that could not be taken, is None and never 0: a report must not mistake the
one for the other.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path

import msgspec

NOISY_SPREAD = 0.35
"""How far a steady figure of a steady peer may lie apart over the rounds before a run concludes nothing."""

BUSY_NEIGHBOURS = 0.1
"""How much of the peers' core others may have before the ratios are in doubt. A neighbour that never pauses spreads
nothing: it makes each wake-up dearer, by more of nginx's work than of anybody else's, and so flatters all ratios."""

STEADY_PEERS = ("nginx", "bare")
"""The peers whose spread tells how noisy the machine was: they do the same little work each time."""

STEADY_FIGURES = {"whole-1k-c64": "cpu_us_per_request", "stream-paced": "cpu_us_per_chunk"}
"""By scenario: where there is so much of the same work that it costs the same each time, unless somebody else works.
What is rare or large is less steady by itself; how much so, the spread of its own figures tells."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the run was taken. The load averages are those of one minute, before the first and after the last round.

    `pinned`: origin and load had one core, the peers another one. `nice` is the niceness that all of them had;
    `realtime` says that they went before everybody else all the same (`chrt -r 1 python -m benchmarks.gateway`).
    `neighbours` is the share of the peers' core that others had during the rounds.
    """

    cpu: str
    cores: int
    pinned: bool
    nice: int
    python: str
    kernel: str
    date: str
    load_before: float
    load_after: float
    realtime: bool = False
    neighbours: float | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a peer beside its rounds. `first_200_s` is the time from the start of its process to the first
    answer with status 200; `first_200_cpu_s` is the CPU time that it took of all its processes."""

    version: str
    idle_rss_mb: float | None = None
    first_200_s: float | None = None
    first_200_cpu_s: float | None = None
    installed_mb: float | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """One peer in one scenario in one round.

    CPU is that of the whole process tree of the peer, user and kernel. `within_250ms` is a share from 0 to 1. `errors`
    counts answers that were not what the origin sent; a measurement that has any is no measurement of its speed. Round
    0 stands for a scenario that the peer answered wrongly from the start, and in which it was not measured.

    `waited` is the share of the time in which others had the peer's core while it could have run. `again` counts visits
    that were made before this one and thrown away, since they were disturbed; `disturbed` says how this one was itself,
    and then it has no times.
    """

    peer: str
    scenario: str
    round: int
    requests: int = 0
    chunks: int = 0
    errors: int = 0
    again: int = 0
    disturbed: str = ""
    seconds: float | None = None
    waited: float | None = None
    cpu_us_per_request: float | None = None
    cpu_us_per_chunk: float | None = None
    rps: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    p999_ms: float | None = None
    ttft_p50_ms: float | None = None
    ttft_p99_ms: float | None = None
    gap_p50_ms: float | None = None
    gap_p99_ms: float | None = None
    chunk_delay_p50_ms: float | None = None
    chunk_delay_p99_ms: float | None = None
    within_250ms: float | None = None
    rss_mb: float | None = None
    rss_kb_per_stream: float | None = None


@dataclass(frozen=True, slots=True)
class Ours:
    """What is measured of gatewright alone: the CPU time of `import pipeline`, and how many times as many requests a
    second two workers answer as one does, with origin and load on the same two cores."""

    import_cpu_s: float
    two_workers_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that one call of the benchmark measured. `seconds` is the length of one measurement."""

    machine: Machine
    rounds: int
    seconds: float
    measurements: list[Measurement] = field(default_factory=list)
    facts: dict[str, Facts] = field(default_factory=dict)
    ours: Ours | None = None

    def of(self, peer: str, scenario: str) -> list[Measurement]:
        """The rounds of one peer in one scenario."""
        return [m for m in self.measurements if m.peer == peer and m.scenario == scenario]

    def median(self, peer: str, scenario: str, figure: str) -> float | None:
        """The median of a figure over the rounds that have it; None if none has."""
        values = self._values(peer, scenario, figure)
        return statistics.median(values) if values else None

    def spread(self, peer: str, scenario: str, figure: str) -> float | None:
        """How far the rounds lie apart: the largest less the smallest, divided by the median. None below two rounds."""
        values = self._values(peer, scenario, figure)
        return (max(values) - min(values)) / statistics.median(values) if len(values) > 1 else None

    def noise(self) -> Iterator[str]:
        """Why this run concludes nothing, if so: one line for each scenario in which a steady peer was not steady."""
        for peer, scenario, figure, spread in self._steady_spreads():
            if spread > NOISY_SPREAD:
                per = figure.removeprefix("cpu_us_per_")
                yield f"{peer} in {scenario}: CPU per {per} spreads {spread:.0%} over {self.rounds} rounds"

    def doubts(self) -> Iterator[str]:
        """What else speaks against the ratios of this run."""
        if not any(True for _ in self._steady_spreads()):
            yield (
                "How noisy the machine was is not known: that takes two rounds of "
                f"{' or '.join(STEADY_FIGURES)} with {' or '.join(STEADY_PEERS)}."
            )
        if (self.machine.neighbours or 0) > BUSY_NEIGHBOURS:
            yield (
                f"Others had {self.machine.neighbours:.0%} of the peers' core. Beside them cheap work costs more than "
                "alone, and ratios to it come out too low."
            )

    def write(self, path: Path) -> None:
        """Write the run as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1))

    @classmethod
    def read(cls, path: Path) -> Run:
        """What `write` wrote. Raises `msgspec.ValidationError` for anything else."""
        return msgspec.json.decode(path.read_bytes(), type=cls)

    def _steady_spreads(self) -> Iterator[tuple[str, str, str, float]]:
        for peer in STEADY_PEERS:
            for scenario, figure in STEADY_FIGURES.items():
                spread = self.spread(peer, scenario, figure)
                if spread is not None:
                    yield peer, scenario, figure, spread

    def _values(self, peer: str, scenario: str, figure: str) -> list[float]:
        if figure not in _FIGURES:
            raise ValueError(f"no figure is called {figure!r}")
        values = (getattr(measurement, figure) for measurement in self.of(peer, scenario))
        return [value for value in values if value is not None]


_FIGURES = frozenset(f.name for f in fields(Measurement)) - {"peer", "scenario", "round", "disturbed"}
