"""L13: when the events leave."""

from __future__ import annotations

from dataclasses import replace

from pipeline.testing.law import law
from pipeline.testing.laws.lines import line
from pipeline.testing.scenario import Answer
from pipeline.testing.strategies import neutrally_streamed
from pipeline.testing.world import World

_LINES = 40


@law(
    "L13",
    "The first event is out before the second is asked for",
    scenarios=neutrally_streamed,
    spared=lambda spec: "a terminal has no events to pass on" if spec.terminal else "",
)
async def first_out_first(world: World) -> None:
    """A caller waits for the first token, and then for each one more, so a stage neither reads a body before it returns
    the head nor holds events back. One that declares `expands` may keep a little, to look at more than one at a time:
    of an answer of forty lines at most twenty, at its beginning as later on.
    """
    expands = world.subject.spec.expands
    operation = world.scenario.ask.operation
    lines = tuple(line(operation, at) for at in range(_LINES))
    held, out, asked = 0, 0, 0
    async with world.started() as stage:
        call_next = world.next(Answer(operation, lines))
        ask = replace(world.scenario.ask, stream=True)
        try:
            response = await world.call(stage, world.request(ask), call_next)
        except Exception:
            return
        if not world.sources:
            await response.body.aclose()
            return
        source = world.sources[0]
        read_early = source.asked
        body = world.bind(response, ask)
        try:
            async for event in body:
                if not expands:
                    out += 1
                    held = max(held, source.handed_out - out)
                elif event.text:
                    held = max(held, source.handed_out - asked - 1)
                    asked = source.handed_out
        except Exception as error:
            world.failed(error)
            return
        finally:
            await body.aclose()
    assert not read_early, f"it read {read_early} pieces of the body before it returned the head"
    most = _LINES // 2 if expands else 0
    assert held <= most, f"while {held} pieces more were asked for, nothing came out"
