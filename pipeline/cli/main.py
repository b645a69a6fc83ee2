"""The entry point: says what is missing instead of failing with a traceback when the extra is not installed."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from pipeline.cli.commands import gatewright
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.exit("the command line is an extra: pip install 'gatewright[cli,server]'")
    gatewright(prog_name="gatewright")


if __name__ == "__main__":
    main()
