"""What a law of a dialect is."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from inspect import cleandoc
from typing import Any

from pipeline.testing.dialects.examples import DialectExample
from pipeline.testing.dialects.subject import DialectSubject

Check = Callable[[DialectSubject, DialectExample], None]
Strategy = Any


class DialectLawBroken(AssertionError):
    """A dialect broke a law: which, how, and the example that shows it."""

    def __init__(self, law: DialectLaw, subject: DialectSubject, example: DialectExample, reason: str) -> None:
        super().__init__(f"{law.id} {law.title}\n{subject.kind} breaks it: {reason}\nexample: {example!r}")
        self.law = law
        self.scenario = example
        self.reason = reason
        self.leg = "by hand"


@dataclass(frozen=True)
class DialectLaw:
    """`text` is its paragraph in docs/laws.md. `examples` makes examples from a subject."""

    id: str
    title: str
    text: str
    check: Check
    examples: Callable[[DialectSubject], Strategy]

    def __repr__(self) -> str:
        return self.id


def law(id: str, title: str, *, examples: Callable[[DialectSubject], Strategy]) -> Callable[[Check], DialectLaw]:
    """Make a law of a check, whose docstring is the law's text. It raises `AssertionError` with the reason."""
    return lambda check: DialectLaw(id, title, cleandoc(check.__doc__ or ""), check, examples)


def hold(law: DialectLaw, subject: DialectSubject, example: DialectExample) -> None:
    """Try one example. Raises `DialectLawBroken`."""
    try:
        law.check(subject, example)
    except AssertionError as error:
        raise DialectLawBroken(law, subject, example, str(error) or _line(error)) from error
    except Exception as error:
        raise DialectLawBroken(law, subject, example, f"{type(error).__name__}: {error}, at {_line(error)}") from error


def _line(error: BaseException) -> str:
    """The innermost line, for a check of a conformance that says no more."""
    innermost = traceback.extract_tb(error.__traceback__)[-1]
    return f"{innermost.filename}:{innermost.lineno}: {innermost.line}"
