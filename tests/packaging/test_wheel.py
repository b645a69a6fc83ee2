"""What a user gets from `pip install gatewright`: built, installed away from the checkout, run from an empty folder.

Why: everything else tests the checkout, where `configs/` lies at hand and every file is importable. A file that the
wheel lacks is found only by whoever installs it.
"""

from __future__ import annotations

import configparser
import sys
import zipfile
from pathlib import Path

import pytest

from pipeline.cli.starter_package import FILES
from tests.packaging.environment import ROOT, Environment, build, run

WHERE = "import pipeline, pipeline.config.bundled as b; print(pipeline.__file__); print(b.configs_dir())"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has the wheel, and the dependencies of the one that runs the tests."""
    environment = Environment(tmp_path_factory.mktemp("environment"))
    environment.install(wheel)
    return environment.python


@pytest.mark.parametrize("top", ["pipeline", "stages"])
def test_wheel_holds_every_source_and_the_type_marker(names: set[str], top: str) -> None:
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / top).rglob("*.py")}
    assert sources
    assert (sources | {f"{top}/py.typed"}) - names == set()


def test_wheel_holds_every_config(names: set[str]) -> None:
    configs = {f"pipeline/_configs/{path.relative_to(ROOT / 'configs')}" for path in (ROOT / "configs").rglob("*.yaml")}
    assert "pipeline/_configs/bundles/openai.yaml" in configs
    assert configs - names == set()


def test_wheel_holds_what_a_new_package_is_made_of(names: set[str]) -> None:
    templates = {path.relative_to(ROOT).as_posix() for path in (ROOT / "pipeline/cli/starter").iterdir()}
    assert templates == {f"pipeline/cli/starter/{name}" for name in FILES}
    assert templates - names == set()


def test_wheel_holds_the_licence(names: set[str]) -> None:
    assert {"LICENSE", "NOTICE"} <= {name.rsplit("/", 1)[-1] for name in names if ".dist-info/licenses/" in name}


def test_wheel_declares_the_command_and_the_built_in_stages(wheel: Path) -> None:
    parser = configparser.ConfigParser()
    with zipfile.ZipFile(wheel) as archive:
        (path,) = (name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt"))
        parser.read_string(archive.read(path).decode())
    assert dict(parser["console_scripts"]) == {"gatewright": "pipeline.cli.main:main"}
    assert dict(parser["gatewright.stages"]) == {"builtin.table": "stages:TABLE"}
    assert dict(parser["pytest11"]) == {"gatewright_pytest": "gatewright_pytest"}
    assert dict(parser["hypothesis"]) == {"gatewright": "gatewright_hypothesis:setup"}


def test_wheel_holds_nothing_else(names: set[str]) -> None:
    tops = {name.split("/", 1)[0] for name in names}
    modules = {"gatewright_pytest.py", "gatewright_hypothesis.py"}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pipeline", "stages", *modules}
    assert [name for name in names if "__pycache__" in name] == []


def test_installed_package_uses_its_own_configs(python: Path, tmp_path: Path) -> None:
    package, configs = map(Path, run(python, "-c", WHERE, cwd=tmp_path).split())
    assert package.is_relative_to(python.parents[1])
    assert configs == package.parent / "_configs"


def test_installed_command_checks_a_packaged_config_from_an_empty_folder(python: Path, tmp_path: Path) -> None:
    run(python, "-m", "pipeline.cli.main", "check", "configs/echo.yaml", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []  # `check` starts nothing and writes nothing


def test_checkout_uses_the_checkouts_configs(tmp_path: Path) -> None:
    assert Path(run(sys.executable, "-c", WHERE, cwd=tmp_path).split()[1]) == ROOT / "configs"
