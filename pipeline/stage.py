"""What a stage is, and what it declares about itself.

A stage is an async callable `(request, call_next) -> response`. It reads from top to bottom: what comes before
`await call_next(request)` happens on the way down, what comes after on the way up, and `try`/`finally` means what it
says. There is no base class. The decorator `@stage` only attaches a `StageSpec`: from it come the start-up proofs,
the reference documentation and the conformance tests.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from pipeline.request import Request
from pipeline.response import Response
from pipeline.slots import Slot

Handler = Callable[[Request], Awaitable[Response]]
CallsNext = Literal["never", "once", "at_most_once", "many"]

C = TypeVar("C", bound=type)


class Stage(Protocol):
    """The shape of a stage. `call_next` may be replaced by any handler, which is how a stage is tested."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response: ...


class StageSettings(BaseModel):
    """The settings of a stage or resource: frozen, unknown keys refused, every field with a description."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class StageSpec:
    """What a stage declares.

    `reads` and `writes` are request slots (down); `response_reads` and `response_writes` response slots (up). What it
    reads must have been written; `may_read` is what it looks at with `slots.get` and can do without.
    `calls_next` is a promise that tests hold it to: `never` makes it a terminal, `many` allows retries.
    `expands` says that it may turn one event into several, breaking the one-to-one law on purpose.
    """

    kind: str
    reads: frozenset[Slot[Any]] = frozenset()
    writes: frozenset[Slot[Any]] = frozenset()
    response_reads: frozenset[Slot[Any]] = frozenset()
    response_writes: frozenset[Slot[Any]] = frozenset()
    calls_next: CallsNext = "once"
    expands: bool = False
    may_read: frozenset[Slot[Any]] = frozenset()

    @property
    def terminal(self) -> bool:
        return self.calls_next == "never"


def stage(
    kind: str,
    *,
    reads: Iterable[Slot[Any]] = (),
    writes: Iterable[Slot[Any]] = (),
    response_reads: Iterable[Slot[Any]] = (),
    response_writes: Iterable[Slot[Any]] = (),
    calls_next: CallsNext = "once",
    expands: bool = False,
    may_read: Iterable[Slot[Any]] = (),
) -> Callable[[C], C]:
    """Declare a class to be the stage `kind` (third parties: `vendor.name`). Attaches `spec`; changes nothing else.

    The class has a nested `Settings(StageSettings)` and is built as `cls(settings, host)`. It may have `async start()`
    and `async stop()`, which the pipeline calls from the terminal outwards and in reverse.
    """
    spec = StageSpec(
        kind,
        frozenset(reads),
        frozenset(writes),
        frozenset(response_reads),
        frozenset(response_writes),
        calls_next,
        expands,
        frozenset(may_read),
    )

    def declare(cls: C) -> C:
        cls.spec = spec  # type: ignore[attr-defined]  # the attribute is what the decorator is for
        return cls

    return declare


def spec_of(stage: object) -> StageSpec:
    """The spec of a stage; a plain function, as tests use, gets one that claims nothing."""
    spec = getattr(stage, "spec", None)
    if isinstance(spec, StageSpec):
        return spec
    return StageSpec(getattr(stage, "__name__", type(stage).__name__))
