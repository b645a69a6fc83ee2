"""A real `gatewright serve` as a child process, which says itself where it listens."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

_LISTENING = re.compile(r"Uvicorn running on http://(127\.0\.0\.1:\d+)")
_STARTED = "Application startup complete"
BIN = Path(sys.executable).parent


class Server:
    """Started by a shell command, on a port that the system chooses. `address` is host and port."""

    def __init__(self, command: str, folder: Path, environment: Mapping[str, str]) -> None:
        self._output = (folder / "server.log").open("wb")
        self._process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"],
            cwd=folder,
            env={**os.environ, **environment, "GATEWRIGHT_PORT": "0", "PATH": f"{BIN}:{os.environ['PATH']}"},
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.address = self._first_address()

    def _first_address(self) -> str:
        """Read the server's own log until it, or its first worker, serves. The rest is short and stays in the pipe."""
        assert self._process.stderr is not None
        said = ""
        for line in self._process.stderr:
            said += line
            match = _LISTENING.search(said)
            if match and _STARTED in said:
                return match[1]
        self.stop()
        raise AssertionError(f"the server ended before it listened:\n{said}")

    def stop(self) -> int:
        """SIGTERM, as a supervisor would; the exit code. Uvicorn shuts down and then dies of the same signal."""
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout=20)
        finally:
            self._process.kill()
            self._process.wait()
            if self._process.stderr is not None:
                self._process.stderr.close()
            self._output.close()
