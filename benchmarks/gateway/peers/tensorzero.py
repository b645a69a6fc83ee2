"""TensorZero's gateway, written in Rust, as its Python package carries it for its clients: the same code in a process
of Python that only starts it and then sleeps.

What must be known to compare:

- **It checks no key.** Its keys live in a database, and this gateway has none. Limits and observability need one too,
  and are off, so it does less than most gateways that are measured here. It writes no log of requests either.
- It takes a free port and no orders, whatever its config says, so it tells its port in a file.
- Clients have to put a prefix before a model's name, and get it back with the prefix. `id`, `created` and
  `system_fingerprint` in answers are TensorZero's, not the origin's; the origin never sees the `user` of a request.
- Nine megabytes of its RSS are Python's, and some are those of the package's Python half.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.gateway.agreed import ALIASES, ORIGIN_KEY
from benchmarks.gateway.peers.packaged import Packaged
from benchmarks.gateway.peers.peer import Place, port_file

# Without a file store it refuses every image; disabled, it relays them.
_GATEWAY = """\
[gateway]
observability.enabled = false
auth.enabled = false

[object_storage]
type = "disabled"
"""
_MODEL = """
[models.{alias}]
routing = ["origin"]

[models.{alias}.providers.origin]
type = "openai"
model_name = "{name}"
api_base = "http://127.0.0.1:{origin_port}/v1"
api_key_location = "env::BENCH_ORIGIN_KEY"
"""
# The package's way to a gateway over HTTP, by which it serves the OpenAI clients that it patches.
_SERVE = """\
import pathlib, signal, sys, urllib.parse
from tensorzero import _start_http_gateway as start
gateway = start(config_file=sys.argv[1], clickhouse_url=None, postgres_url=None, valkey_url=None, async_setup=False)
pathlib.Path(sys.argv[2]).write_text(str(urllib.parse.urlsplit(gateway.base_url).port))
signal.pause()
"""


class TensorZero(Packaged):
    """The local HTTP gateway."""

    name = "tensorzero"

    def version(self) -> str:
        return f"{self.packages.pinned(self.name)}, no key check"

    def command(self, at: Place) -> Sequence[str]:
        models = (_MODEL.format(alias=alias, name=name, origin_port=at.origin_port) for alias, name in ALIASES.items())
        config = at.write("tensorzero.toml", _GATEWAY + "".join(models))
        # Isolated, since a file of this name lies beside the package's in the folder of the benchmark's peers.
        return (str(self.packages.python), "-I", "-c", _SERVE, config, str(port_file(at)))

    def environment(self, at: Place) -> Mapping[str, str]:
        return {"BENCH_ORIGIN_KEY": ORIGIN_KEY}

    def path(self) -> str:
        return "/openai/v1/chat/completions"

    def model(self, alias: str) -> str:
        return f"tensorzero::model_name::{alias}"
