"""One example as the laws see it: how the stage is set up, what is asked of it, and what is answered from further in.

Plain values without behaviour, so that Hypothesis can make and shrink them and a failure can print them: what stands at
its default is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

from pipeline.events import Data

Trouble = Literal["refused", "status", "bug", "reset", "cut", "silent", "reported", "crash"]
HEAD_TROUBLES: tuple[Trouble, ...] = ("refused", "status", "bug")
BODY_TROUBLES: tuple[Trouble, ...] = ("reset", "cut", "silent", "reported", "crash")


class ShowsWhatMatters:
    """For dataclasses of examples: a repr without the fields that stand at their defaults."""

    def __repr__(self) -> str:
        shown = []
        for each in fields(self):  # type: ignore[arg-type]  # mixed into dataclasses only
            value = getattr(self, each.name)
            default = each.default_factory() if callable(each.default_factory) else each.default
            if value != default:
                shown.append(f"{each.name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


@dataclass(frozen=True, repr=False)
class Ask(ShowsWhatMatters):
    """What the caller asks. `key` is what it presents; `scopes` are those of the principal, where one is known."""

    operation: str = "chat"
    dialect: str = ""
    stream: bool = True
    payload: Data = field(default_factory=dict)
    key: str | None = None
    scopes: frozenset[str] = frozenset()
    slots: tuple[tuple[Any, Any], ...] = ()


@dataclass(frozen=True, repr=False)
class Fault(ShowsWhatMatters):
    """What goes wrong, and when.

    Before the head: `refused` (a typed error), `status` (an error answer), `bug` (an untyped exception). In the body,
    after `at` pieces: `reset` (typed), `silent` (a stall, then a typed error), `crash` (untyped), `reported` (by the
    upstream, in its protocol); `cut`: the bytes end at byte `at` without an end marker.
    """

    what: Trouble
    at: int = 0

    @property
    def in_head(self) -> bool:
        return self.what in HEAD_TROUBLES


@dataclass(frozen=True, repr=False)
class Answer(ShowsWhatMatters):
    """What comes from further in.

    Neutral events, or with a `dialect` the items of its protocol, written as bytes and read in pieces that are cut
    before the bytes `cuts`.
    """

    operation: str = "chat"
    items: tuple[Data, ...] = ()
    dialect: str = ""
    cuts: tuple[int, ...] = ()
    fault: Fault | None = None


@dataclass(frozen=True, repr=False)
class Scenario(ShowsWhatMatters):
    """`settings` are of the stage's own class; `seed` is that of the host's randomness."""

    settings: Any
    ask: Ask
    answer: Answer
    seed: int = 0

    def lines(self) -> list[str]:
        """For people: each part on a line, and each item of the answer."""
        lines = [f"settings  {self.settings!r}", f"ask       {self.ask!r}"]
        if self.answer.items:
            lines.append(f"answer    {replace(self.answer, items=())!r}, saying")
            lines += [f"    {item}" for item in self.answer.items]
        return lines
