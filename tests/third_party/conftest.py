"""An environment of their own, with gatewright and the strangers' distributions installed from wheels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packaging.environment import ROOT, Environment, build
from tests.third_party.strangers import STRANGERS, Stranger, broken

Install = Callable[[Stranger], None]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = Environment(tmp_path_factory.mktemp("strangers"))
    sources = [ROOT, *(stranger.folder for stranger in STRANGERS)]
    made.install(*(build(source, tmp_path_factory.mktemp("dist")) for source in sources))
    return made


@pytest.fixture(scope="session")
def with_broken(environment: Environment) -> Environment:
    """The same with the broken variants installed too: what `pip` would leave of a distribution of each stranger's."""
    for stranger in STRANGERS:
        module = f"{stranger.name.replace('-', '_')}_broken"
        _place(environment, module, stranger)
    return environment


def _place(environment: Environment, module: str, stranger: Stranger) -> None:
    source = (stranger.folder / "tests" / "broken.py").read_text("utf-8")
    environment.purelib.joinpath(f"{module}.py").write_text(source, "utf-8")
    info = environment.purelib / f"{module}-1.0.dist-info"
    info.mkdir()
    points = [f"{each.kind} = {module}:{each.name}" for each in broken() if each.of is stranger]
    info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n", "utf-8")
    info.joinpath("entry_points.txt").write_text("\n".join(["[gatewright.stages]", *points, ""]), "utf-8")


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder with nothing of ours in it or above it."""
    return tmp_path
