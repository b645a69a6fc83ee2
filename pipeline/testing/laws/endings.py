"""L8 and L9: however an exchange ends, its source is closed once and whoever waits for the end hears of it once."""

from __future__ import annotations

from functools import partial

from pipeline.response import Response
from pipeline.testing.law import law
from pipeline.testing.strategies import scenarios
from pipeline.testing.world import World

MOST_READS = 12


async def read_and_leave(world: World, response: Response, reads: int) -> bool:
    """Read up to `reads` events and close, twice, as a caller does who leaves. Says whether the end came before."""
    body = world.bind(response)
    ended = False
    try:
        for _ in range(reads):
            await anext(body)
    except StopAsyncIteration:
        ended = True
    except Exception:
        ended = True
    await body.aclose()
    await body.aclose()
    return ended


@law("L8", "The body is closed exactly once", scenarios=scenarios)
async def closed_once(world: World) -> None:
    """A source is a connection. It is released when the answer ends, when it fails, and when the caller leaves after
    any number of events or before the first; never twice, and it is not read afterwards. A generator that was never
    begun runs no `finally`: release in `on_close`.
    """
    for reads in range(MOST_READS):
        other = world.again()
        async with other.started() as stage:
            try:
                response = await other.call(stage, other.request(), other.next())
            except Exception:
                ended = True
            else:
                ended = await read_and_leave(other, response, reads)
        for source in other.sources:
            when = f"when the caller left after {reads} events"
            assert source.released, f"the source is still open {when}"
            assert source.closes <= 1, f"the source was closed {source.closes} times {when}"
            assert not source.asked_after_release, f"the source was read after it was closed {when}"
        if ended:
            return


@law(
    "L9",
    "on_end and on_close run exactly once, in order",
    scenarios=scenarios,
    spared=lambda spec: "a terminal has no body to pass on" if spec.terminal else "",
)
async def ends_in_order(world: World) -> None:
    """Limits are settled and places given back in these functions. Each runs exactly once, `on_end` from the outside
    in, then `on_close`, last attached first; a stage that makes a body of its own keeps that true for the one it wraps.
    They do not raise: nobody could answer for it any more.
    """
    for reads in range(MOST_READS):
        other = world.again()
        log: list[str] = []
        async with other.started() as stage:
            call_next = other.next()
            call_next.dressed = partial(_listening, log, "inner")
            with other.host.capturing():
                try:
                    response = await other.call(stage, other.request(), call_next)
                except Exception:
                    return
                received = call_next.responses[-1:]
                ended = await read_and_leave(other, _listening(log, "outer", response), reads)
        when = f"when the caller left after {reads} events"
        inner = ["inner end", "inner close"] if received else []
        if received and received[0].body is response.body:
            expected = ["outer end", "inner end", "outer close", "inner close"]
            assert log == expected, f"{when} came {log}, not {expected}"
        elif world.subject.spec.calls_next != "many":
            assert sorted(log) == sorted(["outer end", "outer close", *inner]), f"{when} came {log}"
        raised = [record for record in other.host.records if "raised while a body ended" in record]
        assert not raised, f"{raised[0]} {when}"
        if ended:
            return


def _listening(log: list[str], who: str, response: Response) -> Response:
    async def close() -> None:
        log.append(f"{who} close")

    response.body.on_end(lambda outcome: log.append(f"{who} end"))
    response.body.on_close(close)
    return response
