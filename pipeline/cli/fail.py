"""How a command ends that cannot do what it was asked: the reason on standard error, and exit code 2."""

from __future__ import annotations

import sys
from typing import NoReturn

import click


def fail(message: str) -> NoReturn:
    """Say why, and end the process."""
    click.echo(message, err=True)
    sys.exit(2)
