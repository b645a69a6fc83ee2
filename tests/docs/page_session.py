"""One page, executed as a reader would follow it: in an empty folder, from top to bottom."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

import anyio
import pytest

from pipeline import Pipeline
from pipeline.config import ConfigError
from tests.docs.blocks import ROOT, Block
from tests.docs.echo_server import BIN, Server
from tests.packaging.environment import Environment, build

ENVIRONMENT = {
    "MODEL_URL": "http://127.0.0.1:9/v1",
    "OLLAMA_URL": "http://127.0.0.1:9",
    "OPENAI_API_KEY": "sk-0123456789abcdef0123",
    "GATEWRIGHT_DEMO_KEY": "gw-demo-0123456789abcdef",
}
FRESH = ("fresh", "fresh-served")
WRITTEN_ADDRESS = "127.0.0.1:8000"
_COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


class PageSession:
    """The folder, the names and the modules that the blocks of one page share."""

    def __init__(self, folder: Path, echo_server: Callable[[], Server]) -> None:
        self._folder = folder
        self._echo_server = echo_server
        self._servers: dict[str, Server] = {}
        self._fresh: Environment | None = None
        self._names: dict[str, Any] = {"__name__": "__main__"}
        self._modules = frozenset(sys.modules)
        self._actions: dict[tuple[str, str], Callable[[Block], object]] = {
            ("python", "run"): self._run,
            ("python", "test"): self._test,
            ("python", "file"): self._module,
            ("python", "save"): self._save,
            ("yaml", "check"): self._check,
            ("yaml", "save"): self._save,
            ("yaml", "refused"): self._refused,
            ("toml", "entry-points"): self._entry_points,
            ("console", "echo"): self._console,
            ("console", "run"): self._console,
            ("console", "served"): self._console,
            ("console", "fresh"): self._console,
            ("console", "fresh-served"): self._console,
            ("console", "serve"): self._serve,
            ("console", "make"): self._make,
        }

    def knows(self, block: Block) -> bool:
        return (block.language, block.action) in self._actions

    def execute(self, block: Block) -> None:
        """Do what the block's info string says. Raises what went wrong."""
        with self._inside():
            self._actions[block.language, block.action](block)

    def close(self) -> None:
        """Stop the servers of the page, and forget the modules that it wrote."""
        for server in self._servers.values():
            server.stop()
        for name in set(sys.modules) - self._modules:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(self._folder)):
                del sys.modules[name]

    @contextmanager
    def _inside(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self._folder)
            patch.syspath_prepend(str(self._folder))
            for name, value in ENVIRONMENT.items():
                patch.setenv(name, value)
            yield

    def _run(self, block: Block) -> None:
        # Padded, so that a traceback shows the line of the page.
        code = "\n" * (block.line - 1) + block.code
        exec(compile(code, str(block.page), "exec"), self._names)

    def _test(self, block: Block) -> None:
        known = set(self._names)
        self._run(block)
        tests = [value for name, value in self._names.items() if name.startswith("test_") and name not in known]
        assert tests, f"{block.where} holds no test, or only names that an earlier block has used"
        for function in tests:
            for backend in ("asyncio", "trio"):
                if iscoroutinefunction(function):
                    anyio.run(function, backend=backend)
                else:
                    function()

    def _module(self, block: Block) -> None:
        path = self._save(block)
        importlib.invalidate_caches()
        importlib.import_module(path.stem)

    def _check(self, block: Block) -> None:
        Pipeline.from_config(self._save(block))

    def _refused(self, block: Block) -> None:
        with pytest.raises(ConfigError) as caught:
            Pipeline.from_config(self._save(block))
        assert [problem.code for problem in caught.value.problems] == [block.options["refused"]], str(caught.value)

    def _save(self, block: Block) -> Path:
        path = self._folder / block.options.get("file", f"line_{block.line}.{block.language}")
        path.parent.mkdir(exist_ok=True)
        path.write_text(block.code, "utf-8")
        return path

    def _entry_points(self, block: Block) -> None:
        """What `pip install` would leave behind: a distribution with these entry points, found on the path."""
        project = tomllib.loads(block.code)["project"]
        folder = self._folder / f"{project['name'].replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
        lines = [
            line
            for group, points in project["entry-points"].items()
            for line in (f"[{group}]", *(f"{name} = {target}" for name, target in points.items()))
        ]
        (folder / "entry_points.txt").write_text("\n".join(lines) + "\n")
        importlib.invalidate_caches()

    def _console(self, block: Block) -> None:
        address = self._address(block)
        pairs = _COMMAND.findall(block.code)
        assert pairs, f"{block.where} holds no line that begins with '$ '"
        for command, expected in pairs:
            output = self._output_of(
                command.replace(WRITTEN_ADDRESS, address),
                int(block.options.get("exit", 0)),
                folder=self._folder / block.options.get("in", "."),
                environment=self._variables(block),
            )
            assert matches(expected, output.replace(address, WRITTEN_ADDRESS)), f"$ {command}\nsaid\n{output}"

    def _address(self, block: Block) -> str:
        if block.action == "echo":
            return self._echo_server().address
        if not block.action.endswith("served"):
            return WRITTEN_ADDRESS
        config = block.options["config"]
        if config not in self._servers:
            # By its path where it is that of the fresh environment: a server looks for commands beside its own first.
            command = str(self._environment().bin / "gatewright") if block.action in FRESH else "gatewright"
            folder = self._folder / block.options.get("in", ".")
            variables = {**ENVIRONMENT, **({"PYTHONPATH": ""} if block.action in FRESH else {})}
            self._servers[config] = Server(f"{command} serve {config}", folder, variables)
        return self._servers[config].address

    def _environment(self) -> Environment:
        """One that has gatewright's wheel, made when a block of the page first needs it."""
        if self._fresh is None:
            home = self._folder.with_name(f"{self._folder.name}-environment")
            home.mkdir()
            self._fresh = Environment(home)
            self._fresh.install(build(ROOT, home))
        return self._fresh

    def _variables(self, block: Block) -> dict[str, str]:
        if block.action in FRESH:
            return self._environment().variables()
        return {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}

    def _output_of(
        self, command: str, exit_code: int, *, folder: Path | None = None, environment: dict[str, str] | None = None
    ) -> str:
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == exit_code, f"$ {command}\nended with {done.returncode}\n{done.stdout}"
        return done.stdout

    def _serve(self, block: Block) -> None:
        ((command, _),) = _COMMAND.findall(block.code)
        server = Server(command, self._folder, ENVIRONMENT)
        try:
            # Retried by curl: with several workers the log says that they serve a moment before they do.
            self._output_of(f"curl -sf --retry 20 --retry-connrefused http://{server.address}/readyz", 0)
        finally:
            ended = server.stop()
        assert ended in (0, -15), f"{command} ended with {ended} after SIGTERM"

    def _make(self, block: Block) -> None:
        for command, _ in _COMMAND.findall(block.code):
            program, *targets = command.partition("#")[0].split()
            assert program == "make"
            subprocess.run(["make", "-n", *targets], cwd=ROOT, check=True, capture_output=True, timeout=60)


def matches(expected: str, output: str) -> bool:
    """Whether `output` is what was written. No expectation is always met; white space does not count."""
    if not expected.strip():
        return True
    pieces = ["".join(piece.split()) for piece in expected.split("...")]
    return re.fullmatch(".*".join(map(re.escape, pieces)), "".join(output.split()), re.DOTALL) is not None
