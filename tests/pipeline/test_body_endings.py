"""A body ends once: every observer hears of it once, outer first, then everything held is released once."""

from __future__ import annotations

import pytest

from pipeline import Body, Outcome, OutcomeKind, UpstreamInterrupted, Usage
from tests.pipeline.fakes import FakeSource, line_body, read, words


class Ending:
    """Three stages' worth of observers and releases, each of which says when it was called."""

    def __init__(self, body: Body, log: list[str]) -> None:
        self.log = log
        self.outcomes: list[Outcome] = []
        for name in ("inner", "middle", "outer"):
            self._attach(body, name)

    def _attach(self, body: Body, name: str) -> None:
        async def release() -> None:
            self.log.append(f"{name} closes")

        def observe(outcome: Outcome) -> None:
            self.outcomes.append(outcome)
            self.log.append(f"{name} hears")

        body.on_end(observe)
        body.on_close(release)


HEARD = ["outer hears", "middle hears", "inner hears"]
CLOSED = ["outer closes", "middle closes", "inner closes"]


@pytest.mark.parametrize("way", ["complete", "failed", "closed", "closed unread"])
async def test_everyone_hears_once_outer_first_then_everything_closes_once(way: str) -> None:
    log: list[str] = []
    source = FakeSource(b"a\n", *((b".\n",) if way == "complete" else ()), log=log)
    body = line_body(source)
    ending = Ending(body, log)
    if way == "closed":
        await body.next_piece()
    elif way != "closed unread":
        await read(body)
    for _ in range(2):
        await body.aclose()
    assert await body.next_piece() is None

    kinds = {"complete": OutcomeKind.COMPLETE, "failed": OutcomeKind.FAILED}
    assert {outcome.kind for outcome in ending.outcomes} == {kinds.get(way, OutcomeKind.CLOSED)}
    assert source.closed
    assert body.closed
    # The end of the source has released it; otherwise it is closed after everything that may still need it.
    closes = ["aclose"] if way.startswith("closed") else []
    assert [line for line in log if line != "next"] == HEARD + CLOSED + closes


async def test_reading_events_ends_the_same_way() -> None:
    log: list[str] = []
    body = line_body(FakeSource(b"a\n.\n", log=log))
    ending = Ending(body, log)
    assert [event.text async for event in body] == ["a", ""]
    assert [event async for event in body] == []
    assert [outcome.kind for outcome in ending.outcomes] == [OutcomeKind.COMPLETE] * 3
    assert [line for line in log if line != "next"] == HEARD + CLOSED


async def test_the_outcome_counts_what_was_handed_out() -> None:
    outcomes: list[Outcome] = []
    body = line_body(FakeSource(b"one\n", b"#3,5\n.\n"))
    body.on_end(outcomes.append)
    await read(body)
    (outcome,) = outcomes
    assert (outcome.pieces, outcome.bytes, outcome.usage) == (2, 11, Usage(3, 5))
    assert outcome.first_out_at is not None
    assert outcome.first_waited_seconds > 0


async def test_an_unread_body_has_handed_out_nothing() -> None:
    outcomes: list[Outcome] = []
    body = line_body(FakeSource(b"one\n"))
    body.on_end(outcomes.append)
    await body.aclose()
    assert outcomes == [Outcome(OutcomeKind.CLOSED)]


async def test_an_end_without_the_end_marker_is_a_failure() -> None:
    outcomes: list[Outcome] = []
    body = line_body(FakeSource(b"a\n"))
    body.on_end(outcomes.append)
    assert await read(body) == [b"a\n", b"!no end marker\n"]
    assert isinstance(outcomes[0].error, UpstreamInterrupted)


async def test_who_is_last_hears_after_every_stage() -> None:
    log: list[str] = []
    body = line_body(FakeSource(b".\n", log=log))
    Ending(body, log)
    body.bind(body.encoder, last=lambda outcome: log.append("last hears"))  # type: ignore[arg-type]  # bound already
    await read(body)
    assert [line for line in log if line.endswith("hears")] == [*HEARD, "last hears"]


async def test_an_observer_that_raises_is_logged_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    log: list[str] = []
    body = line_body(FakeSource(b"a\n.\n", log=log))
    ending = Ending(body, log)

    def faulty(outcome: Outcome) -> None:
        raise ValueError("an observer's bug")

    body.on_end(faulty)
    assert await read(body) == [b"a\n.\n"]
    assert [line for line in log if line != "next"] == HEARD + CLOSED
    assert len(ending.outcomes) == 3
    assert "faulty raised while a body ended" in caplog.text


async def test_a_release_that_raises_is_logged_and_the_others_run(caplog: pytest.LogCaptureFixture) -> None:
    log: list[str] = []
    body = line_body(FakeSource(b"a\n", log=log))
    Ending(body, log)

    async def faulty() -> None:
        raise ValueError("a release's bug")

    body.on_close(faulty)
    await body.aclose()
    assert log == [*HEARD, *CLOSED, "aclose"]
    assert "faulty raised while a body ended" in caplog.text


async def test_a_source_that_cannot_be_closed_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Stuck(FakeSource):
        async def aclose(self) -> None:
            raise OSError("broken already")

    await line_body(Stuck(b"a\n")).aclose()
    assert "aclose raised while a body ended" in caplog.text


async def test_what_comes_after_the_end_marker_is_read_so_that_the_connection_can_be_used_again() -> None:
    source = FakeSource(b"a\n.\n", b"trailer\n", b"more\n")
    body = line_body(source)
    assert await body.next_piece() == b"a\n.\n"
    assert source.asked == 1, "the answer leaves before the rest is waited for"
    assert await body.next_piece() is None
    assert source.calls == ["next"] * 4


async def test_a_connection_that_breaks_after_the_end_marker_does_not_spoil_the_answer() -> None:
    outcomes: list[Outcome] = []
    source = FakeSource(b"a\n.\n", UpstreamInterrupted("reset"))
    body = line_body(source)
    body.on_end(outcomes.append)
    assert await read(body) == [b"a\n.\n"]
    assert outcomes[0].kind is OutcomeKind.COMPLETE
    assert source.calls == ["next", "next", "aclose"]


async def test_events_not_yet_handed_out_are_gone_after_closing() -> None:
    body = line_body(FakeSource(b"a\nb\n.\n"))
    await anext(body)
    await body.aclose()
    assert [event async for event in body] == []


async def test_events_made_here_end_complete_and_count_their_tokens() -> None:
    outcomes: list[Outcome] = []
    events = words("a")
    body = Body.of([events[0], events[0].with_data({"usage": {"prompt_tokens": 1, "completion_tokens": 2}})])
    body.on_end(outcomes.append)
    assert len([event async for event in body]) == 2
    assert (outcomes[0].kind, outcomes[0].usage) == (OutcomeKind.COMPLETE, Usage(1, 2))
