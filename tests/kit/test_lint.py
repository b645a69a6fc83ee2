"""`Lint` changes nothing that is right, and names what is wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline import (
    END,
    Body,
    Event,
    EventKind,
    GatewayError,
    Handler,
    Request,
    Response,
    StageFault,
    compose,
    stage,
)
from pipeline.testing import Lint, ProtocolBroken
from tests.kit.mutants import Twin, Words
from tests.pipeline.fakes import FakeNext, texts
from tests.stages.fakes import fake_host

REQUEST = Request("chat", model="m")


@pytest.mark.parametrize("lint", [Lint(), Lint(Twin(Words(), fake_host()))])
async def test_what_is_right_goes_through_unchanged(lint: Lint) -> None:
    response = await lint(REQUEST, FakeNext("a", "b"))
    assert await texts(response.body) == ["a", "b"]
    assert lint.found == []


async def test_it_may_stand_before_and_behind_a_stage_in_a_chain() -> None:
    before, behind = Lint(), Lint()
    handler = compose([before, Twin(Words(), fake_host()), behind], FakeNext("a"))
    assert await texts((await handler(REQUEST)).body) == ["a"]
    assert before.found == behind.found == []


def answering(response: Callable[[], object]) -> Handler:
    async def handler(request: Request) -> Response:
        return response()  # type: ignore[return-value]  # wrong on purpose

    return handler


async def closed() -> Response:
    response = Response(Body.of([END]))
    await response.body.aclose()
    return response


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda: None, "further in returned NoneType"),
        (lambda: Response(Body.of([END]), status=101), "status 101"),
        (lambda: Response(Body.of([END])).with_header("x-a", "1\r\nx-b: 2"), "line break: x-a"),
    ],
)
async def test_a_wrong_head_is_named(answer: Callable[[], object], said: str) -> None:
    lint = Lint()
    with pytest.raises(ProtocolBroken, match=said):
        await lint(REQUEST, answering(answer))
    assert said in lint.found[0]


async def test_a_closed_body_is_nobodys_answer() -> None:
    response = await closed()
    with pytest.raises(ProtocolBroken, match="closed already"):
        await Lint()(REQUEST, answering(lambda: response))


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([Event({}, kind=EventKind.ERROR)], "an ERROR event in a body"),
        ([END, Event({})], "an event after the end marker"),
    ],
)
async def test_a_wrong_event_is_named(events: list[Event], said: str) -> None:
    lint = Lint()
    response = await lint(REQUEST, answering(lambda: Response(Body.of(events))))
    with pytest.raises(GatewayError):
        await texts(response.body)
    assert said in lint.found[0]


async def test_data_that_is_no_object_is_named() -> None:
    def answer() -> Response:
        response = Response(Body.of([Event({}), END]))
        response.body.map(lambda event: event.with_data([1]))  # type: ignore[arg-type]  # wrong on purpose
        return response

    lint = Lint()
    with pytest.raises(GatewayError):
        await texts((await lint(REQUEST, answering(answer))).body)
    assert "event data that is list" in lint.found[0]


async def test_a_stage_inside_is_held_to_what_it_declares() -> None:
    @stage("twice")
    class Twice:
        async def __call__(self, request: Request, call_next: Handler, /) -> Response:
            await (await call_next(request)).body.aclose()
            return await call_next(request)

    lint = Lint(Twice())
    with pytest.raises(StageFault, match="twice called next 2 times"):
        await lint(REQUEST, FakeNext("a"))
    assert lint.found
