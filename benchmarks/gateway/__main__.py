"""Measure gateways side by side.

    python -m benchmarks.gateway                                          # all that are installed, all scenarios
    python -m benchmarks.gateway --peers nginx bare gatewright --scenarios whole-1k-c64 stream-paced --rounds 3
    python -m benchmarks.gateway report --help                            # a run as Markdown, with the goals

The figures go into a JSON file and the report beside it; their medians are printed. Exit code 3: the machine was too
noisy for a conclusion. On a busy machine `chrt -r 1 python -m benchmarks.gateway` keeps the neighbours out of the
latencies, too.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from benchmarks.gateway import publish
from benchmarks.gateway.machine import raised_priority
from benchmarks.gateway.measurement import Run
from benchmarks.gateway.ours import ours
from benchmarks.gateway.peers import PEERS
from benchmarks.gateway.peers.peer import BUILD
from benchmarks.gateway.report import verdicts
from benchmarks.gateway.run import run
from benchmarks.gateway.scenarios import SCENARIOS

SHOWN = ("cpu_us_per_request", "cpu_us_per_chunk", "rps", "p50_ms", "p99_ms", "ttft_p50_ms", "chunk_delay_p99_ms")


def main() -> int:
    """The exit code: 3 if the machine was too noisy for any conclusion."""
    if sys.argv[1:2] == ["report"]:
        return publish.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS), metavar="PEER", help="of %(choices)s")
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), metavar="SCENARIO")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="each measurement takes (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=BUILD / "run.json", help="JSON file (default: %(default)s)")
    parser.add_argument("--alone", action="store_true", help="also what is measured of gatewright alone")
    parser.add_argument("--nice", type=int, default=-15, help="priority, if you may have it (default: %(default)s)")
    args = parser.parse_args()
    missing = [name for name in args.peers if not PEERS[name].installed()]
    for name in missing:
        print(f"{name} is not installed and is left out")
    peers = [PEERS[name] for name in args.peers if name not in missing]
    measured = run(peers, args.scenarios, args.rounds, args.seconds, args.nice, say)
    measured.write(args.out)  # what follows may fail
    if args.alone:
        with raised_priority(args.nice):
            measured = replace(measured, ours=ours(args.rounds, args.seconds))
        measured.write(args.out)
    table(measured)
    print(f"\n{verdicts(measured)}\nreport: {publish.beside(measured, args.out)}")
    return publish.TOO_NOISY if any(measured.noise()) else 0


def say(line: str) -> None:
    """Tell how the run goes."""
    print(line, flush=True)


def table(measured: Run) -> None:
    """The medians, as text."""
    print(f"\nload average {measured.machine.load_before:.1f} to {measured.machine.load_after:.1f}")
    print(f"{'':44}" + "".join(f"{name:>20}" for name in SHOWN))
    if measured.ours is not None:
        print(f"import pipeline {measured.ours.import_cpu_s:.2f} s; two workers x {measured.ours.two_workers_ratio}")
    for scenario in dict.fromkeys(m.scenario for m in measured.measurements):
        for peer in dict.fromkeys(m.peer for m in measured.measurements if m.scenario == scenario):
            values = (measured.median(peer, scenario, figure) for figure in SHOWN)
            cells = "".join(f"{'' if value is None else format(value, ',.2f'):>20}" for value in values)
            print(f"{scenario + ' ' + peer:44}{cells}")


if __name__ == "__main__":
    sys.exit(main())
