"""Several calls as one answer: numbered, counted once, and each opened body closed exactly once whatever happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from pipeline import (
    CHOICE,
    END,
    Body,
    Event,
    Handler,
    Headers,
    Outcome,
    OutcomeKind,
    Overloaded,
    Request,
    Response,
    Slot,
    Usage,
    compose_strict,
    stage,
)
from stages.transform.fan_out import fan_out
from tests.pipeline.fakes import texts

SEEN: Slot[str] = Slot("seen")
TOTAL = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def word(text: str, **more: Any) -> Event:
    return Event({"id": "x", "choices": [{"index": 0, "text": text}], **more}, dialect="tells")


def counted(prompt: int | None, completion: int | None) -> Event:
    names = {"prompt_tokens": prompt, "completion_tokens": completion}
    usage = {name: count for name, count in names.items() if count is not None}
    return Event({"id": "x", "choices": [], "usage": usage}, dialect="tells")


class Servers:
    """Answers call after call with the next script, and remembers which bodies were opened, ended and closed.

    An item of a script is an event, an exception to raise, or an `anyio.Event`: set when it is reached, and then
    nothing comes any more.
    """

    def __init__(self, *scripts: list[Any] | Exception) -> None:
        self.scripts = list(scripts)
        self.requests: list[Request] = []
        self.bodies: list[Body] = []
        self.closed: list[int] = []
        self.outcomes: list[Outcome] = []

    async def __call__(self, request: Request) -> Response:
        at = len(self.requests)
        self.requests.append(request)
        script = self.scripts[at]
        await anyio.lowlevel.checkpoint()
        if isinstance(script, Exception):
            raise script

        async def close() -> None:
            self.closed.append(at)

        body = Body.of(self._events(script))
        body.on_close(close)
        body.on_end(self.outcomes.append)
        self.bodies.append(body)
        return Response(body, status=200 + at, headers=Headers({"call": str(at)})).with_slot(SEEN, f"call {at}")

    async def _events(self, script: list[Any]) -> AsyncIterator[Event]:
        for item in script:
            await anyio.lowlevel.checkpoint()
            if isinstance(item, Exception):
                raise item
            if isinstance(item, anyio.Event):
                item.set()
                await anyio.sleep_forever()
            yield item

    async def asked(self, *again: bool) -> Response:
        requests = [Request("completion", id=str(at)) for at in range(len(self.scripts))]
        return await fan_out(requests, again or [False] * len(requests), self)


async def test_choices_have_the_number_of_their_call() -> None:
    servers = Servers([word("a"), word("b"), END], [word("c"), END])
    response = await servers.asked()
    events = [event async for event in response.body]
    assert [(e.data["choices"][0]["index"], e.text) for e in events[:-1]] == [(0, "a"), (0, "b"), (1, "c")]
    assert [event.kind for event in events].count(END.kind) == 1
    assert events[-1].kind is END.kind
    assert {event.dialect for event in events[:-1]} == {"tells"}
    assert servers.closed == [0, 1]


async def test_each_call_is_told_its_choice() -> None:
    servers = Servers([word("a"), END], [word("b"), END])
    assert len([event async for event in (await servers.asked()).body]) == 3
    assert [request.slots[CHOICE] for request in servers.requests] == [0, 1]


async def test_each_is_asked_when_the_one_before_has_ended() -> None:
    servers = Servers([word("a"), END], [word("b"), END])
    response = await servers.asked()
    assert len(servers.requests) == 1, "the head of the first is all that is waited for"
    assert (response.status, response.headers.get("call"), response.slots[SEEN]) == (200, "0", "call 0")
    assert (await anext(response.body)).text == "a"
    assert len(servers.requests) == 1
    assert (await anext(response.body)).text == "b"
    assert [servers.closed, len(servers.requests)] == [[0], 2]
    await response.body.aclose()
    assert servers.closed == [0, 1]


async def test_counts_are_told_once_as_their_sum() -> None:
    servers = Servers([word("a"), counted(3, 1), END], [word("b", usage={"prompt_tokens": 4}), counted(None, 2), END])
    events = [event async for event in (await servers.asked()).body]
    assert [event.data.get("usage") for event in events] == [
        None,
        None,
        TOTAL,
        None,
    ]
    assert events[2].data == {"id": "x", "choices": [], "usage": TOTAL}
    assert events[2].dialect == "tells", "or what only this dialect says would look like the gateway's own words"


async def test_a_prompt_that_choices_share_is_counted_once() -> None:
    servers = Servers([word("a"), counted(3, 1), END], [word("b"), counted(3, 2), END], [word("c"), counted(5, 1), END])
    outcomes: list[Outcome] = []
    response = await servers.asked(False, True, False)
    response.body.on_end(outcomes.append)
    events = [event async for event in response.body]
    assert events[-2].data["usage"] == {"prompt_tokens": 8, "completion_tokens": 4, "total_tokens": 12}
    assert outcomes[0].usage == Usage(8, 4)


async def test_it_keeps_the_contract_of_a_stage() -> None:
    """A body made of several is neither of those received: it owns them, and that is no response dropped."""
    servers = Servers([word("a"), END], [word("b"), END])

    @stage("fans", calls_next="many", writes=(CHOICE,))
    class Fans:
        async def __call__(self, request: Request, call_next: Handler, /) -> Response:
            return await fan_out([request, request], [False, False], call_next)

    response = await compose_strict([Fans()], servers)(Request("completion"))
    assert [event.text async for event in response.body] == ["a", "b", ""]


async def test_the_log_has_the_sum_even_if_the_caller_did_not_ask_for_it() -> None:
    """The counts come from the ends of the bodies: what the caller did not ask for has been taken out of the events."""
    servers = Servers([word("a"), counted(3, 1), END], [word("b"), counted(4, 2), END])
    outcomes: list[Outcome] = []

    async def silent(request: Request) -> Response:
        response = await servers(request)
        response.body.map(lambda event: None if "usage" in event.data else event)
        return response

    response = await fan_out([Request("completion"), Request("completion")], [False, False], silent)
    response.body.on_end(outcomes.append)
    events = [event async for event in response.body]
    assert [event.data.get("usage") for event in events] == [None, None, None]
    assert [(outcome.kind, outcome.usage) for outcome in outcomes] == [(OutcomeKind.COMPLETE, Usage(7, 3))]


@pytest.mark.parametrize(
    ("scripts", "usage"),
    [
        ([[word("a"), END], [word("b"), END]], None),
        ([[word("a"), counted(3, None), END], [word("b"), END]], Usage(3, None)),
    ],
)
async def test_what_nobody_counted_is_unknown_and_not_zero(scripts: list[list[Event]], usage: Usage | None) -> None:
    outcomes: list[Outcome] = []
    response = await Servers(*scripts).asked()
    response.body.on_end(outcomes.append)
    assert [event async for event in response.body]
    assert outcomes[0].usage == usage


async def test_the_first_call_fails_like_any_other() -> None:
    with pytest.raises(Overloaded):
        await Servers(Overloaded("full"), [word("b"), END]).asked()


@pytest.mark.parametrize("second", [Overloaded("full"), [word("b"), Overloaded("full")]])
async def test_a_later_failure_ends_the_answer_after_what_was_said(second: Any) -> None:
    servers = Servers([word("a"), END], second, [word("c"), END])
    outcomes: list[Outcome] = []
    response = await servers.asked()
    response.body.on_end(outcomes.append)
    said: list[str] = []
    response.body.map(lambda event: said.append(event.text) or event)  # type: ignore[func-returns-value]  # a look
    with pytest.raises(Overloaded):
        await texts(response.body)
    assert said == ["a", *(["b"] if isinstance(second, list) else [])], "and no end marker"
    assert len(servers.requests) == 2, "the third is not asked any more"
    assert servers.closed == list(range(len(servers.bodies)))
    assert [outcome.kind for outcome in outcomes] == [OutcomeKind.FAILED]


async def test_closed_before_the_first_read_the_first_call_is_let_go() -> None:
    servers = Servers([word("a"), END], [word("b"), END])
    response = await servers.asked()
    await response.body.aclose()
    assert (servers.closed, len(servers.requests)) == ([0], 1)
    assert [outcome.kind for outcome in servers.outcomes] == [OutcomeKind.CLOSED]


@pytest.mark.parametrize("reads", [1, 2, 3])
async def test_closed_in_the_middle_the_open_call_is_let_go(reads: int) -> None:
    servers = Servers([word("a"), END], [word("b"), word("c"), END])
    response = await servers.asked()
    for _ in range(reads):
        await anext(response.body)
    for _ in range(2):
        await response.body.aclose()
    assert servers.closed == list(range(len(servers.bodies)))
    assert all(body.closed for body in servers.bodies)


@pytest.mark.parametrize("at", [0, 1])
async def test_cancelled_in_the_middle_the_open_call_is_let_go(at: int) -> None:
    reached = anyio.Event()
    scripts: list[list[Any]] = [[word("a"), END], [word("b"), END]]
    scripts[at] = [word("c"), reached]
    servers = Servers(*scripts)
    response = await servers.asked()

    async def read() -> None:
        async for _ in response.body:
            pass

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await reached.wait()
        group.cancel_scope.cancel()
    assert response.body.closed
    assert servers.closed == list(range(at + 1))
    assert len(servers.requests) == at + 1


async def test_cancelled_while_a_later_call_is_made_nothing_stays_open() -> None:
    reached = anyio.Event()
    servers = Servers([word("a"), END], [word("b"), END])

    async def slow(request: Request) -> Response:
        if servers.requests:
            reached.set()
            await anyio.sleep_forever()
        return await servers(request)

    response = await fan_out([Request("completion"), Request("completion")], [False, False], slow)

    async def read() -> None:
        async for _ in response.body:
            pass

    async with anyio.create_task_group() as group:
        group.start_soon(read)
        await reached.wait()
        group.cancel_scope.cancel()
    assert (servers.closed, response.body.closed) == ([0], True)
