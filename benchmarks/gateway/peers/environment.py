"""Where the packages of others live: in environments of their own, with every file pinned by its hash.

The hashes are not for order's sake. A peer's packages run here as whoever runs the benchmark, and releases of gateways
have been tampered with before.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gateway.peers.peer import BUILD

PINNED = Path(__file__).resolve().parents[1] / "pinned"
"""Its NAME.txt lists what an environment holds, resolved by `make lock-bench` from NAME.in."""

_STAMP = ".installed"
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment in BUILD / name, made of PINNED / name.txt by this interpreter.

    `also` are further files that decide what is installed. It counts as installed while they, the list and the version
    of Python are those that it was made of, so a newer pin is a new environment.
    """

    name: str
    also: tuple[Path, ...] = ()

    @property
    def folder(self) -> Path:
        return BUILD / self.name

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Its site-packages. The interpreter is not in it, nor is pip: what a peer takes on disk is this."""
        return self.folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"

    def installed(self) -> bool:
        """Whether `install` got to its end with the pins of today."""
        stamp = self.folder / _STAMP
        return stamp.exists() and stamp.read_text() == self._pins()

    def install(self, rest: Callable[[], None] | None = None) -> None:
        """Make it anew unless it is installed; `rest` then puts into it what pip cannot.

        Byte code is compiled: some machines forbid to write it, and every start would pay for that. Raises
        `subprocess.CalledProcessError`; what pip says goes to standard error.
        """
        if self.installed():
            return
        run(sys.executable, "-m", "venv", "--clear", "--without-pip", str(self.folder))
        pip = (*_PIP, "--python", str(self.python), "install", "-qq", "--no-compile", "--only-binary", ":all:")
        run(*pip, "--require-hashes", "-r", str(self._list))
        # Some packages ship templates that are no Python, so it may fail.
        compile_all = (str(self.python), "-m", "compileall", "-qq", "-j", "0", str(self.site_packages))
        subprocess.run(compile_all, check=False, stdout=subprocess.DEVNULL)
        if rest is not None:
            rest()
        # Last, so that an installation which was cut short is begun anew.
        (self.folder / _STAMP).write_text(self._pins())

    def pinned(self, package: str) -> str:
        """The version of a package of the list."""
        found = re.search(rf"^{re.escape(package)}==(\S+)", self._list.read_text(), re.MULTILINE)
        if found is None:
            raise LookupError(f"{self._list} lists no {package}")
        return found[1]

    @property
    def _list(self) -> Path:
        return PINNED / f"{self.name}.txt"

    def _pins(self) -> str:
        of = b"".join(path.read_bytes() for path in (self._list, *self.also))
        return hashlib.sha256(sys.version.encode() + of).hexdigest()


def megabytes(folder: Path) -> float:
    """What the files below a folder hold, in units of 1,000,000 bytes."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6


def run(*command: str, folder: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
    """A step of an installation, in `folder`. Raises `subprocess.CalledProcessError` if it fails."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, env=environment)
