"""What `gatewright create stage` leaves behind is a package: it builds, installs and passes its own tests, untouched.

From the installed wheel and an empty folder, as somebody does who has no checkout.
"""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path

import pytest

from tests.packaging.environment import ROOT, Environment, build, run


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = Environment(tmp_path_factory.mktemp("environment"))
    made.install(build(ROOT, tmp_path_factory.mktemp("dist")))
    return made


@pytest.fixture(scope="module")
def package(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, installed as its README says."""
    folder = tmp_path_factory.mktemp("empty")
    environment.run("gatewright", "create", "stage", "acme.redact", cwd=folder)
    (made,) = folder.iterdir()
    environment.run("pip", "install", "--quiet", "--editable", ".[test]", cwd=made)
    return made


def test_its_own_tests_pass(environment: Environment, package: Path) -> None:
    said = environment.run("pytest", "-p", "no:cacheprovider", cwd=package)
    assert re.search(r"^=+ [1-9]\d* passed in", said.splitlines()[-1]), said


def test_the_stage_is_found_and_used_from_a_config(environment: Environment, package: Path, tmp_path: Path) -> None:
    shown = environment.run("gatewright", "stages", "show", "acme.redact", cwd=tmp_path)
    assert shown.startswith("stage acme.redact, from acme-redact (acme_redact:Redact)\n")
    checked = environment.run("gatewright", "check", package / "example.yaml", cwd=tmp_path)
    assert " -> acme.redact -> " in checked


def test_what_it_publishes_is_the_stage_and_where_to_find_it(package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(build(package, tmp_path)) as archive:
        names = set(archive.namelist())
        points = archive.read("acme_redact-0.1.0.dist-info/entry_points.txt").decode()
    assert {"acme_redact/__init__.py", "acme_redact/stage.py", "acme_redact/py.typed"} <= names
    assert {name.split("/")[0] for name in names} == {"acme_redact", "acme_redact-0.1.0.dist-info"}
    assert points.split() == ["[gatewright.stages]", "acme.redact", "=", "acme_redact:Redact"]


def test_it_is_written_as_we_write(environment: Environment, package: Path) -> None:
    rules = ("--isolated", "--no-cache", "--line-length", "120")
    run(sys.executable, "-m", "ruff", "check", *rules, "--select", "E,F,W,I,B,UP,SIM,RUF100,PT,C4", ".", cwd=package)
    run(sys.executable, "-m", "ruff", "format", "--check", *rules, ".", cwd=package)
    environment.run("python", "-m", "mypy", "--strict", "--cache-dir", "/dev/null", "src", "tests", cwd=package)
