"""A failure is raised while the answer can still have a true status; later it is one error event and then the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipeline import (
    END,
    Body,
    Event,
    GatewayError,
    InternalError,
    Outcome,
    OutcomeKind,
    UpstreamGarbage,
    UpstreamInterrupted,
)
from tests.pipeline.fakes import FakeSource, LineDecoder, LineEncoder, line_body, read, word

CUT = UpstreamInterrupted("cut")


def watched(body: Body) -> list[Outcome]:
    outcomes: list[Outcome] = []
    body.on_end(outcomes.append)
    return outcomes


@pytest.mark.parametrize("steps", [(CUT,), (b"", CUT), (b"half a li", CUT), (b"!cut\n",)])
async def test_before_the_first_byte_a_failure_is_raised(steps: tuple[bytes | Exception, ...]) -> None:
    source = FakeSource(*steps)
    body = line_body(source)
    outcomes = watched(body)
    with pytest.raises(GatewayError, match="cut"):
        await body.next_piece()
    assert outcomes[0].kind is OutcomeKind.FAILED
    assert source.closed
    assert await read(body) == [], "the failure was told; what is left is the end"
    assert len(outcomes) == 1


@pytest.mark.parametrize("steps", [(b"a\n", CUT), (b"a\n", b"!cut\nb\n.\n"), (b"a\n!cut\n.\n",)])
async def test_after_the_first_byte_it_is_one_error_event_and_then_the_end(
    steps: tuple[bytes | Exception, ...],
) -> None:
    source = FakeSource(*steps)
    body = line_body(source)
    outcomes = watched(body)
    assert await read(body) == [b"a\n", b"!cut\n"]
    (outcome,) = outcomes
    assert outcome.kind is OutcomeKind.FAILED
    assert outcome.error is not None
    assert (outcome.error.message, outcome.pieces, outcome.bytes) == ("cut", 2, 7)
    assert source.closed


@pytest.mark.parametrize("mapped", [False, True])
async def test_the_frames_before_a_failure_in_the_same_read_leave_first(mapped: bool) -> None:
    body = line_body(FakeSource(b"a\nb\n!cut\n"))
    if mapped:
        body.map(lambda event: event.map_text(lambda _, text: text + "'"))
    assert await read(body) == [b"a'\nb'\n" if mapped else b"a\nb\n", b"!cut\n"]


async def test_a_whole_answer_fails_as_a_whole() -> None:
    source = FakeSource(b"a\n", b"b\n", CUT)
    body = line_body(source, encoder=LineEncoder(whole=True))
    outcomes = watched(body)
    with pytest.raises(UpstreamInterrupted):
        await read(body)
    assert (outcomes[0].kind, outcomes[0].bytes, source.closed) == (OutcomeKind.FAILED, 0, True)


async def test_reading_events_sees_those_before_the_failure_and_then_the_failure() -> None:
    source = FakeSource(b"a\nb\n!cut\n")
    body = line_body(source)
    outcomes = watched(body)
    assert [(await anext(body)).text, (await anext(body)).text] == ["a", "b"]
    with pytest.raises(UpstreamGarbage, match="cut"):
        await anext(body)
    assert (outcomes[0].kind, source.closed) == (OutcomeKind.FAILED, True)


async def test_collecting_a_broken_stream_raises() -> None:
    with pytest.raises(UpstreamInterrupted):
        await line_body(FakeSource(b"a\n", CUT)).collect()


async def test_an_unknown_exception_is_opaque_and_keeps_its_cause() -> None:
    cause = OSError("a secret path")
    body = line_body(FakeSource(cause))
    with pytest.raises(InternalError) as caught:
        await body.next_piece()
    assert "secret" not in str(caught.value.public())
    assert caught.value.__cause__ is cause


def failing_at(text: str) -> Callable[[Event], Event]:
    def f(event: Event) -> Event:
        if event.text == text:
            raise ValueError("a stage's bug")
        return event

    return f


def failing_frame(frame: bytes) -> bytes:
    if frame == b"b\n":
        raise ValueError("a stage's bug")
    return frame


ATTACH: dict[str, Callable[[Body], None]] = {
    "map": lambda body: body.map(failing_at("b")),
    "expand": lambda body: body.expand(lambda event: (failing_at("b")(event),)),
    "patch": lambda body: body.patch(failing_frame),
}


@pytest.mark.parametrize("kind", sorted(ATTACH))
async def test_a_function_that_raises_in_the_middle_of_a_read_keeps_what_came_before(kind: str) -> None:
    body = line_body(FakeSource(b"a\nb\nc\n.\n"))
    ATTACH[kind](body)
    outcomes = watched(body)
    first, last = await read(body)
    assert first == b"a\n"
    assert last.startswith(b"!The gateway failed")
    assert isinstance(outcomes[0].error, InternalError)
    assert isinstance(outcomes[0].error.__cause__, ValueError)


@pytest.mark.parametrize("kind", sorted(ATTACH))
async def test_a_function_that_raises_at_once_fails_before_the_first_byte(kind: str) -> None:
    body = line_body(FakeSource(b"b\n.\n"))
    ATTACH[kind](body)
    with pytest.raises(InternalError):
        await read(body)


async def test_an_event_that_cannot_be_written_keeps_what_came_before() -> None:
    body = line_body(FakeSource(b"a\n\xff\nc\n.\n"), encoder=LineEncoder(dialect="other"))
    first, last = await read(body)
    assert first == b"a\n"
    assert last.startswith(b"!The gateway failed")


async def test_a_whole_answer_that_a_function_spoils_is_not_written_at_all() -> None:
    body = line_body(FakeSource(b"a,b\n"), encoder=LineEncoder(whole=True), decoder=LineDecoder(whole=True))
    body.map(failing_at("b"))
    with pytest.raises(InternalError):
        await read(body)


async def test_a_stage_may_word_the_last_event_but_not_undo_the_failure() -> None:
    body = line_body(FakeSource(b"a\n", CUT))
    outcomes = watched(body)
    body.on_error(lambda error: Event({"error": {"message": f"inner says {error}"}}))
    body.on_error(lambda error: None)
    body.on_error(lambda error: Event({"error": {"message": f"outer says {error}"}}))
    assert await read(body) == [b"a\n", b"!outer says cut\n"]
    assert (outcomes[0].kind, outcomes[0].error) == (OutcomeKind.FAILED, CUT)


async def test_a_stage_cannot_pass_a_failure_off_as_success() -> None:
    body = line_body(FakeSource(b"a\n", CUT))
    body.on_error(lambda error: END.with_data({"error": {"message": "all is well"}}))
    assert await read(body) == [b"a\n", b"!all is well\n"]


async def test_a_stage_that_fails_to_word_the_error_leaves_the_others_words(caplog: pytest.LogCaptureFixture) -> None:
    source = FakeSource(b"a\n", CUT)
    body = line_body(source)
    outcomes = watched(body)

    def faulty(error: GatewayError) -> Event | None:
        raise KeyError("a stage's bug")

    body.on_error(lambda error: Event({"error": {"message": "inner words"}}))
    body.on_error(faulty)
    assert await read(body) == [b"a\n", b"!inner words\n"]
    assert (outcomes[0].error, source.closed) == (CUT, True)
    assert "faulty raised while a body ended" in caplog.text


async def test_closing_early_words_no_error() -> None:
    asked: list[GatewayError] = []
    body = line_body(FakeSource(b"a\n", CUT))
    body.on_error(lambda error: asked.append(error))
    await body.next_piece()
    await body.aclose()
    assert asked == []


async def test_a_generator_that_fails_fails_the_body() -> None:
    async def events() -> object:
        yield Event(word("a"))
        raise UpstreamInterrupted("made up")

    body = Body.of(events())  # type: ignore[arg-type]  # an async generator, whose type says less than it is
    body.bind(LineEncoder())
    assert await read(body) == [b"a\n", b"!made up\n"]


async def test_after_the_upstream_s_own_error_nothing_more_is_asked_of_it() -> None:
    source = FakeSource(b"a\n!cut\n", b"b\n")
    assert await read(line_body(source)) == [b"a\n", b"!cut\n"]
    assert source.calls == ["next", "aclose"]


async def test_half_a_whole_answer_is_not_finished_with_an_error_event() -> None:
    class Forwards(LineDecoder):
        """Hands the bytes of a whole answer on as they come."""

        def feed(self, piece: bytes) -> list[bytes]:
            return [piece]

    body = line_body(FakeSource(b"a,", CUT), encoder=LineEncoder(whole=True), decoder=Forwards(whole=True))
    assert await body.next_piece() == b"a,"
    with pytest.raises(UpstreamInterrupted, match="cut"):
        await body.next_piece()
