"""Running by hand and on a loop: the same result, the same count of waits, a cancellation at each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel
import pytest

from pipeline.testing import Cancelled, NeedsLoop, Points, by_hand, on_loop

Run = Callable[[Points], Awaitable[str]]


async def two_waits(points: Points) -> str:
    await points.at("first")
    await points.at("second")
    return "done"


def test_by_hand_each_point_is_a_wait() -> None:
    points = Points(by_hand=True)
    attempt = by_hand(lambda: two_waits(points))
    assert (attempt.value, attempt.awaits, points.passed) == ("done", 2, ["first", "second"])


@pytest.mark.parametrize(("at", "passed"), [(0, ["first"]), (1, ["first", "second"])])
def test_by_hand_a_cancellation_arrives_where_it_is_sent(at: int, passed: list[str]) -> None:
    points = Points(by_hand=True)
    attempt = by_hand(lambda: two_waits(points), cancel_at=at)
    assert attempt.cancelled
    assert not attempt.swallowed
    assert points.passed == passed


def test_a_cancellation_behind_the_last_wait_is_not_delivered() -> None:
    assert not by_hand(lambda: two_waits(Points(by_hand=True)), cancel_at=2).delivered


def test_by_hand_a_swallowed_cancellation_is_seen() -> None:
    async def swallows() -> str:
        try:
            return await two_waits(Points(by_hand=True))
        except Cancelled:
            return "went on"

    attempt = by_hand(swallows, cancel_at=0)
    assert attempt.swallowed
    assert attempt.value == "went on"


def test_a_point_that_is_not_cancellable_is_passed() -> None:
    points = Points(by_hand=True)

    async def closing() -> str:
        await points.at("close", cancellable=False)
        return "closed"

    assert by_hand(closing, cancel_at=0).value == "closed"


async def sleeps() -> str:
    await anyio.lowlevel.checkpoint()
    return "slept"


async def hides() -> str:
    try:
        return await sleeps()
    except Exception as error:
        raise ValueError("something else") from error


class _Foreign:
    def __await__(self):  # type: ignore[no-untyped-def]  # yields what no driver knows
        yield "a future"


async def foreign() -> str:
    await _Foreign()
    return "never"


@pytest.mark.parametrize("call", [sleeps, hides, foreign])
def test_what_only_a_loop_can_give_is_not_run_by_hand(call: Callable[[], Awaitable[str]]) -> None:
    with pytest.raises(NeedsLoop):
        by_hand(call)  # type: ignore[arg-type]  # an Awaitable is a coroutine here


def test_a_coroutine_that_never_returns_is_given_up() -> None:
    points = Points(by_hand=True)

    async def forever() -> str:
        while True:
            await points.at("again")

    with pytest.raises(AssertionError, match="never returns"):
        by_hand(forever)


def test_an_error_is_a_result() -> None:
    async def fails() -> str:
        raise ValueError("no")

    attempt = by_hand(fails)
    assert isinstance(attempt.error, ValueError)
    with pytest.raises(ValueError, match="no"):
        attempt.unwrap()


async def test_on_a_loop_every_suspension_is_a_wait() -> None:
    attempt = await on_loop(sleeps)
    assert attempt.value == "slept"
    assert attempt.awaits >= 1


async def test_on_a_loop_a_cancellation_arrives_at_each_wait_and_nowhere_else() -> None:
    reached = []
    for place in range(10):
        attempt = await on_loop(lambda: two_waits(Points(by_hand=False)), cancel_at=place)
        reached.append(attempt.cancelled)
        if not attempt.delivered:
            break
    assert reached[-1] is False
    assert reached[:-1] == [True] * (len(reached) - 1)
    assert len(reached) >= 3


async def test_on_a_loop_a_swallowed_cancellation_is_seen() -> None:
    async def swallows() -> str:
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            return "went on"
        return ""

    assert (await on_loop(swallows, cancel_at=0)).swallowed
