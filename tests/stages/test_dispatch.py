"""The call upstream: what is refused, what becomes of error answers, and that a connection is let go on every path."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from pipeline import (
    HEAD_SECONDS,
    TARGET,
    TARGET_USED,
    Dialect,
    GatewayError,
    NotFound,
    Request,
    Response,
    Target,
    UpstreamAnswer,
    UpstreamGarbage,
    UpstreamInterrupted,
    UpstreamUnavailable,
)
from stages.dialects.ollama.dialect import Ollama
from stages.dialects.openai.dialect import OpenAI
from stages.dispatch import Dispatch
from tests.stages.dialects.openai.good import CHAT
from tests.stages.fakes import PARK, FakeSource, FakeUpstream, answers, fake_host, never_next

REQUEST = Request("chat", model="m", payload={"model": "m", "messages": []}, dialect="openai").with_slot(
    TARGET, Target("up", "m")
)
FAULT = json.dumps({"error": {"message": "the words", "type": "t", "code": "c"}}).encode()


def upstream(answer: UpstreamAnswer) -> FakeUpstream:
    return FakeUpstream("up", lambda call: answer)


async def dispatch(to: FakeUpstream) -> Response:
    return await Dispatch(Dispatch.Settings(), fake_host(upstreams={"up": to}))(REQUEST, never_next)


async def refused(answer: UpstreamAnswer) -> GatewayError:
    with pytest.raises(GatewayError) as caught:
        await dispatch(upstream(answer))
    assert source_of(answer).released
    return caught.value


def source_of(answer: UpstreamAnswer) -> FakeSource:
    assert isinstance(answer.source, FakeSource)
    return answer.source


async def test_it_returns_at_the_head_and_the_body_is_read_as_it_is_asked_for() -> None:
    body = json.dumps(CHAT).encode()
    answer = answers(200, body[:10], body[10:])
    response = await dispatch(upstream(answer))
    assert source_of(answer).reads == 0
    assert response.slots[TARGET_USED] == Target("up", "m")
    assert response.slots[HEAD_SECONDS] >= 0
    response.body.bind(OpenAI().encoder(REQUEST))
    assert b"".join([piece async for piece in response.body.pieces()]) == body
    assert source_of(answer).released


async def test_the_call_is_what_the_dialect_writes() -> None:
    to = upstream(answers(200))
    await (await dispatch(to)).body.aclose()
    assert to.calls == [OpenAI().encode_request(REQUEST)]


async def test_a_body_that_nobody_reads_is_released_by_closing_it() -> None:
    answer = answers(200, b"{}")
    response = await dispatch(upstream(answer))
    await response.body.aclose()
    await response.body.aclose()
    assert source_of(answer).closes == 1


@pytest.mark.parametrize("status", [400, 404, 409, 422, 500, 503])
async def test_an_error_answer_is_raised_with_its_words(status: int) -> None:
    error = await refused(answers(status, FAULT[:7], FAULT[7:], retry_after="3"))
    assert (error.status, error.message, error.code, error.retry_after) == (status, "the words", "c", 3.0)


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_are_not_the_callers(status: int) -> None:
    assert (await refused(answers(status, FAULT))).status == 502


@pytest.mark.parametrize("status", [100, 199, 300, 301, 302, 303, 304, 307, 308])
async def test_a_redirect_is_refused_and_not_followed(status: int) -> None:
    to = upstream(answers(status, b"", location="http://elsewhere/"))
    with pytest.raises(UpstreamGarbage) as caught:
        await dispatch(to)
    assert caught.value.status == 502
    assert len(to.calls) == 1
    assert source_of(to.answered[0]).released


async def test_an_endless_error_body_is_read_to_a_bound() -> None:
    answer = answers(500, *[b"x" * 1024 * 1024] * 20)
    assert (await refused(answer)).status == 500
    assert source_of(answer).reads == 1
    assert source_of(answer).closes == 1


async def test_an_error_body_that_breaks_off_keeps_its_status_and_is_released() -> None:
    answer = answers(503, b"{", UpstreamInterrupted("cut"))
    error = await refused(answer)
    assert (error.status, error.retryable) == (503, True)
    assert source_of(answer).closes == 1


async def test_no_connection_passes_through_typed() -> None:
    def fail(_: Any) -> UpstreamAnswer:
        raise UpstreamUnavailable("down")

    with pytest.raises(UpstreamUnavailable):
        await dispatch(FakeUpstream("up", fail))


async def test_cancelling_while_an_error_body_is_read_releases_the_connection() -> None:
    answer = answers(500, b"{", PARK)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(dispatch, upstream(answer))
        await source_of(answer).parked.wait()
        tasks.cancel_scope.cancel()
    assert source_of(answer).closes == 1


async def test_cancelling_while_the_body_is_read_releases_the_connection() -> None:
    answer = answers(200, b"{", PARK)
    response = await dispatch(upstream(answer))
    response.body.bind(OpenAI().encoder(REQUEST))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(response.body.next_piece)
        await source_of(answer).parked.wait()
        tasks.cancel_scope.cancel()
    assert source_of(answer).closes == 1
    assert response.body.closed


@pytest.mark.parametrize("dialect", [OpenAI(), Ollama()], ids=lambda dialect: dialect.name)
async def test_an_operation_that_no_model_server_has_is_not_found(dialect: Dialect) -> None:
    upstream = FakeUpstream("up", lambda call: answers(200, b"{}"), dialect)
    stage = Dispatch(Dispatch.Settings(), fake_host(upstreams={"up": upstream}))
    request = Request("models.dream", dialect=dialect.name).with_slot(TARGET, Target("up", "m"))
    with pytest.raises(NotFound):
        await stage(request, never_next)
    assert upstream.calls == []
