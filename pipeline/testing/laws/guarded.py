"""What the guards of `compose_strict` see of one exchange; several laws ask about it, each by its own rule."""

from __future__ import annotations

from pipeline.strict import Guard, StageFault
from pipeline.testing.world import Next, World


async def fault_of(world: World) -> tuple[StageFault | None, Next]:
    """The rule that the stage broke in one whole exchange, if any, and what it called next."""
    async with world.started() as stage:
        call_next = world.next()
        try:
            response = await Guard(stage, call_next)(world.request())
        except StageFault as fault:
            for response in call_next.responses:
                await response.body.aclose()
            return fault, call_next
        except Exception as error:
            world.failed(error)
            return None, call_next
        await world.read(world.bind(response))
        return None, call_next
