"""A body of events made in the gateway: any iterable or async iterator, closed with the body."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import anyio
import pytest

from pipeline import END, Body, Event
from tests.pipeline.fakes import LineEncoder, read, texts, words

LOG = list[str]


def sync_events(log: LOG) -> Iterator[Event]:
    try:
        log.append("a")
        yield from words("a")
        log.append("b")
        yield from words("b")
        yield END
    finally:
        log.append("finally")


async def async_events(log: LOG) -> AsyncIterator[Event]:
    try:
        for event in sync_events(log):
            yield event
    finally:
        log.append("outer finally")


def kept(log: LOG) -> Iterator[Event]:
    """A generator that something else holds on to, so that only closing it ends it."""
    generator = sync_events(log)
    KEPT.append(generator)
    return generator


KEPT: list[Iterator[Event]] = []
MAKERS: list[Callable[[LOG], Iterator[Event] | AsyncIterator[Event]]] = [sync_events, async_events, kept]


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Iterator[Callable[[LOG], Iterator[Event] | AsyncIterator[Event]]]:
    yield request.param
    KEPT.clear()


Make = Callable[[LOG], Iterator[Event] | AsyncIterator[Event]]


async def test_the_events_are_written_in_the_caller_s_dialect(make: Make) -> None:
    for dialect in ("line", "other"):
        body = Body.of(make([]))
        body.bind(LineEncoder(dialect=dialect))
        assert await read(body) == [b"a\n", b"b\n", b".\n"]


async def test_they_are_gathered_for_a_caller_who_wants_a_whole_answer(make: Make) -> None:
    body = Body.of(make([]))
    body.bind(LineEncoder(whole=True))
    assert await read(body) == [b"a,b\n"]


async def test_the_generator_is_run_no_further_than_it_is_read(make: Make) -> None:
    log: LOG = []
    body = Body.of(make(log))
    assert log == []
    await anext(body)
    assert log == ["a"]
    await body.aclose()


async def test_the_generator_s_finally_runs_when_the_body_is_closed_early(make: Make) -> None:
    log: LOG = []
    body = Body.of(make(log))
    await anext(body)
    await body.aclose()
    assert log[:2] == ["a", "finally"]
    assert log.count("finally") == 1


async def test_the_generator_s_finally_runs_once_at_the_end(make: Make) -> None:
    log: LOG = []
    body = Body.of(make(log))
    assert await texts(body) == ["a", "b"]
    await body.aclose()
    assert log.count("finally") == 1


async def test_a_body_that_is_never_read_never_starts_its_generator(make: Make) -> None:
    log: LOG = []
    await Body.of(make(log)).aclose()
    assert log == []


async def test_a_generator_that_waits_is_closed_when_its_reader_is_cancelled() -> None:
    log: LOG = []
    waiting = anyio.Event()

    async def waits() -> AsyncIterator[Event]:
        try:
            yield words("a")[0]
            waiting.set()
            await anyio.Event().wait()
        finally:
            log.append("finally")

    body = Body.of(waits())
    async with anyio.create_task_group() as group:
        group.start_soon(texts, body)
        await waiting.wait()
        group.cancel_scope.cancel()
    assert log == ["finally"]
    assert body.closed


async def test_a_list_will_do() -> None:
    assert await texts(Body.of(words("a", "b"))) == ["a", "b"]
