"""Fresh environments, made offline: what a user's machine looks like after `pip install`.

The trap: the tests' own environment holds an editable gatewright. A fresh one borrows the dependencies through one
.pth line, which (unlike `addsitedir`) does not follow the .pth files it finds there, so the checkout stays out of
sight. Whatever has to be true of that is asserted by the tests all the same.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# The borrowed folder holds the editable gatewright; without --ignore-installed pip takes the job for done, or removes
# that one.
_INSTALL = ("install", "--quiet", "--no-deps", "--no-index", "--ignore-installed")


class Environment:
    """An interpreter of its own in `home`, with the dependencies of the one that runs the tests, and their commands."""

    def __init__(self, home: Path) -> None:
        run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
        self.home = home
        self.bin = home / "bin"
        self.python = self.bin / "python"
        where = "import sysconfig; print(sysconfig.get_path('purelib'))"
        self.purelib = Path(run(self.python, "-c", where, cwd=home).strip())
        self.purelib.joinpath("dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
        for module in ("pip", "pytest", "build"):
            self._command(module)

    def install(self, *wheels: Path) -> None:
        run(sys.executable, "-m", "pip", "--python", self.python, *_INSTALL, *wheels, cwd=self.home)

    def run(self, *command: str | Path, cwd: Path) -> str:
        """A command of the environment; its standard output. A failure is told with everything it wrote."""
        name, *arguments = command
        return run(self.bin / name, *arguments, cwd=cwd, environment=self.variables())

    def variables(self) -> dict[str, str]:
        """What a shell has in which the environment is active, and nothing can be had from an index."""
        return {
            **_outside(),
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "VIRTUAL_ENV": str(self.home),
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # what pip takes for `--no-build-isolation`
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def _command(self, module: str) -> None:
        """A command that the borrowed folder has no script for here."""
        script = self.bin / module
        script.write_text(f'#!/bin/sh\nexec "{self.python}" -m {module} "$@"\n', "utf-8")
        script.chmod(0o755)


def build(source: Path, out: Path) -> Path:
    """The wheel of a project, by way of its sdist as an index would serve it: so the sdist is complete too."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, source, cwd=out)
    (built,) = out.glob("*.whl")
    return built


def run(*command: str | Path, cwd: Path, environment: dict[str, str] | None = None) -> str:
    """The command's standard output; its whole output is the failure message. No PYTHONPATH leaks the checkout in."""
    environment = _outside() if environment is None else environment
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{[*map(str, command)]} exited {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def _outside() -> dict[str, str]:
    left_out = ("PYTHON", "COVERAGE", "PYTEST", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
