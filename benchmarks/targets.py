"""Measuring with pyperf and holding figures against targets; used by the scripts beside it.

Time is the CPU time of the one thread, which a busy neighbour moves far less than wall time. `--check` compares ratios:
absolute times mean nothing on another machine, so each target is scaled by what an empty call costs here, in the same
run.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from os import getloadavg
from time import thread_time

import pyperf

EMPTY_CALL_NS = 42.0  # what `_empty_call` costs on the machine that the targets were set on
SLACK = 1.3

Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table. `same_as` replaces a target in nanoseconds by another figure of the same run."""

    name: str
    ns: float
    target_ns: float | None = None
    same_as: float | None = None

    def limit(self, empty_call_ns: float) -> float | None:
        """What `--check` allows here: the target, scaled to this machine, plus the slack."""
        if self.same_as is not None:
            return self.same_as * SLACK
        return None if self.target_ns is None else self.target_ns * empty_call_ns / EMPTY_CALL_NS * SLACK

    def missed(self, empty_call_ns: float) -> bool:
        limit = self.limit(empty_call_ns)
        return limit is not None and self.ns > limit


class Bench:
    """A pyperf run and its table. For each figure pyperf starts the script anew, in workers that print no table."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._figures: list[Figure] = []
        # Many short values: some of them fall into moments in which the neighbours are quiet.
        self._runner = pyperf.Runner(values=30, processes=3, min_time=0.005)
        self._runner.argparser.add_argument("--check", action="store_true", help="exit 1 when a target is missed")
        self._runner.argparser.set_defaults(quiet=True)
        self._empty_call_ns = self.measure("an empty call", _empty_calls, per=_CALLS)

    def measure(self, name: str, work: Work, *, per: int = 1, same_as: float | None = None) -> float:
        """Add a figure: the CPU nanoseconds of `work`, divided by the `per` things it does."""
        measured = self._runner.bench_time_func(name, _cpu_seconds, work, inner_loops=per)
        ns = nan if self._is_worker else best(measured.get_values()) * 1e9
        return self.add(name, ns, same_as=same_as)

    def add(self, name: str, ns: float, *, target_ns: float | None = None, same_as: float | None = None) -> float:
        """Add a figure that follows from others."""
        self._figures.append(Figure(name, ns, target_ns, same_as))
        return ns

    def report(self) -> None:
        """Print the table; with `--check` exit 1 if a target is missed."""
        if self._is_worker:
            return
        print(*table(self._title, self._figures, self._empty_call_ns), sep="\n")
        if self._runner.args.check and any(figure.missed(self._empty_call_ns) for figure in self._figures):
            sys.exit(1)

    @property
    def _is_worker(self) -> bool:
        """Started by pyperf for one figure. Plain `--worker` runs them all in one process: for tests and profilers."""
        return self._runner.args.worker_task is not None


def table(title: str, figures: Sequence[Figure], empty_call_ns: float) -> list[str]:
    """The figures as lines of text, each with its target and what `--check` allows on this machine."""
    load = " ".join(f"{load:.1f}" for load in getloadavg())
    lines = [f"\n{title} (load average {load})", f"{'CPU nanoseconds':44}{'measured':>10}{'target':>10}{'allowed':>10}"]
    for figure in figures:
        missed = "  MISSED" if figure.missed(empty_call_ns) else ""
        target = figure.same_as if figure.same_as is not None else figure.target_ns
        limit = figure.limit(empty_call_ns)
        cells = "".join(f"{'' if value is None else format(value, ',.0f'):>10}" for value in (figure.ns, target, limit))
        lines.append(f"{figure.name:44}{cells}{missed}".rstrip())
    return lines


def best(values: Sequence[float]) -> float:
    """The tenth percentile: a neighbour on the machine only ever makes a value larger."""
    return sorted(values)[len(values) // 10]


def _cpu_seconds(loops: int, work: Work) -> float:
    begin = thread_time()
    for _ in range(loops):
        work()
    return thread_time() - begin


_CALLS = 1000


def _empty_calls() -> None:
    for _ in range(_CALLS):
        _empty_call(None)


def _empty_call(argument: object) -> object:
    return argument
