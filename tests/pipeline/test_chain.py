"""How a list of stages nests: what stands before the terminal in order, what stands after it inside out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Body, Handler, Request, Response, Stage, compose, stage
from pipeline.chain import fold_order
from tests.pipeline.fakes import FakeNext


class Traced:
    """A stage that says when the request and the response pass it."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.log = log

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        self.log.append(f"{self.name} down")
        response = await call_next(request)
        self.log.append(f"{self.name} up")
        return response


@stage("end", calls_next="never")
class Terminal(Traced):
    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        self.log.append(self.name)
        return Response(Body.of(()))


@stage("bad_end", calls_next="never")
class CallsNext(Traced):
    """Declares that it does not call next, and does."""


async def trace(before: str, after: str) -> list[str]:
    log: list[str] = []
    stages: list[Stage] = [Traced(name, log) for name in before]
    stages += [Terminal("T", log), *(Traced(name, log) for name in after)]
    await compose(stages)(Request("chat"))
    return log


async def test_the_list_a_b_T_x_y_is_a_of_b_of_y_of_x_of_T() -> None:
    assert await trace("ab", "xy") == [
        *("a down", "b down", "y down", "x down", "T"),
        *("x up", "y up", "b up", "a up"),
    ]


@given(before=st.integers(0, 5), after=st.integers(0, 5))
async def test_whatever_its_length_the_response_passes_the_stages_after_the_terminal_in_order(
    before: int, after: int
) -> None:
    outer, inner = "abcde"[:before], "uvwxy"[:after]
    log = await trace(outer, inner)
    down = [line.removesuffix(" down") for line in log if line.endswith(" down")]
    assert down == [*outer, *reversed(inner)]
    assert [line.removesuffix(" up") for line in log if line.endswith(" up")] == [*reversed(down)]
    assert log[len(down)] == "T"


def test_fold_order_is_the_order_of_nesting() -> None:
    a, b, end, x, y = (
        cls(name, []) for cls, name in zip([Traced] * 2 + [Terminal] + [Traced] * 2, "abTxy", strict=True)
    )
    assert fold_order([a, b, end, x, y]) == [a, b, y, x, end]


async def test_a_given_terminal_stands_at_the_end() -> None:
    log: list[str] = []
    inner = FakeNext("hi")
    request = Request("chat")
    response = await compose([Traced("a", log), Traced("b", log)], inner)(request)
    assert log == ["a down", "b down", "b up", "a up"]
    assert inner.requests == [request]
    assert inner.responses == [response]


async def test_no_stage_at_all_is_the_terminal_itself() -> None:
    inner = FakeNext()
    assert await compose([], inner)(Request("chat")) is inner.responses[0]


def test_a_chain_without_a_terminal_is_refused() -> None:
    with pytest.raises(ValueError, match="this one has none"):
        compose([Traced("a", [])])


def test_a_chain_with_two_terminals_names_both() -> None:
    with pytest.raises(ValueError, match="this one has end, bad_end"):
        compose([Terminal("T", []), CallsNext("U", [])])


def test_a_terminal_beside_a_given_one_is_refused() -> None:
    with pytest.raises(ValueError, match="one of the stages never calls next either"):
        compose([Terminal("T", [])], FakeNext())


async def test_a_terminal_that_calls_next_finds_nothing_there() -> None:
    with pytest.raises(RuntimeError, match="declares calls_next='never'"):
        await compose([CallsNext("T", [])])(Request("chat"))


async def test_a_plain_function_is_a_stage() -> None:
    async def shout(request: Request, call_next: Handler, /) -> Response:
        return (await call_next(request.evolve(model=request.model.upper()))).evolve(status=201)

    inner = FakeNext()
    response = await compose([shout], inner)(Request("chat", model="m"))
    assert (inner.requests[0].model, response.status) == ("M", 201)
