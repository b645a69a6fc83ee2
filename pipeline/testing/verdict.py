"""What one law says of one stage, dialect or config, as plain values that go from process to process.

Nothing of the kit is imported here: pytest's own process needs no more than this.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

SMALLEST = "The smallest example found:"
LAST = "The last example, which may not be the smallest:"
Outcome = Literal["kept", "spared", "broken", "stopped"]


@dataclass(frozen=True)
class Case:
    """One law (`id`, `title`, `text`) and the stage kind, dialect or config file that is held to it.

    `expected` says why it is known to be broken, "" where it is not.
    """

    on: Literal["stage", "dialect", "config"]
    name: str
    id: str
    title: str
    text: str
    expected: str = ""

    @property
    def kind(self) -> str:
        """As the file of known failures and a test's name have it."""
        return PurePath(self.name).name if self.on == "config" else self.name

    def tell(self, what: str, *, profile: str, seed: int, example: Sequence[str] = (), called: str = SMALLEST) -> str:
        """What a reader needs: the law, what happened, the example, how to see it again."""
        text = [f"    {line}" for line in self.text.splitlines()]
        shown = [called, *(f"    {line}" for line in example), ""] if example else []
        name = shlex.quote(self.name)
        command = f"pytest --gatewright-{self.on} {name} --gatewright-law {self.id} --gatewright-seed {seed}"
        # The first thirty examples are not the same in a longer search.
        command += "" if profile == "ci" else f" --gatewright-profile {profile}"
        return "\n".join([f"{self.id}  {self.title}", *text, "", what, "", *shown, f"Again: {command}"])


@dataclass(frozen=True)
class Verdict:
    """`broken`: `text` tells it. `spared`: it says why. `stopped`: broken, and nothing more can be tried on this kind.

    `warnings` are text, category, file and line of what was warned of on the way, each once.
    """

    outcome: Outcome
    text: str = ""
    warnings: tuple[tuple[str, str, str, int], ...] = ()


class Unusable(ValueError):
    """What was asked for does not exist: a kind, a law, a line of the file of known failures."""
