"""Install what the benchmark compares with, and the library that its plots are drawn with: `make bench-setup`.

python -m benchmarks.gateway.install               # all of it; what is there already costs nothing
python -m benchmarks.gateway.install litellm plots
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Protocol

from benchmarks.gateway.peers import PEERS
from benchmarks.gateway.peers.environment import Environment

PLOTS = Environment("plots")
"""matplotlib, apart from what is measured."""


class Installable(Protocol):
    """A peer, or an environment by itself."""

    def installed(self) -> bool: ...

    def install(self) -> None: ...


def main() -> int:
    """The exit code: 1 if something could not be installed."""
    things: dict[str, Installable] = {**PEERS, PLOTS.name: PLOTS}
    about = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway.install", description=about)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(things)} (default: all)")
    names = parser.parse_args().names or list(things)
    if unknown := [name for name in names if name not in things]:
        parser.error(f"nothing is called {', '.join(unknown)}")
    return 0 if install(things, names) else 1


def install(things: Mapping[str, Installable], names: Sequence[str]) -> bool:
    """Install what is named and not there, one after the other, and say so. Whether all of it is there at the end: what
    could not be installed is told on standard error, and the rest is installed all the same."""
    well = True
    for name in names:
        if things[name].installed():
            continue
        print(f"bench-setup: {name}", flush=True)
        try:
            things[name].install()
        except (OSError, RuntimeError, subprocess.CalledProcessError) as error:
            print(f"bench-setup: {name} could not be installed: {error}", file=sys.stderr, flush=True)
            well = False
    return well


if __name__ == "__main__":
    sys.exit(main())
