"""What a translation between dialects loses or changes, and whether it may.

A gateway that drops a field without a word lets its caller believe that it counted. So each loss is refused, reported
or harmless: the tables of the dialects say which, and a config may be stricter or laxer, for all fields or for one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from pipeline.errors import InvalidRequest

_INDEX = re.compile(r"\[\d+\]")
_MOST_NAMED = 20


class IfLost(Enum):
    """`REJECT`: 400, naming the field. `WARN`: go on and report it. `DROP`: a hint whose loss changes no answer."""

    REJECT = "error"
    WARN = "warn"
    DROP = "ignore"


@dataclass(frozen=True, slots=True)
class TranslationRules:
    """What a config says of translation.

    `unsupported` replaces what the tables say for all that they reject or report; None keeps it. `fields` does so for
    single fields, hints included, named as callers write them: `logit_bias`, `options.top_k`, `messages[].name`.
    `emulate` names what the gateway may imitate where the model server cannot do it.
    """

    unsupported: IfLost | None = None
    fields: Mapping[str, IfLost] = field(default_factory=dict)
    emulate: frozenset[str] = frozenset()


class Losses:
    """The losses of one translation, reported by the reader and the writer as they meet them."""

    def __init__(self, rules: TranslationRules | None = None) -> None:
        self._rules = rules if rules is not None else TranslationRules()
        self.dropped: list[str] = []
        self.changed: list[str] = []

    def emulates(self, what: str) -> bool:
        return what in self._rules.emulate

    def drop(
        self, path: str, if_lost: IfLost, message: str | None = None, *, code: str = "unsupported_parameter"
    ) -> None:
        """The field at `path` will not reach the model server. Raises `InvalidRequest` where that is not allowed."""
        decided = self._decide(path, if_lost)
        if decided is IfLost.REJECT:
            raise InvalidRequest(message or f"`{path}` is not supported by the model server.", param=path, code=code)
        if decided is IfLost.WARN and path not in self.dropped:
            self.dropped.append(path)

    def change(self, path: str, message: str | None = None) -> None:
        """The field at `path` reaches the model server as something else than it says; otherwise like `drop`."""
        decided = self._decide(path, IfLost.WARN)
        if decided is IfLost.REJECT:
            raise InvalidRequest(
                message or f"`{path}` cannot be passed on as it is.", param=path, code="unsupported_value"
            )
        if decided is IfLost.WARN and path not in self.changed:
            self.changed.append(path)

    def _decide(self, path: str, if_lost: IfLost) -> IfLost:
        rules = self._rules
        if rules.fields:
            general = _INDEX.sub("[]", path)
            for name in (general, re.split(r"[.\[]", general, maxsplit=1)[0]):
                if name in rules.fields:
                    return rules.fields[name]
        if rules.unsupported is None or if_lost is IfLost.DROP:
            return if_lost
        return rules.unsupported

    def header(self) -> str | None:
        """All of them for a response header, `verbosity, seed;changed`; None if nothing was lost.

        Paths hold the caller's own keys, so what is not printable ASCII is replaced, and a long list is cut.
        """
        named = [*self.dropped, *(f"{path};changed" for path in self.changed)]
        if not named:
            return None
        more = ["..."] if len(named) > _MOST_NAMED else []
        return ", ".join([*map(_printable, named[:_MOST_NAMED]), *more])


def _printable(path: str) -> str:
    return re.sub(r"[^!-+\--~]", "?", path[:80])
