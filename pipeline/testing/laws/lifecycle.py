"""L15: starting and stopping, in any order."""

from __future__ import annotations

from typing import Any

import anyio

from pipeline.testing.law import law
from pipeline.testing.strategies import scenarios
from pipeline.testing.world import World

_ORDERS = (
    ("stop",),
    ("start", "stop", "stop"),
    ("start", "stop", "start", "stop"),
    ("start", "start", "stop"),
    ("stop", "start", "stop"),
)
_MOST_PLACES = 8


@law(
    "L15",
    "start and stop work in any order, twice, and half done",
    scenarios=scenarios,
    on_loops=True,
)
async def any_order(world: World) -> None:
    """A start that fails half-way stops what had started, a reload stops what never ran, a signal comes twice. So
    `stop` works before `start`, after half of it and after itself, a stopped stage starts again, and nothing is left
    running.
    """
    stage: Any = world.build()
    if not hasattr(stage, "start") and not hasattr(stage, "stop"):
        return
    for order in _ORDERS:
        other = world.again()
        stage = other.build()
        before = _tasks(world)
        for at, name in enumerate(order):
            step = getattr(stage, name, None)
            if step is None:
                continue
            try:
                await step()
            except Exception as error:
                said = " ".join(order[: at + 1])
                raise AssertionError(f"{said}: the last one raised {type(error).__name__}: {error}") from error
        left = _tasks(world) - before
        assert not left, f"after {' '.join(order)} is still running: {', '.join(sorted(left))}"
    await _half_started(world)


async def _half_started(world: World) -> None:
    for place in range(_MOST_PLACES):
        other = world.again()
        stage: Any = other.build()
        if not hasattr(stage, "start"):
            return
        attempt = await other.attempt(stage.start, cancel_at=place)
        if hasattr(stage, "stop"):
            try:
                await stage.stop()
            except Exception as error:
                raise AssertionError(f"stop after half a start raised {type(error).__name__}: {error}") from error
        if not attempt.delivered:
            return


def _tasks(world: World) -> set[str]:
    return set() if world.points.by_hand else {f"{task.name} {task.id}" for task in anyio.get_running_tasks()}
