"""LiteLLM's proxy, as its own extra `proxy` installs it, set up to be as fast as it goes.

What is done for it beyond its documentation's word on production (`LITELLM_MODE`, log level ERROR, the local cost map,
one worker a core, no database):

- Byte code is compiled; a start without it takes several seconds more.
- opentelemetry-sdk is installed. LiteLLM imports it on each request, and Python does not remember an import that fails:
  4 % of the samples of a profile were spent on it. Another import, of prisma, fails likewise (1 %); it is left so,
  since who has no database does not install what talks to one.
- httptools is installed, which uvicorn parses HTTP with when it is there. uvloop is in the extra.
- Models have no prices: with them each request would be a sixth dearer.

It writes no access log at this level. It checks the key, maps names both ways, and holds connections to the origin
open. Not the newest version, but the newest whose extra can be resolved from the package index of the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import yaml

from benchmarks.gateway.agreed import ALIASES, CLIENT_KEY, ORIGIN_KEY
from benchmarks.gateway.peers.packaged import Packaged
from benchmarks.gateway.peers.peer import Place
from benchmarks.gateway.scenarios import PRINCIPAL


class LiteLLM(Packaged):
    """One worker under uvicorn."""

    name = "litellm"
    # Of 800 streams it gets a twentieth of the chunks out, and works on the rest while others are measured.
    scenarios = PRINCIPAL - {"streams-800"}

    def version(self) -> str:
        return f"{self.packages.pinned(self.name)}, uvicorn {self.packages.pinned('uvicorn')}, master key"

    def command(self, at: Place) -> Sequence[str]:
        config = at.write("config.yaml", yaml.safe_dump(_config(at), sort_keys=False))
        serve = (str(self.packages.folder / "bin" / "litellm"), "--config", config, "--host", "127.0.0.1")
        return (*serve, "--port", str(at.port), "--num_workers", "1", "--telemetry", "False")

    def environment(self, at: Place) -> Mapping[str, str]:
        return {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION"}


def _config(at: Place) -> object:
    origin = {"api_base": f"http://127.0.0.1:{at.origin_port}/v1", "api_key": ORIGIN_KEY}
    models = [
        {"model_name": alias, "litellm_params": {"model": f"openai/{name}", **origin}}
        for alias, name in ALIASES.items()
    ]
    return {"model_list": models, "general_settings": {"master_key": CLIENT_KEY}}
