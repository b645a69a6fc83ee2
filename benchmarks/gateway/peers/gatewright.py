"""gatewright as an operator starts it: `gatewright serve CONFIG` with a bundle as it is shipped, access log on."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Literal

from benchmarks.gateway.agreed import ALIASES, CLIENT_KEY, ORIGIN_KEY
from benchmarks.gateway.bodies import Dialect
from benchmarks.gateway.installed import installed_mb
from benchmarks.gateway.peers.peer import Peer, Place
from benchmarks.gateway.scenarios import ALL

_CONFIG = """\
version: 1
resources:
  upstreams:
    origin: {{dialect: {upstream}, base_url: "http://127.0.0.1:{port}{base}", api_key: "${{env:BENCH_ORIGIN_KEY}}"}}
  catalogues:
    names:
      upstreams: [origin]
      aliases: {{{aliases}}}
  keys:
    bench: {{keys: [{{id: bench, key: "${{env:BENCH_CLIENT_KEY}}"}}]}}
gateways:
  bench:
    use: {bundle}
    with: {{upstream: origin, catalogue: names, keys: [bench], shape: {shape}}}
"""


@dataclass(frozen=True, slots=True)
class Gatewright(Peer):
    """One way to set it up: the bundle for its clients, the dialect of the origin, the shape of answers.

    The access log goes to a file, a JSON line a request. Every stage of the bundle stands in the chain.
    """

    name: str = "gatewright"
    dialect: Dialect = "openai"
    upstream: Dialect = "openai"
    shape: Literal["forward", "complete"] = "forward"
    workers: int = 1
    scenarios: frozenset[str] = ALL

    def version(self) -> str:
        return f"{version('gatewright')}, {self.dialect} clients, {self.upstream} origin, shape {self.shape}"

    def installed_mb(self) -> float | None:
        return installed_mb()

    def command(self, at: Place) -> Sequence[str]:
        config = _CONFIG.format(
            upstream=self.upstream,
            base="/v1" if self.upstream == "openai" else "",
            port=at.origin_port,
            aliases=", ".join(f"{alias}: {name}" for alias, name in ALIASES.items()),
            bundle=self.dialect,
            shape=self.shape,
        )
        options = ("--port", str(at.port), "--workers", str(self.workers), "--log-format", "json")
        return (sys.executable, "-m", "pipeline.cli.main", "serve", at.write("gateway.yaml", config), *options)

    def environment(self, at: Place) -> Mapping[str, str]:
        return {"BENCH_CLIENT_KEY": CLIENT_KEY, "BENCH_ORIGIN_KEY": ORIGIN_KEY}

    def path(self) -> str:
        return "/v1/chat/completions" if self.dialect == "openai" else "/api/chat"


_DEARER = frozenset(
    {"whole-1k-c64", "history-200k-c8", "image-1m-c4", "stream-burst-c8", "stream-paced", "streams-800"}
)
"""Where completing and translating show. A run has ten minutes, and what they add elsewhere follows from these."""

VARIANTS = (
    Gatewright(),
    Gatewright("gatewright-complete", shape="complete", scenarios=_DEARER),
    Gatewright("gatewright-translate", upstream="ollama", shape="complete", scenarios=_DEARER),
    Gatewright("gatewright-translate-back", dialect="ollama", shape="complete", scenarios=_DEARER),
)
