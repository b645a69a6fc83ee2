"""What is wrong with a config, as values: where, what, and what was probably meant.

A code is stable: tests, editors and CI match on it, never on the message.

    files       file-missing file-unreadable file-encoding file-suffix too-large too-deep syntax
    yaml        duplicate-key non-string-key merge-key explicit-tag many-documents recursive-alias alias-limit
    references  reference-syntax unknown-scheme unset-variable empty-variable unreadable-file empty-file
    parameters  unknown-parameter parameter-cycle not-interpolable
    shape       unknown-key missing wrong-type invalid-value invalid-name invalid-mount unsupported-version conflict
                one-key duplicate-stage unknown-stage unknown-edit unknown-bundle

The builder adds codes of its own for what only it can know (an unknown stage kind, a mount taken twice).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.config.tree import Mark, SecretText


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to fix: `file:line:column path: message (did you mean 'x'?)`.

    `message` never quotes a value that came from the environment or from a referenced file.
    """

    code: str
    mark: Mark
    path: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        where = f"{self.mark} {self.path}" if self.path else str(self.mark)
        meant = f" (did you mean {self.hint!r}?)" if self.hint else ""
        return f"{where}: {self.message}{meant}"


class ConfigError(Exception):
    """A config cannot be used. Carries every problem found, so one edit can fix them all.

    The same fault can be met twice (two gateways may use one broken bundle); it is listed once.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(dict.fromkeys(problems), key=_reading_order))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """The candidate a misspelt `name` most likely meant, or None when nothing that may be shown is close enough."""
    shown = [candidate for candidate in candidates if not isinstance(candidate, SecretText)]
    matches = difflib.get_close_matches(name, shown, n=1)
    return matches[0] if matches else None


def _reading_order(problem: Problem) -> tuple[str, int, int]:
    mark = problem.mark
    return mark.file, mark.line or 0, mark.column or 0
