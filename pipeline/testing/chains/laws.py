"""What every gateway keeps, whatever its config puts into it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from inspect import cleandoc

from pipeline.errors import GatewayError, InternalError
from pipeline.testing.asking import STREAMED
from pipeline.testing.chains.world import ChainScenario, ChainWorld, Config
from pipeline.testing.drive import on_loop

MOST_PLACES = 40
_MOST_BYTES = 5000
_FEW = 3
_BUGS = ("bug", "crash")
Check = Callable[["Again"], Awaitable[None]]


@dataclass(frozen=True)
class Again:
    """One example, as often as a law needs it: each `world()` is built anew."""

    config: Config
    scenario: ChainScenario

    def world(self) -> ChainWorld:
        return ChainWorld(self.config, self.scenario)


@dataclass(frozen=True)
class ChainLaw:
    """`text` is its paragraph in docs/laws.md. `healthy`: tried where nothing goes wrong."""

    id: str
    title: str
    text: str
    check: Check
    healthy: bool

    def __repr__(self) -> str:
        return self.id


def _law(id: str, title: str, *, healthy: bool = False) -> Callable[[Check], ChainLaw]:
    return lambda check: ChainLaw(id, title, cleandoc(check.__doc__ or ""), check, healthy)


@_law("C1", "Every failure is a typed error that the caller's dialect can word")
async def errors_are_total(example: Again) -> None:
    """Whatever is asked and whatever an upstream does, the caller gets an answer or an error of the gateway's own
    kinds, and its dialect has words for it. Nothing else leaves a chain, and no stage raises anything else: the opaque
    500 that the engine makes of it tells nobody what to do.
    """
    world = example.world()
    async with world.pipeline:
        _, error = await world.exchange()
        if error is None:
            return
        assert isinstance(error, GatewayError), f"{type(error).__name__} left the chain: {error}"
        fault = example.scenario.fault
        if isinstance(error, InternalError) and (fault is None or fault.what not in _BUGS):
            cause = error.__cause__
            assert cause is None or isinstance(cause, GatewayError), f"a stage raised {type(cause).__name__}: {cause}"
        reply = world.gateway.speaks(example.scenario.ask.dialect).error_reply(error)
        assert 400 <= reply.status <= 599, f"{type(error).__name__} is answered with status {reply.status}"


@_law("C2", "One question is one call upstream", healthy=True)
async def terminal_once(example: Again) -> None:
    """A plain question, of one prompt and for one choice, is never sent twice: whoever pays pays once."""
    payload = example.scenario.ask.payload
    plain = set(payload) <= {"model", "messages", "prompt"}
    world = example.world()
    async with world.pipeline:
        _, error = await world.exchange()
    if error is not None or not plain or example.scenario.ask.operation not in STREAMED:
        return
    assert len(world.calls) <= 1, f"one question became {len(world.calls)} calls"


@_law("C3", "A caller who leaves, at any time, leaves nothing open")
async def cancelled_anywhere(example: Again) -> None:
    """The exchange is cancelled at each place where it waits, one after the other. Every source is released."""
    for place in range(MOST_PLACES):
        world = example.world()
        async with world.pipeline:
            attempt = await on_loop(partial(world.exchange), cancel_at=place)
            still_open = [source for source in world.sources if not source.released]
            assert not still_open, f"a source is open after a cancellation at wait number {place + 1}"
            assert not attempt.swallowed, f"a cancellation at wait number {place + 1} was swallowed"
        if not attempt.delivered:
            return


@_law("C4", "The first event is out before the second is asked for", healthy=True)
async def first_out_first(example: Again) -> None:
    """A stream passes through all stages as it comes: whoever waits for the first token does not wait for the last."""
    scenario = example.scenario
    if scenario.ask.operation != "chat" or not scenario.ask.stream:
        return
    world = example.world()
    world.cuts = tuple(range(_MOST_BYTES))
    async with world.pipeline:
        try:
            response = await world.handle()
        except GatewayError:
            return
        early = [source.asked for source in world.answers if source.asked]
        try:
            await anext(response.body)
        except (GatewayError, StopAsyncIteration):
            return
        finally:
            left = [source.left for source in world.answers]
            await response.body.aclose()
    assert not early, f"{early[0]} pieces were read before the head was out"
    long = all(len(items) > _FEW for (_, operation), items in scenario.said.items() if operation != "embedding")
    assert not long or not left or left[0], "the first event came out after the last byte had been read"


@_law("C5", "A whole answer is the collected stream", healthy=True)
async def whole_is_stream(example: Again) -> None:
    """A caller who does not stream gets what one who streams would have put together."""
    ask = example.scenario.ask
    if ask.operation not in STREAMED or "stream_options" in ask.payload:
        return
    said = []
    for stream in (True, False):
        world = example.world()
        async with world.pipeline:
            events, error = await world.exchange(replace(ask, stream=stream))
        said.append((type(error), "".join(event.text for event in events)))
    assert said[0] == said[1], f"streamed it says {said[0]}, whole {said[1]}"


CHAIN_LAWS = (errors_are_total, terminal_once, cancelled_anywhere, first_out_first, whole_is_stream)
