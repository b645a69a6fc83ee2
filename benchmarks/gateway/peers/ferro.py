"""Ferro Labs' gateway, written in Go: one binary, which comes in a Python package.

What must be known to compare:

- It checks the key and maps the models. Answers keep the origin's name; of their other fields those that it does not
  know are left out.
- The origin is called openrouter. Of this gateway's providers that speak OpenAI's API it is the one that takes models
  of any name; `openai` knows its own list and no other.
- The limit of 100 requests a second that every client has by default is lifted, the catalogue of models is not fetched
  from the internet, and at log level error there is no access log.
- It listens on every interface; there is no setting for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from benchmarks.gateway.agreed import ALIASES, CLIENT_KEY, ORIGIN_KEY
from benchmarks.gateway.peers.packaged import Packaged
from benchmarks.gateway.peers.peer import Place

_CONFIG = "config.yaml"


class Ferro(Packaged):
    """Its server, with everything that it stores in memory."""

    name = "ferro"

    def version(self) -> str:
        return f"{self.packages.pinned('ferrogw')}, master key"

    def installed_mb(self) -> float | None:
        return self._binary.stat().st_size / 1e6

    def command(self, at: Place) -> Sequence[str]:
        config = {"strategy": {"mode": "single"}, "targets": [{"virtual_key": "openrouter"}], "aliases": ALIASES}
        at.write(_CONFIG, yaml.safe_dump(config, sort_keys=False))
        return (str(self._binary), "serve")

    def environment(self, at: Place) -> Mapping[str, str]:
        return {
            "PORT": str(at.port),
            "GATEWAY_CONFIG": str(at.folder / _CONFIG),
            "MASTER_KEY": CLIENT_KEY,
            "OPENROUTER_API_KEY": ORIGIN_KEY,
            "OPENROUTER_BASE_URL": f"http://127.0.0.1:{at.origin_port}/v1",
            "RATE_LIMIT_RPS": "0",
            "FERRO_MODEL_CATALOG_TIMEOUT": "0",
            "LOG_LEVEL": "error",
        }

    @property
    def _binary(self) -> Path:
        return self.packages.folder / "bin" / "ferrogw"
