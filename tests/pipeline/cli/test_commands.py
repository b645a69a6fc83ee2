"""The command line: problems with their places, keys that the config accepts, and a word for what is not installed."""

from __future__ import annotations

import sys
from hashlib import sha256
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline.cli.commands import gatewright
from pipeline.cli.main import main


def run(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(gatewright, arguments, env=environment)


def test_check_prints_each_chain(tmp_path: Path) -> None:
    result = run("check", "configs/echo.yaml")
    assert (result.exit_code, result.output) == (0, "echo: openai at /v1: auth -> answer_back -> answer\n")


def test_check_prints_every_problem_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("version: 1\ngateways:\n  a: {dialect: x, mount: /v1, chain: [ekko]}\n")
    result = run("check", str(path))
    assert result.exit_code == 2
    assert [line.split(" ")[0] for line in result.output.splitlines()] == [f"{path}:3:16", f"{path}:3:39"]


def test_a_key_is_accepted_by_the_line_it_is_printed_with() -> None:
    said = run("key", "bob").output.splitlines()
    key = said[0].rpartition(": ")[2]
    assert key.startswith("gw-bob-")
    assert len(key) == len("gw-bob-") + 43
    assert said[1] == f"config: {{id: bob, sha256: {sha256(key.encode()).hexdigest()}}}"
    assert run("key", "bob").output != "\n".join(said)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"GATEWRIGHT_PROT": "1"}, "did you mean GATEWRIGHT_PORT?"),
        ({"GATEWRIGHT_PORT": "99999"}, "GATEWRIGHT_PORT: "),
    ],
)
def test_a_process_setting_that_cannot_be_is_refused(environment: dict[str, str], said: str) -> None:
    result = run("serve", "configs/echo.yaml", **environment)
    assert result.exit_code == 2
    assert said in result.output


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "click", None)
    monkeypatch.delitem(sys.modules, "pipeline.cli.commands")
    with pytest.raises(SystemExit, match=r"gatewright\[cli,server\]"):
        main()


def test_another_missing_module_is_not_taken_for_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pipeline.cli.commands", None)
    with pytest.raises(ModuleNotFoundError):
        main()
