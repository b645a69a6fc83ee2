"""`gatewright stages`: what is installed, and what each kind says about itself."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import click

from pipeline.cli.fail import fail
from pipeline.cli.installed import installed

if TYPE_CHECKING:
    from pipeline.registry import Registry, Row


@click.group()
def stages() -> None:
    """What may stand in a config: stages, dialects, transports and kinds of resources."""


@stages.command("list")
def list_kinds() -> None:
    """List every kind that is installed: its name, the distribution that offers it, and what it does.

    One that cannot be imported is listed with the reason, and does not hide the others.
    """
    registry = installed()
    names = max((len(row.kind) for row in registry), default=0)
    sources = max((len(row.source) for row in registry), default=0)
    for at, group in enumerate(registry.groups()):
        click.echo(f"\n{group}" if at else group)
        for row in sorted(registry, key=lambda row: row.kind):
            if row.group == group:
                said = _says(registry, row)
                click.echo(f"  {row.kind:{names}}  {row.source:{sources}}  {said}".rstrip())


@stages.command()
@click.argument("kind")
def show(kind: str) -> None:
    """Show what KIND does, promises and can be set to. Of all groups, if several have a kind of that name."""
    from pipeline.cli.kind_page import page
    from pipeline.config import nearest
    from pipeline.host import UnknownName
    from pipeline.reference.described import describe

    registry = installed()
    rows = [row for row in registry if row.kind == kind]
    if not rows:
        meant = nearest(kind, [row.kind for row in registry])
        fail(f"no installed distribution offers {kind!r}" + (f"; did you mean {meant!r}?" if meant else ""))
    try:
        found = [describe(row, registry.load(row.group, row.kind)) for row in rows]
    except UnknownName as error:
        fail(str(error))
    # Not wider than prose is read, on however wide a terminal.
    width = min(shutil.get_terminal_size((100, 40)).columns, 120)
    click.echo("\n\n".join(page(each, width) for each in found))


def _says(registry: Registry, row: Row) -> str:
    """The first sentence of its docstring."""
    from pipeline.host import UnknownName
    from pipeline.reference.wording import summary

    try:
        found = summary(registry.load(row.group, row.kind))
    except UnknownName as error:
        return str(error)
    return re.split(r"(?<=[.!?]) ", found, maxsplit=1)[0]
