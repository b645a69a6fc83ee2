"""Folding a list of stages into one handler, once, at build time.

The list reads in the order of the request. A stage listed after the terminal only sees the response, so
`[a, b, T, x, y]` folds to `a(b(y(x(T))))`: on the way up the order of the list goes on, T, x, y, b, a.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from pipeline.request import Request
from pipeline.response import Response
from pipeline.stage import Handler, Stage, spec_of


def compose(stages: Sequence[Stage], terminal: Handler | None = None) -> Handler:
    """The handler that runs `stages` around `terminal` (default: the one stage that never calls next).

    Plain closures, not async ones: a stage costs one call. Raises `ValueError` if there is not exactly one terminal.
    """
    outer, handler, inner = split(stages, terminal)
    for stage in inner:
        handler = _bind(stage, handler)
    for stage in reversed(outer):
        handler = _bind(stage, handler)
    return handler


def fold_order(stages: Sequence[Stage]) -> list[Stage]:
    """The stages from the outermost to the terminal, as they will be nested."""
    at = _terminal_index(stages)
    return [*stages[:at], *reversed(stages[at + 1 :]), stages[at]]


def split(stages: Sequence[Stage], terminal: Handler | None) -> tuple[Sequence[Stage], Handler, Sequence[Stage]]:
    """What stands before the terminal, the terminal as a handler, and what stands after it."""
    if terminal is not None:
        if any(spec_of(stage).terminal for stage in stages):
            raise ValueError("a terminal was passed, and one of the stages never calls next either")
        return stages, terminal, ()
    at = _terminal_index(stages)
    return stages[:at], _bind(stages[at], _nothing_follows), stages[at + 1 :]


def _terminal_index(stages: Sequence[Stage]) -> int:
    found = [index for index, stage in enumerate(stages) if spec_of(stage).terminal]
    if len(found) != 1:
        kinds = ", ".join(spec_of(stages[index]).kind for index in found) or "none"
        raise ValueError(f"a chain has exactly one stage that never calls next; this one has {kinds}")
    return found[0]


def _bind(stage: Stage, call_next: Handler) -> Handler:
    call = stage.__call__

    def handler(request: Request) -> Awaitable[Response]:
        return call(request, call_next)

    return handler


async def _nothing_follows(request: Request) -> Response:
    raise RuntimeError("a terminal stage called next, though it declares calls_next='never'")
