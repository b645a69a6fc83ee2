"""The bare proxy as a peer; what it does is told in `bare_proxy`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Literal

from benchmarks.gateway.peers.peer import CLIENT_KEY, Place
from benchmarks.gateway.scenarios import ALL


class Bare:
    """One ASGI function under uvicorn, in this interpreter."""

    name = "bare"
    scenarios = ALL
    dialect: Literal["openai", "ollama"] = "openai"

    def install(self) -> None: ...

    def installed(self) -> bool:
        return True

    def version(self) -> str:
        return f"uvicorn {version('uvicorn')}, uvloop {version('uvloop')}"

    def installed_mb(self) -> float | None:
        return None

    def command(self, at: Place) -> Sequence[str]:
        module = "benchmarks.gateway.bare_proxy"
        return (sys.executable, "-m", module, "--port", str(at.port), "--origin-port", str(at.origin_port))

    def environment(self, at: Place) -> Mapping[str, str]:
        return {}

    def path(self, scenario: str) -> str:
        return "/v1/chat/completions"

    def headers(self, scenario: str) -> Mapping[str, str]:
        return {"authorization": f"Bearer {CLIENT_KEY}"}

    def model(self, alias: str) -> str:
        return alias
