"""Finding phrases in text of which more may come."""

from __future__ import annotations

import re
from collections.abc import Sequence


class Phrases:
    """Replaces phrases: the first that begins wins, of those that begin at one place the longest.

    Where the text is cut must not show in the result. So nothing is decided while more text could decide otherwise:
    what is the beginning of a phrase is held back, also where a shorter phrase is complete in it already.
    """

    def __init__(self, phrases: Sequence[str], replacement: str) -> None:
        longest_first = sorted(set(phrases), key=len, reverse=True)
        self._find = re.compile("|".join(map(re.escape, longest_first)))
        self._beginnings = frozenset(phrase[:size] for phrase in phrases for size in range(1, len(phrase)))
        self._longest = len(longest_first[0]) - 1
        self._replacement = replacement

    def replace(self, text: str, *, last: bool = False) -> tuple[str, str]:
        """What can be said of `text`, and the rest of it that more text may change; `last`: no more will come."""
        said: list[str] = []
        at = 0
        while True:
            held = len(text) if last else self._held_from(text, at)
            found = self._find.search(text, at)
            if found is None or found.start() >= held:
                said.append(text[at:held])
                return "".join(said), text[held:]
            said += (text[at : found.start()], self._replacement)
            at = found.end()

    def _held_from(self, text: str, at: int) -> int:
        """The first place from which on the text is the beginning of a phrase."""
        for start in range(max(at, len(text) - self._longest), len(text)):
            if text[start:] in self._beginnings:
                return start
        return len(text)
