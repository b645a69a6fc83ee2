"""The package that a new stage begins as: its names, and its files from the templates in `starter/`.

The templates are text with names in `@...@`, replaced one by one: whoever reads a template sees the file it becomes.
"""

from __future__ import annotations

import builtins
import keyword
import re
import shutil
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import pipeline
from pipeline.registry import Registry

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\.[a-z][a-z0-9]*(_[a-z0-9]+)*")

# Where each template goes. The names of the package are not known before it is made.
FILES = {
    "pyproject.toml.in": "pyproject.toml",
    "README.md.in": "README.md",
    "gitignore.in": ".gitignore",
    "example.yaml.in": "example.yaml",
    "package.py.in": "src/@MODULE@/__init__.py",
    "stage.py.in": "src/@MODULE@/stage.py",
    "test_stage.py.in": "tests/test_@MODULE@.py",
}


class Refused(ValueError):
    """No package can or may be made; the text says why."""


def check_name(kind: str, registry: Registry) -> None:
    """Raise `Refused` for a name that would not work, or that is taken on this machine."""
    if not NAME.fullmatch(kind):
        raise Refused(
            f"{kind!r} is no name for a stage of a package: it is vendor.name, such as acme.redact, in lower-case "
            "letters, digits and single '_'"
        )
    if kind.endswith(".table"):
        raise Refused(f"{kind!r} would be read as a table of kinds, since it ends in '.table'")
    for row in registry:
        if (row.group, row.kind) == ("stage", kind):
            raise Refused(f"{kind!r} is offered by {row.source}, which is installed")
    if find_spec(module_of(kind)) is not None:
        raise Refused(f"there is a module {module_of(kind)} already, which the package would hide")


def make(kind: str, into: Path, registry: Registry) -> Path:
    """Write the package into a new folder below `into`. Raises `Refused`, or `OSError`; neither leaves anything."""
    check_name(kind, registry)
    folder = into / distribution_of(kind)
    into.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir()  # claims the name: whoever was there first keeps what he has
    except FileExistsError:
        raise Refused(f"{folder} exists already; nothing is overwritten") from None
    try:
        names = _names(kind, registry)
        for template, path in FILES.items():
            target = folder / _filled(path, names)
            target.parent.mkdir(parents=True, exist_ok=True)
            text = files("pipeline.cli").joinpath("starter", template).read_text("utf-8")
            target.write_text(_filled(text, names), "utf-8")
        folder.joinpath(_filled("src/@MODULE@/py.typed", names)).touch()
    except BaseException:
        shutil.rmtree(folder)
        raise
    return folder


def distribution_of(kind: str) -> str:
    """The name under which it is published."""
    return re.sub(r"[._]", "-", kind)


def module_of(kind: str) -> str:
    return kind.replace(".", "_")


def class_of(kind: str) -> str:
    """The last part in capitals; with a suffix where that means something already in the module it is written to."""
    name = "".join(word.capitalize() for word in kind.rpartition(".")[2].split("_"))
    taken = keyword.iskeyword(name) or hasattr(builtins, name) or name in pipeline.__all__ or name in ("Field", "Path")
    return f"{name}Stage" if taken else name


def _names(kind: str, registry: Registry) -> dict[str, str]:
    dialects = [row.kind for row in registry if row.group == "dialect"]
    if not dialects:
        raise Refused("no dialect is installed, so nothing could be tried")
    return {
        "@KIND@": kind,
        "@DISTRIBUTION@": distribution_of(kind),
        "@MODULE@": module_of(kind),
        "@CLASS@": class_of(kind),
        "@DIALECT@": dialects[0],
        "@VERSION@": version("gatewright"),
    }


def _filled(text: str, names: dict[str, str]) -> str:
    for mark, name in names.items():
        text = text.replace(mark, name)
    return text
