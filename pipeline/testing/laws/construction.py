"""L2: a config can be checked anywhere, because building a stage does nothing."""

from __future__ import annotations

from pipeline.testing.law import law
from pipeline.testing.laws.side_effects import Watch, left_since, what_is_left
from pipeline.testing.strategies import scenarios
from pipeline.testing.world import World

_WATCH = Watch()


@law(
    "L2",
    "Construction has no side effects",
    scenarios=scenarios,
    on_loops=True,
)
async def construction_is_quiet(world: World) -> None:
    """`gatewright check` builds every stage of a config, on any machine. So a constructor looks things up and computes,
    and leaves the rest to `start`: no connection, no process, no thread and no task, no file written or left open,
    nothing awaited or asked of an upstream, nothing logged.
    """
    world.build()  # what is imported on first use may write byte code
    with _WATCH as watch:
        world.build()
    assert not watch.seen, f"the constructor caused {', '.join(sorted(set(watch.seen)))}: do it in `start`"
    assert not world.points.passed, f"the constructor used {', '.join(world.points.passed)}"
    assert not world.upstream.calls, "the constructor called an upstream"
    assert not world.host.records, f"the constructor logged: {world.host.records[0]}"
    before = what_is_left()
    kept = [world.build()]
    if left_since(before):
        # Once may be somebody else in this process; twice is the constructor.
        before = what_is_left()
        kept.append(world.build())
        left = left_since(before)
        assert not left, f"the constructor left {', '.join(left)}: do it in `start`"
