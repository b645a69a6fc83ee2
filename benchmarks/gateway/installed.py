"""What an installation of gatewright takes on disk: its own files and those of everything that it depends on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from importlib.util import cache_from_source
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
OURS = ("pipeline", "stages", "configs", "gatewright_pytest.py", "gatewright_hypothesis.py")
"""What the wheel holds. In a checkout its files are not listed in the metadata of the editable installation."""


def installed_mb(name: str = "gatewright", extra: str = "server") -> float:
    """In units of 1,000,000 bytes, with the byte code that an installer makes: the files of the distribution with this
    extra, and of all that it requires here. Sizes are of files, not of the blocks that they take."""
    files = {file for needed in closure(name, extra) for file in _files(distribution(needed))}
    if name == "gatewright":
        files |= {file for part in OURS for file in _below(ROOT / part)}
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def closure(name: str, extra: str = "") -> frozenset[str]:
    """The distribution and everything that it requires on this platform, directly or not."""
    seen = {(name, extra)}
    waiting = [(name, extra)]
    while waiting:
        parent, chosen = waiting.pop()
        for requirement in map(Requirement, distribution(parent).requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": chosen}):
                new = {(requirement.name.lower().replace("_", "-"), also) for also in ("", *requirement.extras)} - seen
                seen |= new
                waiting += new
    return frozenset(name for name, _ in seen)


def _files(of: Distribution) -> Iterator[Path]:
    yield from _with_byte_code(Path(str(file.locate())) for file in of.files or ())


def _below(path: Path) -> Iterator[Path]:
    files = path.rglob("*") if path.is_dir() else [path]
    yield from _with_byte_code(file for file in files if "__pycache__" not in file.parts)


def _with_byte_code(files: Iterable[Path]) -> Iterator[Path]:
    for file in files:
        yield file
        if file.suffix == ".py":
            yield Path(cache_from_source(str(file)))
