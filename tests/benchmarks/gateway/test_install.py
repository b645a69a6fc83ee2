"""An environment counts as installed only if it was finished with the pins of today, and one failure stops no other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gateway.install import install
from benchmarks.gateway.peers import environment
from benchmarks.gateway.peers.environment import Environment, megabytes


@pytest.fixture
def pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list that needs no network: it is empty but for a comment."""
    (tmp_path / "pinned").mkdir()
    monkeypatch.setattr(environment, "PINNED", tmp_path / "pinned")
    monkeypatch.setattr(environment, "BUILD", tmp_path / "build")
    pins = tmp_path / "pinned" / "it.txt"
    pins.write_text("# nothing\n")
    return pins


def test_it_is_installed_once_with_the_pins_it_has_then(pins: Path) -> None:
    it, rest = Environment("it"), []
    assert not it.installed()
    it.install(lambda: rest.append(it.installed()))
    assert it.installed()
    it.install(lambda: rest.append(True))
    assert rest == [False]  # not installed while it is not finished, and not made again when it is
    pins.write_text("# nothing else\n")
    assert not it.installed()


def test_it_is_an_environment_of_its_own_without_pip(pins: Path) -> None:
    it = Environment("it")
    it.install()
    code = "import sys, sysconfig; print(sys.prefix, sysconfig.get_path('purelib'), 'pytest' in sys.modules)"
    told = subprocess.run([it.python, "-I", "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert told == [str(it.folder), str(it.site_packages), "False"]
    assert not list(it.site_packages.glob("pip*"))


def test_a_file_beside_the_list_decides_too(pins: Path) -> None:
    also = pins.with_name("package.json")
    also.write_text("{}")
    Environment("it", (also,)).install()
    also.write_text('{"a": 1}')
    assert not Environment("it", (also,)).installed()


def test_one_that_was_cut_short_is_begun_anew(pins: Path) -> None:
    def fails() -> None:
        raise RuntimeError("no network")

    it, again = Environment("it"), []
    with pytest.raises(RuntimeError, match="no network"):
        it.install(fails)
    assert not it.installed()
    it.install(lambda: again.append(True))
    assert again


def test_a_list_without_hashes_installs_nothing(pins: Path) -> None:
    pins.write_text("surely-no-package==1.0\n")  # refused before it is looked for
    with pytest.raises(subprocess.CalledProcessError):
        Environment("it").install()
    assert not Environment("it").installed()


def test_the_version_of_a_package_is_that_of_the_list(pins: Path) -> None:
    pins.write_text("one-two==1.0 \\\n    --hash=sha256:00\ntwo==2.0 ; python_version < '4' \\\n    --hash=sha256:00\n")
    assert (Environment("it").pinned("one-two"), Environment("it").pinned("two")) == ("1.0", "2.0")
    with pytest.raises(LookupError, match="lists no one"):
        Environment("it").pinned("one")


def test_the_size_is_that_of_the_files_and_of_what_links_point_to_only_once(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(b"x" * 2_000_000)
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "file")
    (tmp_path / "again").symlink_to(tmp_path / "deep")
    assert megabytes(tmp_path) == 2.0


class Thing:
    def __init__(self, *, there: bool = False, fails: bool = False) -> None:
        self.there, self.fails = there, fails

    def installed(self) -> bool:
        return self.there

    def install(self) -> None:
        if self.fails:
            raise subprocess.CalledProcessError(1, "pip")
        assert not self.there
        self.there = True


def test_what_cannot_be_installed_is_told_and_keeps_nothing_else_from_it(capsys: pytest.CaptureFixture[str]) -> None:
    things = {"there": Thing(there=True), "broken": Thing(fails=True), "new": Thing(), "unasked": Thing()}
    assert not install(things, ["there", "broken", "new"])
    said = capsys.readouterr()
    assert said.out.splitlines() == ["bench-setup: broken", "bench-setup: new"]
    assert "broken could not be installed" in said.err
    assert (things["new"].there, things["unasked"].there) == (True, False)
    assert install(things, ["there", "new"])


def test_the_command_line_refuses_a_name_that_it_does_not_know() -> None:
    command = [sys.executable, "-m", "benchmarks.gateway.install", "nginy"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    assert (done.returncode, done.stderr.splitlines()[-1].endswith("nothing is called nginy")) == (2, True)
