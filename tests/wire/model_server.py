"""The real model server of the examples, one for a test session (under xdist: one for each worker that needs it)."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
NAME = "smollm2"
PATIENCE_SECONDS = 60.0


class ModelServer:
    """Where it listens, and what its slots are doing."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.url = f"{address}/v1"

    def get(self, path: str) -> tuple[int, Any]:
        connection = http.client.HTTPConnection(urlsplit(self.address).netloc, timeout=PATIENCE_SECONDS)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def busy_slots(self) -> int:
        """Conversations it is generating for. It answers between two tokens, so asking again and again is no spin."""
        return sum(slot["is_processing"] for slot in self.get("/slots")[1])

    def wait_for(self, busy: int, seconds: float) -> bool:
        """Whether that many slots are busy before the time is up."""
        until = time.monotonic() + seconds
        while self.busy_slots() != busy:
            if time.monotonic() > until:
                return False
        return True


@contextmanager
def model_server() -> Iterator[ModelServer]:
    """Started on a free port with one thread, ready when yielded, stopped at the end."""
    process = subprocess.Popen(
        [sys.executable, "-u", "examples/local_model.py", "--threads", "1", "--port", "0"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = process.stdout.readline()
        found = re.match(r"listening on (http://\S+)", said)
        assert found, f"the model server did not start: {said!r}"
        server = ModelServer(found[1])
        until = time.monotonic() + PATIENCE_SECONDS
        while server.get("/health")[0] != 200:
            assert time.monotonic() < until, "the model was not loaded in time"
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
