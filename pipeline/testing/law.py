"""What a law is, and how one is tried on one example: by hand first, on real event loops where that is needed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.util import find_spec
from inspect import cleandoc
from typing import Any

import anyio

from pipeline.stage import StageSpec
from pipeline.testing.asking import Unfit
from pipeline.testing.drive import NeedsLoop, by_hand, needs_loop
from pipeline.testing.place import waiting
from pipeline.testing.scenario import Scenario
from pipeline.testing.subject import Subject
from pipeline.testing.watchdog import Blocked
from pipeline.testing.world import World

Check = Callable[[World], Awaitable[None]]
Spared = Callable[[StageSpec], str]
Strategy = Any

LOOPS = tuple(loop for loop in ("asyncio", "trio") if loop == "asyncio" or find_spec(loop) is not None)


class LawBroken(AssertionError):
    """A stage broke a law: which, where, and the example that shows it."""

    def __init__(self, law: Law, subject: Subject, scenario: Scenario, leg: str, reason: str) -> None:
        super().__init__(f"{law.id} {law.title}\n{subject.kind} breaks it {leg}: {reason}\nexample: {scenario!r}")
        self.law = law
        self.kind = subject.kind
        self.scenario = scenario
        self.leg = leg
        self.reason = reason


@dataclass(frozen=True)
class Law:
    """`text` is its paragraph in docs/laws.md. `scenarios` makes examples from a subject.

    `spared` says why a stage with that declaration has nothing to keep, "" where it has. `on_loops`: its examples run
    on the event loops too, always, because what it is about differs there.
    """

    id: str
    title: str
    text: str
    check: Check
    scenarios: Callable[[Subject], Strategy]
    spared: Spared
    on_loops: bool

    def __repr__(self) -> str:
        return self.id


def law(
    id: str,
    title: str,
    *,
    scenarios: Callable[[Subject], Strategy],
    spared: Spared = lambda spec: "",
    on_loops: bool = False,
) -> Callable[[Check], Law]:
    """Make a law of an async check, whose docstring is the law's text. It raises `AssertionError` with the reason."""
    return lambda check: Law(id, title, cleandoc(check.__doc__ or ""), check, scenarios, spared, on_loops)


def hold(law: Law, subject: Subject, scenario: Scenario) -> None:
    """Try one example. Raises `LawBroken`, or `Unfit` where the stage refuses the settings.

    What breaks by hand is tried on a loop before it is said: a stage may have taken the missing loop for something else
    and hidden it.
    """
    leg = "by hand"
    try:
        try:
            _by_hand(law, subject, scenario)
            if not law.on_loops:
                return
        except Exception:
            pass  # said again, and better, on the loops
        for loop in LOOPS:
            leg = f"on {loop}"
            anyio.run(_on_loop, law, subject, scenario, leg, backend=loop)
    except (Exception, Unfit, Blocked, KeyboardInterrupt):
        raise
    except BaseException as error:
        reason = f"it raised {type(error).__name__}: {error}, which ends the whole process"
        raise LawBroken(law, subject, scenario, leg, reason) from error


def _by_hand(law: Law, subject: Subject, scenario: Scenario) -> None:
    world = World(subject, scenario, by_hand=True)
    with world.host.capturing():
        attempt = by_hand(lambda: _checked(law, world))
    if attempt.error is not None:
        raise attempt.error
    if world.missed_loop or any("NoEventLoopError" in record for record in world.host.records):
        raise NeedsLoop("what it failed for was an event loop")


async def _on_loop(law: Law, subject: Subject, scenario: Scenario, leg: str) -> None:
    world = World(subject, scenario, by_hand=False)
    try:
        with world.host.capturing(), waiting(_checked(law, world)) as checked:
            await checked
    except AssertionError as error:
        raise LawBroken(law, subject, scenario, leg, str(error)) from error
    except NeedsLoop:
        raise
    except Exception as error:
        if needs_loop(error):
            raise
        raise LawBroken(law, subject, scenario, leg, f"it raised {type(error).__name__}: {error}") from error


async def _checked(law: Law, world: World) -> None:
    await law.check(world)
