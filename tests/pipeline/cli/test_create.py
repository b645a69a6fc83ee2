"""`create stage` makes a whole package or nothing, and only under a name that will work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipeline import Registry, Row
from pipeline.cli import starter_package
from pipeline.cli.commands import gatewright
from pipeline.cli.starter_package import FILES, Refused, class_of, make

DIALECT = Row("dialect", "talk", "acme:Talk", "acme")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(gatewright, ["create", "stage", *map(str, arguments)])


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()
    }


def test_every_template_becomes_a_file_and_no_mark_is_left(tmp_path: Path) -> None:
    result = run("acme.max_messages", "--into", tmp_path / "new" / "folder")
    assert result.exit_code == 0, result.output
    package = tmp_path / "new" / "folder" / "acme-max-messages"
    assert str(package) in result.output
    made = contents(package)
    assert made.keys() == {
        *("pyproject.toml", "README.md", ".gitignore", "example.yaml", "tests/test_acme_max_messages.py"),
        *(f"src/acme_max_messages/{name}" for name in ("__init__.py", "stage.py", "py.typed")),
    }
    assert len(made) == len(FILES) + 1
    assert [name for name, text in made.items() if re.search(r"@[A-Z]+@", name + text)] == []
    assert '@stage("acme.max_messages")\nclass MaxMessages:' in made["src/acme_max_messages/stage.py"]
    assert '"acme.max_messages" = "acme_max_messages:MaxMessages"' in made["pyproject.toml"]


def test_it_is_made_here_unless_told_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("acme.redact").exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["acme-redact"]


@pytest.mark.parametrize("there", ["file", "folder", "dangling link"])
def test_nothing_is_overwritten(tmp_path: Path, there: str) -> None:
    target = tmp_path / "acme-redact"
    if there == "file":
        target.write_text("mine")
    elif there == "folder":
        target.mkdir()
    else:
        target.symlink_to(tmp_path / "nowhere")
    result = run("acme.redact", "--into", tmp_path)
    assert (result.exit_code, result.output) == (2, f"{target} exists already; nothing is overwritten\n")
    assert [*tmp_path.iterdir()] == [target]
    assert contents(tmp_path) == ({"acme-redact": "mine"} if there == "file" else {})


@pytest.mark.parametrize(
    "name",
    [
        *("redact", "acme.", ".redact", "Acme.redact", "acme.re-dact", "acme.re.dact", "acme.2x", "acme._x", ""),
        *("acme.x__y", "acme.x_", "../acme.x", "acme.x/y", "acme.x\n", "äcme.x"),
    ],
)
def test_a_name_that_would_not_work_is_refused(tmp_path: Path, name: str) -> None:
    result = run(name, "--into", tmp_path)
    assert result.exit_code == 2
    assert "is no name for a stage of a package: it is vendor.name" in result.output
    assert [*tmp_path.iterdir()] == []


def test_a_name_that_means_a_table_is_refused(tmp_path: Path) -> None:
    assert "'acme.table' would be read as a table of kinds" in run("acme.table", "--into", tmp_path).output


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    registry = Registry([DIALECT, Row("stage", "acme.redact", "a:b", "rival"), Row("keys", "acme.free", "a:b")])
    with pytest.raises(Refused, match=r"'acme.redact' is offered by rival, which is installed"):
        make("acme.redact", tmp_path, registry)
    assert "there is a module pydantic_core already" in run("pydantic.core", "--into", tmp_path).output
    assert [*tmp_path.iterdir()] == []
    assert make("acme.free", tmp_path, registry).is_dir()


def test_a_failure_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starter_package, "FILES", {**FILES, "no-such.in": "x"})
    result = run("acme.redact", "--into", tmp_path)
    assert result.exit_code == 2
    assert result.output.startswith("the package cannot be written: ")
    assert [*tmp_path.iterdir()] == []


def test_without_a_dialect_there_is_nothing_to_try_it_with(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no dialect is installed"):
        make("acme.redact", tmp_path, Registry())
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("acme.redact", "Redact"),
        ("acme.max_2_words", "Max2Words"),
        ("acme.none", "NoneStage"),
        ("acme.handler", "HandlerStage"),
        ("acme.field", "FieldStage"),
        ("acme.exception", "ExceptionStage"),
    ],
)
def test_the_class_hides_no_other_name(kind: str, name: str, tmp_path: Path) -> None:
    assert class_of(kind) == name
    module = kind.replace(".", "_")
    source = make(kind, tmp_path, Registry([DIALECT])) / "src" / module / "stage.py"
    names: dict[str, object] = {"__name__": module}
    exec(compile(source.read_text("utf-8"), str(source), "exec"), names)
    assert getattr(names[name], "spec").kind == kind  # noqa: B009  # set by the decorator, which types do not show
