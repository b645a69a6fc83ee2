"""A run as Markdown: where it was taken, what of the goals was reached, and every scenario with its ratios.

A run on a machine that was too noisy gets its tables, since they show how noisy it was, but no ratio and no verdict.
What else speaks against its ratios stands above them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from benchmarks.gateway.goals import cost, goals
from benchmarks.gateway.measurement import Run
from benchmarks.gateway.scenarios import SCENARIOS, Scenario
from docs.markdown import table

BESIDE = ("nginx", "bare", "tensorzero", "litellm")
"""The peers that the others are compared with."""

SIZES = {"1k": "1 KB", "history-200k": "200 KB of history", "image-1m": "1 MB, an image"}

FIGURES: Mapping[str, str] = {
    "cpu_us_per_request": "CPU µs/request",
    "cpu_us_per_chunk": "CPU µs/chunk",
    "rps": "requests/s",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "p999_ms": "p99.9 ms",
    "ttft_p50_ms": "first chunk p50 ms",
    "ttft_p99_ms": "first chunk p99 ms",
    "gap_p50_ms": "gap p50 ms",
    "gap_p99_ms": "gap p99 ms",
    "chunk_delay_p50_ms": "delay p50 ms",
    "chunk_delay_p99_ms": "delay p99 ms",
    "within_250ms": "within 250 ms",
    "rss_kb_per_stream": "KB/stream",
    "rss_mb": "RSS MB",
}


def report(run: Run) -> str:
    """The whole report."""
    parts = [_conditions(run), "### Goals\n", verdicts(run), "### Peers\n", _peers(run)]
    parts += [_scenario(run, name) for name in dict.fromkeys(m.scenario for m in run.measurements)]
    return "\n".join(parts)


def _conditions(run: Run) -> str:
    machine = run.machine
    pinned = "the system under test on one core, load and origin on another" if machine.pinned else "nothing is pinned"
    rows = [
        ("date", machine.date),
        ("machine", f"{machine.cpu}, {machine.cores} cores: {pinned}"),
        ("software", f"Linux {machine.kernel}, Python {machine.python}"),
        ("load average", f"{machine.load_before:.1f} before, {machine.load_after:.1f} after"),
        ("neighbours", "" if machine.neighbours is None else f"{machine.neighbours:.0%} of the peers' core"),
        ("priority", f"nice {machine.nice}{', real time' * machine.realtime}; load, origin and peers alike"),
        ("rounds", f"{run.rounds}, interleaved; {run.seconds:g} s a measurement"),
        ("disturbed", disturbed(run)),
    ]
    return table(("conditions", ""), rows)


def disturbed(run: Run) -> str:
    """How many visits were made again since they were disturbed, and how many were no better for it."""
    again = sum(m.again for m in run.measurements)
    still = sum(bool(m.disturbed) for m in run.measurements)
    of = f"of {len(run.measurements)} measurements"
    return f"{again} visits made again; {still} {of} stayed disturbed, which gives them costs and no times"


def verdicts(run: Run) -> str:
    """The goals and what of them was reached; of a noisy run only why it concludes nothing."""
    noise = list(run.noise())
    if noise:
        return "\n".join(["**Too noisy: this run concludes nothing.**\n", *(f"- {line}" for line in noise), ""])
    rows = []
    for goal in goals():
        value = goal.read(run)
        sign = ">=" if goal.at_least else "<="
        reached = "" if value is None else f"{number(value)} {goal.unit}".strip()
        verdict = {True: "met", False: "**missed**", None: "not measured"}[goal.met(run)]
        rows.append((goal.what, reached, f"{sign} {goal.limit:g} {goal.unit}".strip(), verdict))
    return "".join(f"**{doubt}**\n\n" for doubt in run.doubts()) + table(("goal", "reached", "to reach", ""), rows)


def _peers(run: Run) -> str:
    heads = ("peer", "version", "installed MB", "idle RSS MB", "first 200 after s", "CPU until then s")
    rows = [
        (name, it.version, *map(number, (it.installed_mb, it.idle_rss_mb, it.first_200_s, it.first_200_cpu_s)))
        for name, it in run.facts.items()
    ]
    return table(heads, rows)


def _scenario(run: Run, scenario: str) -> str:
    peers = list(dict.fromkeys(m.peer for m in run.measurements if m.scenario == scenario))
    shown = [name for name in FIGURES if any(run.median(peer, scenario, name) is not None for peer in peers)]
    primary = next((name for name in ("cpu_us_per_chunk", "cpu_us_per_request") if name in shown), "rps")
    beside = [] if any(run.noise()) else [peer for peer in BESIDE if cost(run, peer, scenario, primary)]
    rows = []
    for peer in peers:
        spread = run.spread(peer, scenario, primary)
        rows.append(
            (
                peer,
                *(_ratio(cost(run, peer, scenario, primary), cost(run, other, scenario, primary)) for other in beside),
                *(number(run.median(peer, scenario, name)) for name in shown),
                "" if spread is None else f"{spread:.0%}",
                str(sum(m.errors for m in run.of(peer, scenario)) or ""),
            )
        )
    heads = ("peer", *(f"x {peer}" for peer in beside), *(FIGURES[name] for name in shown), "spread", "errors")
    return f"### {scenario}\n\n{asked(SCENARIOS[scenario])}\n\n{table(heads, rows)}"


def asked(scenario: Scenario) -> str:
    """What a scenario asks for, in a line."""
    asks = Counter(
        f"{ask.alias}{', streamed' if ask.stream else ''}, request of {SIZES[ask.size]}" for ask in scenario.asks
    )
    what = "; ".join(
        f"{ask}" if len(asks) == 1 else f"{count} of {len(scenario.asks)}: {ask}" for ask, count in asks.items()
    )
    pace = f" at {scenario.rate:g} requests a second" if scenario.rate else ""
    return f"{scenario.connections} connections{pace}. {what}."


def number(value: float | None) -> str:
    """Three digits that matter; empty for a figure that was not taken."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _ratio(mine: float | None, theirs: float | None) -> str:
    return number(mine / theirs) if mine is not None and theirs else ""
