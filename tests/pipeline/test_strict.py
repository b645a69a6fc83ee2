"""The strict composer names the stage that broke its contract, and the rule; a stage that keeps it is left alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from pipeline import (
    Body,
    Handler,
    Headers,
    Overloaded,
    Request,
    Response,
    Slot,
    Slots,
    Stage,
    StageFault,
    compose_strict,
    stage,
)
from pipeline.stage import CallsNext
from tests.pipeline.fakes import FakeNext, texts

DOWN: Slot[int] = Slot("down")
UP: Slot[int] = Slot("up")
REQUEST = Request("chat", payload={"messages": [{"content": "hi"}]}, slots=Slots().with_(DOWN, 1))

Run = Callable[[Request, Handler], Awaitable[Response]]


def made(run: Run, calls_next: CallsNext = "once", *, declares: bool = False) -> Stage:
    """A stage of kind `sut` that does what `run` does."""

    @stage("sut", calls_next=calls_next, writes=[EXTRA] if declares else (), response_writes=[UP] if declares else ())
    class Sut:
        async def __call__(self, request: Request, call_next: Handler, /) -> Response:
            return await run(request, call_next)

    return Sut()


EXTRA: Slot[int] = Slot("extra")


async def passes(request: Request, call_next: Handler) -> Response:
    return await call_next(request)


async def never(request: Request, call_next: Handler) -> Response:
    return Response(Body.of(()))


async def twice(request: Request, call_next: Handler) -> Response:
    await (await call_next(request)).body.aclose()
    return await call_next(request)


async def edits_in_place(request: Request, call_next: Handler) -> Response:
    request.payload["messages"].append({"content": "more"})
    return await call_next(request)


async def loses_a_slot(request: Request, call_next: Handler) -> Response:
    return await call_next(request.evolve(slots=Slots()))


async def writes_a_slot(request: Request, call_next: Handler) -> Response:
    return await call_next(request.with_slot(EXTRA, 2))


async def overwrites_a_slot(request: Request, call_next: Handler) -> Response:
    return await call_next(request.with_slot(DOWN, 2))


async def writes_a_response_slot(request: Request, call_next: Handler) -> Response:
    return (await call_next(request)).with_slot(UP, 2)


async def loses_a_response_slot(request: Request, call_next: Handler) -> Response:
    return Response((await call_next(request)).body)


async def drops_a_response(request: Request, call_next: Handler) -> Response:
    await call_next(request)
    return Response(Body.of(()))


async def raises_with_a_response_in_hand(request: Request, call_next: Handler) -> Response:
    await call_next(request)
    raise Overloaded("changed my mind")


async def returns_nothing(request: Request, call_next: Handler) -> Response:
    await (await call_next(request)).body.aclose()
    return None  # type: ignore[return-value]  # the mistake under test


async def passes_nothing(request: Request, call_next: Handler) -> Response:
    return await call_next(None)  # type: ignore[arg-type]  # the mistake under test


BROKEN: list[tuple[Run, CallsNext, str]] = [
    (never, "once", "did not call next but declares 'once'"),
    (twice, "once", "called next 2 times but declares 'once'"),
    (twice, "at_most_once", "called next 2 times but declares 'at_most_once'"),
    (edits_in_place, "once", "edited the request's payload in place"),
    (loses_a_slot, "once", r"lost the slots \['down'\]"),
    (writes_a_slot, "once", r"wrote the slots \['extra'\] without declaring writes"),
    (writes_a_response_slot, "once", r"wrote the response slots \['up'\] without response_writes"),
    (loses_a_response_slot, "once", r"lost the response slots \['inner'\]"),
    (drops_a_response, "once", "dropped a response"),
    (raises_with_a_response_in_hand, "once", "dropped a response"),
    (returns_nothing, "once", "returned NoneType, not a Response"),
    (passes_nothing, "once", "passed NoneType on, not a Request"),
]

INNER: Slot[int] = Slot("inner")


async def innermost(request: Request) -> Response:
    return Response(Body.of(())).with_slot(INNER, 1)


@pytest.mark.parametrize(("run", "calls_next", "fault"), BROKEN)
async def test_a_broken_stage_is_named_with_its_fault(run: Run, calls_next: CallsNext, fault: str) -> None:
    request = Request("chat", payload={"messages": []}, slots=Slots().with_(DOWN, 1))
    with pytest.raises(StageFault, match=f"sut {fault}"):
        await compose_strict([made(run, calls_next)], innermost)(request)


async def evolves(request: Request, call_next: Handler) -> Response:
    passed = request.with_slot(EXTRA, 2).evolve(model="other", payload=request.payload.with_(a=1))
    response = await call_next(passed)
    response.body.map(lambda event: event)
    return response.with_slot(UP, 2).with_header("x", "y")


async def replaces_what_it_closed(request: Request, call_next: Handler) -> Response:
    await (await call_next(request)).body.aclose()
    return Response(Body.of(()), status=202)


async def replaces_what_it_read(request: Request, call_next: Handler) -> Response:
    response = await call_next(request)
    await texts(response.body)
    return Response(Body.of(()), status=203, headers=Headers())


CORRECT: list[tuple[Run, CallsNext]] = [
    (passes, "once"),
    (passes, "at_most_once"),
    (never, "at_most_once"),
    (twice, "many"),
    (evolves, "once"),
    (overwrites_a_slot, "once"),
    (replaces_what_it_closed, "once"),
    (replaces_what_it_read, "at_most_once"),
]


@pytest.mark.parametrize(("run", "calls_next"), CORRECT)
async def test_a_correct_stage_passes(run: Run, calls_next: CallsNext) -> None:
    response = await compose_strict([made(run, calls_next, declares=True)], innermost)(REQUEST)
    assert isinstance(response, Response)
    await response.body.aclose()


async def test_an_error_from_inside_passes_as_it_is() -> None:
    error = Overloaded("full")
    with pytest.raises(Overloaded) as caught:
        await compose_strict([made(passes), made(passes)], FakeNext(error=error))(REQUEST)
    assert caught.value is error


async def test_a_stage_that_closes_before_it_raises_passes() -> None:
    async def gives_up(request: Request, call_next: Handler) -> Response:
        await (await call_next(request)).body.aclose()
        raise Overloaded("too slow")

    with pytest.raises(Overloaded):
        await compose_strict([made(gives_up)], innermost)(REQUEST)


async def test_the_fault_of_an_inner_stage_is_not_blamed_on_the_outer_one() -> None:
    async def outer(request: Request, call_next: Handler, /) -> Response:
        return await call_next(request)

    with pytest.raises(StageFault, match=r"^sut dropped"):
        await compose_strict([outer, made(drops_a_response)], innermost)(REQUEST)


async def test_a_terminal_that_calls_next_is_a_fault() -> None:
    with pytest.raises(StageFault, match="declares calls_next='never'"):
        await compose_strict([made(passes, "never")])(REQUEST)


async def test_it_folds_like_the_slim_one() -> None:
    log: list[str] = []

    def traced(name: str) -> Stage:
        async def run(request: Request, call_next: Handler, /) -> Response:
            log.append(name)
            return await call_next(request)

        return run

    await compose_strict([traced("a"), made(never, "never"), traced("x"), traced("y")])(REQUEST)
    assert log == ["a", "y", "x"]
    with pytest.raises(ValueError, match="a terminal was passed"):
        compose_strict([made(never, "never")], innermost)


async def test_the_body_is_left_to_its_owner() -> None:
    response = await compose_strict([made(passes)], FakeNext("hi"))(REQUEST)
    assert not response.body.closed
    assert await texts(response.body) == ["hi"]
    assert await texts(response.body) == []
