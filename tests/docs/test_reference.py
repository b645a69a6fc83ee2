"""The reference says what the code says: generated tables are fresh, every problem code, log field and option is there.

Found in the source and not by running it, so that a code or field which is rarely seen is documented all the same.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from docs.generate_reference import PAGES, TABLES, pages, render
from pipeline import GatewayError, Pipeline
from pipeline.cli.commands import gatewright
from pipeline.host import UnknownName
from stages import TABLE
from tests.docs.blocks import ROOT
from tests.docs.page_session import ENVIRONMENT

T = TypeVar("T")

SOURCES = [path for top in ("pipeline", "stages") for path in sorted((ROOT / top).rglob("*.py"))]
EXAMPLES = sorted((ROOT / "configs").glob("*.yaml")) + sorted((ROOT / "configs" / "examples").glob("*.yaml"))
REPORTERS = {"Problem", "report", "_report", "_stop", "_problem"}


def rows(page: str, heading: str) -> list[str]:
    """What the first column of the tables below a heading says, without backquotes; one cell may name several."""
    section = re.split(rf"^## {heading}$", (PAGES / page).read_text("utf-8"), flags=re.MULTILINE)[1]
    section = re.split(r"^## ", section, flags=re.MULTILINE)[0]
    cells = re.findall(r"^\| ((?:`[^`]+`(?:, )?)+) \|", section, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def nodes() -> Iterator[ast.AST]:
    for path in SOURCES:
        yield from ast.walk(ast.parse(path.read_text("utf-8")))


def below(cls: type[T]) -> Iterator[type[T]]:
    """The classes under `cls`."""
    for child in cls.__subclasses__():
        yield child
        yield from below(child)


def called(node: ast.AST) -> str:
    """The name of the function that `node` calls, or ""."""
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def text_of(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def problem_codes() -> set[str]:
    """The first text given to whatever reports a problem, and the codes that exceptions are reported as."""
    found = {error.code for error in below(UnknownName)} | {UnknownName.code}
    for node in nodes():
        if isinstance(node, ast.Call) and called(node) in REPORTERS and node.args:
            code = text_of(node.args[0])
            if code is not None:
                found.add(code)
    return found


def log_fields() -> set[str]:
    """Names given to `note`, and keys put into a dict that is called `facts`."""
    found: set[str] = set()
    for node in nodes():
        if isinstance(node, ast.Call) and called(node) == "note":
            found |= {keyword.arg for keyword in node.keywords if keyword.arg}
        elif isinstance(node, ast.Call) and called(node) == "setdefault" and "facts" in ast.unparse(node.func):
            found |= {text for argument in node.args[:1] if (text := text_of(argument))}
        elif isinstance(node, ast.Subscript) and "facts" in ast.unparse(node.value):
            found |= {text for text in (text_of(node.slice),) if text}
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Dict):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            keys = node.value.keys if "facts" in ast.unparse(target) else []
            found |= {text for key in keys if key is not None and (text := text_of(key))}
    return found


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_generated_tables_are_fresh(page: Path) -> None:
    text = page.read_text("utf-8")
    assert render(text) == text, "run: python -m docs.generate_reference"


def test_every_table_is_on_some_page() -> None:
    written = [
        name for page in pages() for name in re.findall(r"<!-- generated: ([\w-]+) -->", page.read_text("utf-8"))
    ]
    assert set(written) == set(TABLES)


def test_a_stale_table_is_noticed() -> None:
    stale = "before\n<!-- generated: process -->\nold\n<!-- end generated -->\nafter\n"
    fresh = render(stale)
    assert "old" not in fresh
    assert "GATEWRIGHT_PORT" in fresh
    assert fresh.startswith("before\n")
    assert fresh.endswith("-->\nafter\n")
    assert render(fresh) == fresh


def test_every_problem_code_is_documented_once() -> None:
    assert sorted(rows("configuration.md", "Problem codes")) == sorted(problem_codes())


def test_every_field_of_the_access_line_is_documented_once() -> None:
    assert sorted(rows("operations.md", "The access line")) == sorted(log_fields())


def test_the_readme_tells_what_exists_and_what_does_not() -> None:
    """A stage that is added must leave the list of what is to come, and one that is promised must not exist yet."""
    section = (ROOT / "README.md").read_text("utf-8").split("## What exists")[1].split("\n## ")[0]
    exists, to_come = section.split("Still to come")
    kinds = {row.kind for row in TABLE if row.group in ("stage", "dialect")}
    stages = next(line for line in exists.splitlines() if line.startswith("- the stages"))
    assert set(re.findall(r"`(\w+)`", stages)) == {row.kind for row in TABLE if row.group == "stage"}
    assert {"rate_limit", "attempt", "ollama"} - kinds == set(re.findall(r"`(\w+)`", to_come))


def test_every_command_is_documented() -> None:
    text = (PAGES / "operations.md").read_text("utf-8")
    assert [name for name in gatewright.commands if f"gatewright {name}" not in text] == []


def test_every_file_of_the_engine_and_of_the_stages_is_on_the_map() -> None:
    """The architecture page names it, or a folder inside the package that holds it."""
    text = (PAGES / "architecture.md").read_text("utf-8")
    paths = [path.relative_to(ROOT) for path in SOURCES if path.name != "__init__.py"]
    folders = {path: [f"`{folder.as_posix()}/`" for folder in path.parents[:-2]] for path in paths}
    missing = [path for path in paths if f"`{path.as_posix()}`" not in text]
    assert [path.as_posix() for path in missing if not any(folder in text for folder in folders[path])] == []


def test_the_error_tree_is_the_one_in_the_code() -> None:
    text = (PAGES / "architecture.md").read_text("utf-8")

    names = {cls.__name__ for cls in below(GatewayError) if cls.__module__ == "pipeline.errors"}
    tree = text.split("## Errors")[1].split("\n## ")[0]
    assert set(re.findall(r"── (\w+)", tree)) == names


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_example_config_builds(path: Path) -> None:
    assert Pipeline.from_config(path, environ=ENVIRONMENT).gateways
