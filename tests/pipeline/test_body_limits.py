"""How long a body waits: for its deadline, for the rest after the end marker, and for what is released.

On trio by a virtual clock, to the very second; on asyncio, whose clock is real, with the limits made tiny.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import pytest
import trio.testing

from pipeline import DeadlineExceeded, Outcome, OutcomeKind
from pipeline import body as body_module
from pipeline import outcome as outcome_module
from pipeline.deadline import deadline_in
from tests.pipeline.fakes import FakeSource, LineEncoder, Stall, line_body, read

T = TypeVar("T")
TINY = 0.02


@pytest.fixture(
    scope="module",
    params=[("asyncio", {}), ("trio", {"clock": trio.testing.MockClock(autojump_threshold=0)})],
    ids=["asyncio", "trio"],
)
def anyio_backend(request: pytest.FixtureRequest) -> object:
    return request.param


@pytest.fixture(autouse=True)
def limits(anyio_backend_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if anyio_backend_name == "asyncio":
        monkeypatch.setattr(body_module, "DRAIN_SECONDS", TINY)
        monkeypatch.setattr(outcome_module, "CLOSE_SECONDS", TINY)


@pytest.fixture
def stopwatch(anyio_backend_name: str) -> Stopwatch:
    return Stopwatch(virtual=anyio_backend_name == "trio")


class Stopwatch:
    def __init__(self, *, virtual: bool) -> None:
        self._virtual = virtual
        self._started = 0.0

    def start(self) -> None:
        self._started = anyio.current_time()

    def shows(self, seconds: float) -> bool:
        """`seconds` exactly under the virtual clock; the tiny limit or more under the real one."""
        passed = anyio.current_time() - self._started
        return passed == pytest.approx(seconds) if self._virtual else passed >= TINY * 0.9


class FakeDeadline:
    """Never passes; counts how often it was disarmed."""

    def __init__(self) -> None:
        self.closed = 0

    async def guard(self, call: Callable[[], Awaitable[T]]) -> T:
        return await call()

    def close(self) -> None:
        self.closed += 1


async def test_the_rest_after_the_end_marker_is_read_for_one_second(stopwatch: Stopwatch) -> None:
    outcomes: list[Outcome] = []
    source = FakeSource(b"a\n.\n", Stall())
    body = line_body(source)
    body.on_end(outcomes.append)
    assert await body.next_piece() == b"a\n.\n"
    stopwatch.start()
    assert await body.next_piece() is None
    assert stopwatch.shows(1.0)
    assert outcomes[0].kind is OutcomeKind.COMPLETE
    assert source.calls == ["next", "next", "aclose"], "a connection that is not clean is closed"


async def test_each_release_has_two_seconds_and_the_next_one_runs_all_the_same(stopwatch: Stopwatch) -> None:
    released: list[str] = []
    source = FakeSource(b"a\n")
    body = line_body(source)

    async def quick() -> None:
        released.append("quick")

    async def hangs() -> None:
        await anyio.Event().wait()

    body.on_close(quick)
    body.on_close(hangs)
    stopwatch.start()
    await body.aclose()
    assert stopwatch.shows(2.0)
    assert released == ["quick"]
    assert source.closed


async def test_a_source_that_hangs_while_closing_holds_nobody_for_ever(stopwatch: Stopwatch) -> None:
    class Hangs(FakeSource):
        async def aclose(self) -> None:
            await anyio.Event().wait()

    stopwatch.start()
    await line_body(Hangs(b"a\n")).aclose()
    assert stopwatch.shows(2.0)


@pytest.mark.parametrize("before", [(), (b"a\n",)])
async def test_the_deadline_reaches_into_the_body(before: tuple[bytes, ...]) -> None:
    outcomes: list[Outcome] = []
    source = FakeSource(*before, Stall())
    body = line_body(source)
    body.bind(LineEncoder(), deadline_in(TINY))
    body.on_end(outcomes.append)
    if before:
        assert await read(body) == [b"a\n", b"!The request did not finish within 0.02 s.\n"]
    else:
        with pytest.raises(DeadlineExceeded):
            await body.next_piece()
    assert isinstance(outcomes[0].error, DeadlineExceeded)
    assert source.closed


async def test_a_deadline_that_passes_between_two_reads_ends_the_body() -> None:
    source = FakeSource(b"a\n", b".\n")
    body = line_body(source)
    body.bind(LineEncoder(), deadline_in(TINY))
    assert await body.next_piece() == b"a\n"
    with anyio.move_on_after(TINY * 2):  # a client that takes its time
        await anyio.Event().wait()
    assert (await body.next_piece() or b"").startswith(b"!The request did not finish")
    assert await body.next_piece() is None
    assert source.asked == 1


@pytest.mark.parametrize("way", ["complete", "failed", "closed"])
async def test_the_deadline_is_disarmed_when_the_body_ends(way: str) -> None:
    deadline = FakeDeadline()
    body = line_body(FakeSource(b"a\n", *((b".\n",) if way == "complete" else ())))
    body.bind(LineEncoder(), deadline)
    await (body.next_piece() if way == "closed" else read(body))
    assert deadline.closed == (0 if way == "closed" else 1)
    await body.aclose()
    assert deadline.closed == 1


def test_the_limits_are_what_the_documentation_says(anyio_backend_name: str) -> None:
    if anyio_backend_name == "trio":
        assert (body_module.DRAIN_SECONDS, outcome_module.CLOSE_SECONDS) == (1.0, 2.0)
