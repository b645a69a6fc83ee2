"""`gatewright create`: a package to begin with."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from pipeline.cli.fail import fail
from pipeline.cli.installed import installed


@click.group()
def create() -> None:
    """Begin something of your own."""


@create.command("stage")
@click.argument("name")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Where to put the package's folder [default: here].",
)
def create_stage(name: str, into: Path) -> None:
    """Write a package with the stage NAME, such as acme.redact: it installs and passes its own tests as it is."""
    from pipeline.cli.starter_package import Refused, make

    try:
        folder = make(name, into, installed())
    except Refused as error:
        fail(str(error))
    except OSError as error:
        fail(f"the package cannot be written: {error}")
    click.echo(f"{folder} is a package with the stage {name}. To try it:")
    click.echo(f"  cd {shlex.quote(str(folder))} && pip install --editable '.[test]' && pytest")
