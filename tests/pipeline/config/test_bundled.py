"""Where the shipped configs are, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import bundled, configs_dir, resolve


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `pipeline` package, and a working directory elsewhere."""
    folder = tmp_path / "site" / "pipeline"
    (folder / "_configs" / "bundles").mkdir(parents=True)
    (folder / "_configs" / "quickstart.yaml").touch()
    (tmp_path / "work").mkdir()
    monkeypatch.setattr(bundled, "_PACKAGE", folder)
    monkeypatch.chdir(tmp_path / "work")
    return folder


def test_an_installed_package_has_its_own(package: Path) -> None:
    assert configs_dir() == package / "_configs"


def test_a_checkout_is_preferred(package: Path) -> None:
    (package.parent / "configs" / "bundles").mkdir(parents=True)
    assert configs_dir() == package.parent / "configs"


def test_any_folder_called_configs_is_not_a_checkout(package: Path) -> None:
    (package.parent / "configs").mkdir()
    assert configs_dir() == package / "_configs"


def test_a_shipped_file_is_found_from_anywhere(package: Path) -> None:
    assert resolve("configs/quickstart.yaml") == package / "_configs" / "quickstart.yaml"


def test_a_file_that_exists_wins(package: Path) -> None:
    Path("configs").mkdir()
    Path("configs/quickstart.yaml").touch()
    assert resolve("configs/quickstart.yaml") == Path("configs/quickstart.yaml")


@pytest.mark.parametrize(
    "path", ["configs/none.yaml", "quickstart.yaml", "/configs/quickstart.yaml", "x/configs/quickstart.yaml"]
)
def test_any_other_path_comes_back_unchanged(package: Path, path: str) -> None:
    assert resolve(path) == Path(path)
