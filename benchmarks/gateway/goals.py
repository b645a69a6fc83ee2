"""What the project set out to reach, and what a run says of it. Ratios within one run wherever a ratio can be had."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.gateway.measurement import Facts, Run

OURS = "gatewright"
Read = Callable[[Run], float | None]


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure and its limit. `read` gives None where the run does not hold the figure or part of it failed."""

    what: str
    read: Read
    limit: float
    unit: str
    at_least: bool = False

    def met(self, run: Run) -> bool | None:
        """None if it was not measured."""
        value = self.read(run)
        if value is None:
            return None
        return value >= self.limit if self.at_least else value <= self.limit


def cost(run: Run, peer: str, scenario: str, figure: str) -> float | None:
    """A median, unless the peer gave wrong answers there: an error is quick, and its speed is nothing."""
    if peer == "direct" and figure.startswith("cpu_us"):
        return None  # it is the origin's, which is compared with nothing
    return None if any(m.errors for m in run.of(peer, scenario)) else run.median(peer, scenario, figure)


def goals() -> Iterator[Goal]:
    """All of them, in the order in which they are told."""
    for peer, limit in (("nginx", 4.5), ("bare", 1.45), ("tensorzero", 0.4), ("litellm", 0.01)):
        yield _ratio("CPU a request, 1 KB, 64 connections", "whole-1k-c64", "cpu_us_per_request", OURS, peer, limit)
    yield _ratio("CPU a request, 200 KB of history", "history-200k-c8", "cpu_us_per_request", OURS, "bare", 2.0)
    for what, ours, limit in (
        ("forwarded", OURS, 1.8),
        ("completed", f"{OURS}-complete", 2.2),
        ("translated, OpenAI client", f"{OURS}-translate", 2.5),
        ("translated, Ollama client", f"{OURS}-translate-back", 2.5),
    ):
        yield _ratio(f"CPU a paced chunk, {what}", "stream-paced", "cpu_us_per_chunk", ours, "nginx", limit)
    yield _added("Time to the first chunk, added to p50, 10 streams/s", "stream-low", "ttft_p50_ms", 1.0)
    yield _added("Time to a whole answer, added to p50, 10 requests/s", "whole-1k-low", "p50_ms", 0.5)
    yield Goal("Chunks within 250 ms, 800 streams x 20/s", _median("streams-800", "within_250ms"), 0.99, "", True)
    yield Goal("Memory a stream, 800 streams", _median("streams-800", "rss_kb_per_stream"), 40, "KB")
    yield Goal("Memory when idle", _fact(lambda facts: facts.idle_rss_mb), 60, "MB")
    yield Goal("From start to the first 200", _fact(lambda facts: facts.first_200_s), 0.8, "s")
    yield Goal("Installed size of `gatewright[server]`", _fact(lambda facts: facts.installed_mb), 45, "MB")
    yield Goal("Import of `pipeline`, CPU", lambda run: run.ours.import_cpu_s if run.ours else None, 0.35, "s")
    yield Goal("Two workers", lambda run: run.ours.two_workers_ratio if run.ours else None, 1.6, "x one", True)


def _ratio(what: str, scenario: str, figure: str, ours: str, peer: str, limit: float) -> Goal:
    def read(run: Run) -> float | None:
        mine, theirs = cost(run, ours, scenario, figure), cost(run, peer, scenario, figure)
        return mine / theirs if mine is not None and theirs else None

    return Goal(what, read, limit, f"x {peer}")


def _added(what: str, scenario: str, figure: str, limit: float) -> Goal:
    def read(run: Run) -> float | None:
        through, direct = cost(run, OURS, scenario, figure), cost(run, "direct", scenario, figure)
        return through - direct if through is not None and direct is not None else None

    return Goal(what, read, limit, "ms")


def _median(scenario: str, figure: str) -> Read:
    return lambda run: cost(run, OURS, scenario, figure)


def _fact(read: Callable[[Facts], float | None]) -> Read:
    return lambda run: read(run.facts[OURS]) if OURS in run.facts else None
