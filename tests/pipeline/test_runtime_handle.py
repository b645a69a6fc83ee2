"""One request through `handle`: its id, its deadline, its errors, and one access record whatever becomes of it."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest

from pipeline import (
    NOTES,
    DeadlineExceeded,
    Handler,
    InternalError,
    InvalidRequest,
    Overloaded,
    Request,
    Response,
    Stage,
    UpstreamInterrupted,
    note,
    runtime,
)
from pipeline.deadline import Deadline, NoDeadline
from tests.pipeline.fakes import FakeClock, FakeSource, Stall, read, texts
from tests.pipeline.toy_gateway import Answer, pipeline_of

CHAT = Request("chat", model="m", stream=True)
TINY = 0.02


class Passes:
    """A stage that changes nothing and says at the end that it was there."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await call_next(request)
        response.body.on_end(lambda outcome: note(request, seen=outcome.kind.value))
        return response


async def test_a_request_without_an_id_gets_one() -> None:
    answer = Answer(FakeSource(b".\n"))
    pipeline, lines = pipeline_of(answer)
    async with pipeline:
        response = await pipeline.handle(CHAT)
        await read(response.body)
    id = answer.requests[0].id
    assert id == pipeline.record().id
    assert [response.headers.get("x-request-id"), lines[0]["request_id"]] == [id, id]


@pytest.mark.parametrize(("offered", "kept"), [("mine-1", True), ("a\r\nset-cookie: b", False)])
async def test_a_clean_id_is_kept_and_another_replaced(offered: str, kept: bool) -> None:
    answer = Answer(FakeSource(b".\n"))
    pipeline, _ = pipeline_of(answer)
    async with pipeline:
        response = await pipeline.handle(CHAT.evolve(id=offered))
        await response.body.aclose()
    assert (answer.requests[0].id == offered) == kept
    assert response.headers.get("x-request-id") == answer.requests[0].id


async def test_the_chain_sees_the_dialect_and_where_to_leave_notes() -> None:
    answer = Answer(FakeSource(b".\n"))
    pipeline, lines = pipeline_of(answer)
    async with pipeline:
        response = await pipeline.handle(CHAT)
        note(answer.requests[0], colour="blue")
        await read(response.body)
    assert answer.requests[0].dialect == "line"
    assert NOTES in answer.requests[0].slots
    assert lines[0]["colour"] == "blue"


async def test_the_body_comes_unread_in_the_caller_s_mode() -> None:
    stream, whole = FakeSource(b"a\n.\n"), FakeSource(b"a\n.\n")
    pipeline, _ = pipeline_of(Answer(stream, whole))
    async with pipeline:
        response = await pipeline.handle(CHAT)
        assert stream.calls == []
        assert await read(response.body) == [b"a\n.\n"]
        assert await read((await pipeline.handle(Request("chat"))).body) == [b"a\n"]


@pytest.mark.parametrize(
    ("stream", "deadline", "seconds"), [(False, None, 600), (True, None, 1800), (True, 1007.5, 7.5)]
)
async def test_every_request_has_a_deadline(
    stream: bool, deadline: float | None, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float | None] = []

    def deadline_in(seconds: float | None) -> Deadline:
        asked.append(seconds)
        return NoDeadline()

    monkeypatch.setattr(runtime, "deadline_in", deadline_in)
    pipeline, _ = pipeline_of(Answer(FakeSource()), clock=FakeClock(1000.0))
    async with pipeline:
        response = await pipeline.handle(Request("chat", stream=stream, deadline=deadline))
        await response.body.aclose()
    assert asked == [seconds]


class Hangs:
    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        await anyio.Event().wait()
        raise AssertionError("nobody sets the event")


async def test_the_deadline_covers_the_chain() -> None:
    clock = FakeClock()
    pipeline, lines = pipeline_of(Hangs(), Answer(), clock=clock)
    async with pipeline:
        with pytest.raises(DeadlineExceeded):
            await pipeline.handle(Request("chat", deadline=clock.now + TINY))
    assert [(line["status"], line["error"], line["outcome"]) for line in lines] == [
        (504, "deadline_exceeded", "failed")
    ]


@pytest.mark.parametrize("stream", [True, False])
async def test_the_deadline_covers_the_body(stream: bool) -> None:
    clock = FakeClock()
    source = FakeSource(b"a\n", Stall())
    pipeline, lines = pipeline_of(Answer(source), clock=clock)
    async with pipeline:
        response = await pipeline.handle(Request("chat", stream=stream, deadline=clock.now + TINY))
        if stream:
            assert await read(response.body) == [b"a\n", b"!The request did not finish within 0.02 s.\n"]
        else:
            with pytest.raises(DeadlineExceeded):
                await read(response.body)
    assert source.closed
    assert [(line["error"], line["outcome"]) for line in lines] == [("deadline_exceeded", "failed")]


async def test_a_request_whose_time_is_up_is_not_begun() -> None:
    answer = Answer()
    pipeline, _ = pipeline_of(answer, clock=FakeClock(1000.0))
    async with pipeline:
        with pytest.raises(DeadlineExceeded):
            await pipeline.handle(Request("chat", deadline=999.0))
    assert answer.requests == []


async def test_a_typed_error_passes_with_the_id_and_the_stage_it_came_from(caplog: pytest.LogCaptureFixture) -> None:
    error = Overloaded("full")
    pipeline, lines = pipeline_of(Passes(), Answer(error))
    async with pipeline:
        with pytest.raises(Overloaded) as caught:
            await pipeline.handle(CHAT.evolve(id="r1"))
    assert caught.value is error
    assert (error.id, error.stage) == ("r1", "s1")
    assert [(line["status"], line["error_stage"]) for line in lines] == [(503, "s1")]
    assert caplog.records == [], "the access line says it all"


