"""Where the configs that come with the project are: `configs/` in a checkout, `_configs` inside an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_PREFIX = "configs"


def configs_dir() -> Path:
    """The directory holding `bundles/` and the example configs; a checkout's own wins, so that edits there count.

    It is recognised by its `bundles`, since anything may be called `configs` next to an installed package.
    """
    checkout = _PACKAGE.parent / _PREFIX
    return checkout if (checkout / "bundles").is_dir() else _PACKAGE / "_configs"


def resolve(path: Path | str) -> Path:
    """`path` itself if it exists, else the shipped file it names: `configs/quickstart.yaml` works from anywhere.

    A path that is neither comes back unchanged, so that the message about it shows what was asked for.
    """
    path = Path(path)
    if path.exists() or path.is_absolute() or path.parts[:1] != (_PREFIX,):
        return path
    shipped = configs_dir().joinpath(*path.parts[1:])
    return shipped if shipped.exists() else path
