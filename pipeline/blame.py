"""Which line of the config a constructor's complaint is about."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config import Mark, Node, Problem, dotted, find, nearest
from pipeline.host import SettingsError, UnknownName

Loc = tuple[str | int, ...]


def problem_of(error: Exception, settings: Node, mark: Mark, path: str) -> Problem:
    """The error as a problem at the value that it names, or at `mark` where that cannot be told.

    A constructor of somebody else's may fail in any way: that is a problem of this line, not a crash of the loader.
    """
    if isinstance(error, UnknownName):
        loc = next(_places(settings, error.name), None)
        hint = nearest(error.name, error.available)
        return Problem(error.code, find(settings, loc) if loc else mark, dotted(loc or (), path), str(error), hint)
    if not isinstance(error, SettingsError):
        return Problem("unloadable", mark, path, f"cannot be built: {type(error).__name__}: {error}")
    if error.field is None:
        return Problem("unusable", mark, path, str(error))
    known = isinstance(settings.value, dict) and error.field in settings.value
    where = find(settings, (error.field,)) if known else mark
    return Problem("unusable", where, dotted((error.field,), path), str(error))


def _places(node: Node, text: str, loc: Loc = ()) -> Iterator[Loc]:
    """Where in the tree a scalar says `text`."""
    match node.value:
        case dict() as entries:
            for key, child in entries.items():
                yield from _places(child, text, (*loc, key))
        case list() as items:
            for at, item in enumerate(items):
                yield from _places(item, text, (*loc, at))
        case value if value == text:
            yield loc
