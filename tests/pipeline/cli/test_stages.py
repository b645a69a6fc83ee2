"""`stages list` and `stages show`: everything that is installed, also where one of the kinds is broken."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from click.testing import CliRunner, Result
from pydantic import Field

from pipeline import Registry, Row, StageSettings, stage
from pipeline.cli.commands import gatewright
from pipeline.registry import DuplicateKind

HERE = "tests.pipeline.cli.test_stages"
LONG = "What may not be said, which is told at such length that it cannot stand on one line of any terminal here."


class Word(StageSettings):
    """A word."""

    text: str = Field(description="The word.")


@stage("acme.redact", expands=True)
class Redact:
    """Cut words out of answers. Of streams too.

    Works across events.
    """

    class Settings(StageSettings):
        words: list[Word] = Field(default=[], description=LONG)


@stage("acme.plain")
class Plain:
    """Does little."""

    class Settings(StageSettings):
        pass


ROWS = (
    Row("stage", "acme.redact", f"{HERE}:Redact", "acme-redact"),
    Row("stage", "acme.ghost", "no_such_module:Ghost", "acme"),
    Row("stage", "both", f"{HERE}:Plain", "acme"),
    Row("keys", "both", f"{HERE}:Word", "acme"),
)


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Registry, "default", lambda: Registry(ROWS))
    monkeypatch.setenv("COLUMNS", "80")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(gatewright, ["stages", *arguments])


def test_list_says_of_every_kind_where_it_is_from_and_what_it_does() -> None:
    result = run("list")
    assert result.exit_code == 0
    assert result.output == (
        "keys\n"
        "  both         acme         A word.\n"
        "\n"
        "stage\n"
        "  acme.ghost   acme         stage 'acme.ghost' cannot be loaded: ModuleNotFoundError: "
        "No module named 'no_such_module'\n"
        "  acme.redact  acme-redact  Cut words out of answers.\n"
        "  both         acme         Does little.\n"
    )


def test_show_says_all_there_is_to_say() -> None:
    result = run("show", "acme.redact")
    assert result.exit_code == 0
    assert result.output == (
        f"stage acme.redact, from acme-redact ({HERE}:Redact)\n"
        "\n"
        "Cut words out of answers. Of streams too.\n"
        "\n"
        "Works across events.\n"
        "\n"
        "Calls next: once.\n"
        "May turn one event into several.\n"
        "\n"
        "setting  type          default  what it is\n"
        "words    list of Word  []       What may not be said, which is told at such\n"
        "                                length that it cannot stand on one line of any\n"
        "                                terminal here.\n"
        "\n"
        "Each Word: A word.\n"
        "\n"
        "setting  type  default   what it is\n"
        "text     text  required  The word.\n"
    )


def test_show_shows_a_name_in_every_group_that_has_it() -> None:
    output = run("show", "both").output
    assert [line.split(",")[0] for line in output.splitlines() if ", from acme" in line] == ["stage both", "keys both"]
    assert "No settings." in output


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("acme.redakt", "no installed distribution offers 'acme.redakt'; did you mean 'acme.redact'?\n"),
        ("zzz", "no installed distribution offers 'zzz'\n"),
        ("acme.ghost", "stage 'acme.ghost' cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'\n"),
    ],
)
def test_show_says_why_it_cannot(kind: str, said: str) -> None:
    result = run("show", kind)
    assert (result.exit_code, result.output) == (2, said)


@pytest.mark.parametrize("error", [DuplicateKind("stage 'x' is offered by a and by b"), ImportError("no table")])
@pytest.mark.parametrize("command", [("list",), ("show", "both")])
def test_what_cannot_be_read_at_all_is_one_line(
    monkeypatch: pytest.MonkeyPatch, command: Iterable[str], error: Exception
) -> None:
    def broken() -> Registry:
        raise error

    monkeypatch.setattr(Registry, "default", broken)
    result = run(*command)
    assert (result.exit_code, result.output) == (
        2,
        f"the installed kinds cannot be read: {type(error).__name__}: {error}\n",
    )