async def test_an_unknown_exception_is_opaque_and_its_cause_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    cause = ValueError("a secret")
    pipeline, lines = pipeline_of(Passes(), Answer(cause))
    async with pipeline:
        with pytest.raises(InternalError) as caught:
            await pipeline.handle(CHAT.evolve(id="r1"))
    assert (caught.value.id, caught.value.status, caught.value.__cause__) == ("r1", 500, cause)
    assert "secret" not in str((caught.value.public(), lines))
    (logged,) = caplog.records
    assert "r1" in logged.getMessage()
    assert logged.exc_info is not None
    assert logged.exc_info[1] is cause


async def test_an_unknown_exception_in_the_body_is_logged_once_too(caplog: pytest.LogCaptureFixture) -> None:
    cause = ValueError("a secret")
    pipeline, lines = pipeline_of(Answer(FakeSource(b"a\n", cause)))
    async with pipeline:
        response = await pipeline.handle(CHAT.evolve(id="r1"))
        assert (await read(response.body))[1].startswith(b"!The gateway failed")
    (logged,) = caplog.records
    assert "r1" in logged.getMessage()
    assert "secret" not in str(lines)


async def returns_nothing(request: Request, call_next: Handler, /) -> Response:
    await (await call_next(request)).body.aclose()
    return None  # type: ignore[return-value]  # the mistake under test


async def reads_and_returns(request: Request, call_next: Handler, /) -> Response:
    response = await call_next(request)
    await anext(response.body)
    return response


async def closes_and_returns(request: Request, call_next: Handler, /) -> Response:
    response = await call_next(request)
    await response.body.aclose()
    return response


@pytest.mark.parametrize("broken", [returns_nothing, reads_and_returns, closes_and_returns])
async def test_a_chain_that_breaks_its_contract_is_an_opaque_failure_that_leaks_nothing(broken: Stage) -> None:
    source = FakeSource(b"a\n", b".\n")
    pipeline, lines = pipeline_of(broken, Answer(source))
    async with pipeline:
        with pytest.raises(InternalError):
            await pipeline.handle(CHAT)
    assert source.closed
    assert [(line["status"], line["outcome"]) for line in lines] == [(500, "failed")]


ENDINGS: dict[str, tuple[Callable[[], FakeSource], str, int]] = {
    "complete": (lambda: FakeSource(b"a\n", b".\n"), "complete", 200),
    "failed": (lambda: FakeSource(b"a\n", UpstreamInterrupted("cut")), "failed", 200),
    "closed": (lambda: FakeSource(b"a\n", b".\n"), "aborted", 200),
}


@pytest.mark.parametrize("way", sorted(ENDINGS))
async def test_embedded_use_writes_one_record_after_every_stage_has_spoken(way: str) -> None:
    source, outcome, status = ENDINGS[way]
    pipeline, lines = pipeline_of(Passes(), Answer(source()))
    async with pipeline:
        response = await pipeline.handle(CHAT)
        assert lines == []
        await (response.body.next_piece() if way == "closed" else read(response.body))
        for _ in range(2):
            await response.body.aclose()
    (line,) = lines
    assert (line["outcome"], line["status"], line["gateway"], line["model"]) == (outcome, status, "edge", "m")
    assert line["seen"] == way


async def test_events_may_be_read_instead_of_bytes() -> None:
    pipeline, lines = pipeline_of(Answer(FakeSource(b"a\nb\n", b".\n")))
    async with pipeline:
        response = await pipeline.handle(CHAT)
        assert await texts(response.body) == ["a", "b"]
    assert [line["outcome"] for line in lines] == ["complete"]


async def test_a_request_that_is_cancelled_before_its_head_is_aborted() -> None:
    pipeline, lines = pipeline_of(Hangs(), Answer())
    async with pipeline, anyio.create_task_group() as group:
        group.start_soon(pipeline.handle, CHAT)
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert [(line["outcome"], line["status"]) for line in lines] == [("aborted", 499)]


async def test_whoever_brings_a_record_writes_it() -> None:
    pipeline, lines = pipeline_of(Answer(FakeSource(b"a\n.\n"), Overloaded("full")))
    async with pipeline:
        record = pipeline.record("r1")
        await read((await pipeline.handle(CHAT, record=record)).body)
        assert lines == []
        record.write()
        with pytest.raises(Overloaded):
            await pipeline.handle(CHAT, record=pipeline.record("r2"))
    assert [(line["outcome"], line["bytes_out"], line["ts"]) for line in lines] == [
        ("complete", 4, "1970-01-01T00:16:40.000+00:00")
    ]


async def test_a_gateway_may_be_given_by_itself() -> None:
    pipeline, _ = pipeline_of(Answer(InvalidRequest("no")))
    async with pipeline:
        with pytest.raises(InvalidRequest):
            await pipeline.handle(CHAT, gateway=pipeline.gateway("edge"))


async def test_requests_at_once_share_nothing() -> None:
    sources = [FakeSource(b"a\n.\n"), FakeSource(b"b\n", UpstreamInterrupted("cut"))]
    pipeline, lines = pipeline_of(Passes(), Answer(*sources))
    pieces: dict[str, list[bytes]] = {}

    async def one(id: str) -> None:
        pieces[id] = await read((await pipeline.handle(CHAT.evolve(id=id))).body)

    async with pipeline, anyio.create_task_group() as group:
        group.start_soon(one, "r1")
        group.start_soon(one, "r2")
    assert sorted(pieces.values()) == [[b"a\n.\n"], [b"b\n", b"!cut\n"]]
    assert {line["request_id"] for line in lines} == {"r1", "r2"}
    assert sorted(line["outcome"] for line in lines) == ["complete", "failed"]
