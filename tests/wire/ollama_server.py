"""The genuine Ollama server of the examples, one for a test session (under xdist: one for each worker that needs it).

Why not one for all workers: a test that unloads, creates or deletes a model would pull it from under another's feet. An
idle server costs no CPU, and one with a loaded model less than 300 MB.
"""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.wire.plain_client import Plain, call

ROOT = Path(__file__).resolve().parents[2]
SMOL, TOOLS = "smol", "smol-tools"  # only the second has the capability `tools`
PATIENCE_SECONDS = 15.0
PACKAGED_FOR = ("Linux", "x86_64")


class OllamaServer:
    """Where it listens. `address` is what a native client calls its host; the OpenAI layer is below `/v1`."""

    def __init__(self, address: str, log: Path) -> None:
        self.address = address
        self.url = f"{address}/v1"
        self.log = log

    def call(self, method: str, path: str, body: dict[str, Any] | bytes | None = None) -> Plain:
        return call(self.address, method, path, body)

    def lines(self, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        """The objects of a stream that went well."""
        answer = self.call("POST", path, body)
        assert (answer.status, answer.content_type) == (200, "application/x-ndjson"), answer
        return [json.loads(line) for line in answer.body.splitlines()]

    def loaded(self) -> set[str]:
        """The models in memory, by their full names."""
        return {model["name"] for model in self.call("GET", "/api/ps").json["models"]}

    def unload(self, model: str = SMOL) -> Plain:
        """The weights leave memory, and with them the prompt cache, which is what makes a second answer quicker.

        The trap: it answers before that happened, so a call right after it may still be counted as one to a loaded
        model. This waits for it; the answer to the call is returned.
        """
        answer = self.call("POST", "/api/generate", {"model": model, "keep_alive": 0, "stream": False})
        until = time.monotonic() + PATIENCE_SECONDS
        while f"{model}:latest" in self.loaded():
            assert time.monotonic() < until, f"{model} was not unloaded; see {self.log}"
        return answer


@contextmanager
def ollama_server(log: Path) -> Iterator[OllamaServer]:
    """Started on a free port, ready when yielded, stopped with its children at the end, whichever end that is."""
    if (platform.system(), platform.machine()) != PACKAGED_FOR:
        pytest.skip("Ollama is packaged for Linux on x86-64 only")
    process = subprocess.Popen(
        [sys.executable, "-u", "examples/ollama_server.py", "--port", "0", "--with-parent", "--log", log],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        found = re.match(r"listening on (http://\S+)", said)
        assert found, f"Ollama did not start: {said!r}; see {log}, or run `make setup`"
        yield OllamaServer(found[1], log)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
