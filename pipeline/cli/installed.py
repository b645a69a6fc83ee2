"""What is installed, for the commands that ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cli.fail import fail

if TYPE_CHECKING:
    from pipeline.registry import Registry


def installed() -> Registry:
    """Every kind there is; the process ends if that cannot be told."""
    from pipeline.registry import Registry

    try:
        return Registry.default()
    except Exception as error:  # an installed table is somebody else's module, and two may offer one kind
        fail(f"the installed kinds cannot be read: {type(error).__name__}: {error}")
