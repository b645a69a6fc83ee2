"""`gatewright serve CONFIG` as a process of its own, as an operator starts it; always stopped at the end."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pipeline.testing.wire import HOST

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 30.0
_LISTENING = re.compile(r"running on http://[^:]+:(\d+)")


class GatewayProcess:
    """The process and what it said. Standard output is the access log, one JSON object a line."""

    def __init__(self, config: Path | str, *arguments: str, **environment: str) -> None:
        self.output: list[str] = []
        self.errors: list[str] = []
        self._said = threading.Condition()
        # The venv's own entry point, without a shell that could be left behind.
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli.main", "serve", str(config), "--port", "0", *arguments],
            cwd=ROOT,
            env={**os.environ, "GATEWRIGHT_LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._readers = [
            threading.Thread(target=self._gather, args=(stream, into), daemon=True)
            for stream, into in ((self.process.stdout, self.output), (self.process.stderr, self.errors))
        ]
        for reader in self._readers:
            reader.start()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The access lines so far. Anything else on standard output is an error."""
        return [json.loads(line) for line in self.output]

    @property
    def port(self) -> int:
        """The port it listens on, waited for."""
        self.wait_until(lambda: any(_LISTENING.search(line) for line in self.errors))
        return next(int(found[1]) for line in self.errors if (found := _LISTENING.search(line)))

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/v1"

    def wait_ready(self) -> None:
        """Ask /readyz until it says yes, as an orchestrator does; with several workers the port opens before them."""
        port = self.port
        for _ in range(200):
            with contextlib.suppress(ConnectionRefusedError):
                if _status(port, "/readyz") == 200:
                    return
            threading.Event().wait(0.05)
        raise AssertionError(f"never ready; it said: {self.errors[-20:]}")

    def line(self, id: str) -> dict[str, Any]:
        """The access line of that request, waited for."""
        self.wait_until(lambda: any(line["request_id"] == id for line in self.lines))
        (found,) = [line for line in self.lines if line["request_id"] == id]
        return found

    def wait_until(self, true: Any) -> None:
        """Block until `true()`, which is asked again after each line the process writes."""
        with self._said:
            if (
                not self._said.wait_for(lambda: true() or self.process.poll() is not None, PATIENCE_SECONDS)
                or not true()
            ):
                raise AssertionError(f"exit code {self.process.poll()}; it said: {self.errors[-20:]}")

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def exit_code(self) -> int:
        """Wait for the end; everything it wrote has been read then."""
        code = self.process.wait(PATIENCE_SECONDS)
        for reader in self._readers:
            reader.join(PATIENCE_SECONDS)
        return code

    def stop(self) -> None:
        """SIGTERM, patience, SIGKILL."""
        if self.process.poll() is None:
            self.terminate()
        try:
            self.exit_code()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.exit_code()
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    def _gather(self, stream: IO[str], into: list[str]) -> None:
        for line in stream:
            with self._said:
                into.append(line.rstrip("\n"))
                self._said.notify_all()
        with self._said:
            self._said.notify_all()


def _status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


@contextmanager
def process(config: Path | str, *arguments: str, **environment: str) -> Iterator[GatewayProcess]:
    """The process, from its start to its end, whether or not it ever listens."""
    gateway = GatewayProcess(config, *arguments, **environment)
    try:
        yield gateway
    finally:
        gateway.stop()


@contextmanager
def serving_process(config: Path | str, *arguments: str, **environment: str) -> Iterator[GatewayProcess]:
    """The process once it is ready."""
    with process(config, *arguments, **environment) as gateway:
        gateway.wait_ready()
        yield gateway
