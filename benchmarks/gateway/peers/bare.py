"""The bare proxy as a peer; what it does is told in `bare_proxy`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import version

from benchmarks.gateway.peers.peer import Peer, Place
from benchmarks.gateway.scenarios import ALL


class Bare(Peer):
    """One ASGI function under uvicorn, in this interpreter."""

    name = "bare"
    scenarios = ALL

    def version(self) -> str:
        return f"uvicorn {version('uvicorn')}, uvloop {version('uvloop')}"

    def command(self, at: Place) -> Sequence[str]:
        module = "benchmarks.gateway.bare_proxy"
        return (sys.executable, "-m", module, "--port", str(at.port), "--origin-port", str(at.origin_port))
