"""A stream ends exactly once, in its done line or in one error, wherever it is cut (laws 29, 30, 34; 1.10.5-7)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import OutcomeKind, UpstreamTimeout
from tests.stages.dialects.ollama.served import DONE, ask, chunk, line, serve
from tests.stages.dialects.served import Served
from tests.stages.dialects.sse_streams import cuts

LINES = [
    line({"thinking": "hm"}),
    line("Hé"),
    line({"tool_calls": [{"function": {"name": "f", "arguments": {"done": True, "error": "no"}}}]}),
    line(" there", done=True, done_reason="stop", prompt_eval_count=3, eval_count=4),
]
CHUNKS = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Hé"}),
    chunk({"tool_calls": [{"index": 0, "id": "x", "function": {"name": "f", "arguments": "{}"}}]}),
    chunk({}, "tool_calls"),
    DONE,
]


def ended_well(served: Served, dialect: str) -> bool:
    """Whether it was a success; fails unless it ended exactly once, and the outcome says the same."""
    if dialect == "openai":
        events = served.events
        done = events[-1:] == ["[DONE]"]
        errors = [event for event in events if event != "[DONE]" and "error" in event]
        assert events.count("[DONE]") == done
    else:
        lines = served.lines
        done = bool(lines) and lines[-1].get("done") is True
        errors = [line for line in lines if "error" in line]
        assert [line.get("done") for line in lines].count(True) == done
        assert errors in ([], lines[-1:])
    assert [done, bool(errors), served.raised is not None].count(True) == 1
    assert served.outcome.kind is (OutcomeKind.COMPLETE if done else OutcomeKind.FAILED)
    return done


@pytest.mark.parametrize("client", ["openai", "ollama"])
@pytest.mark.parametrize("upstream", ["openai", "ollama"])
async def test_law_29_every_prefix_then_eof_ends_once(client: str, upstream: str) -> None:
    stream = b"".join(LINES if upstream == "ollama" else CHUNKS)
    # A last line without its end is a line; an event stream's end marker is one without its blank line too.
    complete_at = len(stream) - (1 if upstream == "ollama" else 2)
    for at in range(len(stream) + 1):
        served = await serve(ask(dialect=client), [stream[:at]], upstream=upstream, model="asked")
        assert ended_well(served, client) == (at >= complete_at), at


@pytest.mark.parametrize("client", ["openai", "ollama"])
async def test_an_end_in_the_middle_of_a_line_is_an_incomplete_answer_and_no_half_line(client: str) -> None:
    for at in range(len(LINES[0]) + 1, len(LINES[0]) + len(LINES[1]) - 1):
        served = await serve(ask(dialect=client), [b"".join(LINES)[:at]])
        assert served.outcome.error is not None
        assert served.outcome.error.code == "upstream_incomplete"


@given(pieces=cuts(b"".join(LINES)), client=st.sampled_from(["openai", "ollama"]))
async def test_law_34_the_answer_does_not_depend_on_the_cuts(pieces: list[bytes], client: str) -> None:
    served = await serve(ask(dialect=client), pieces)
    assert served.body == (await serve(ask(dialect=client), LINES)).body


@pytest.mark.parametrize("at", range(len(LINES)))
@pytest.mark.parametrize("client", ["openai", "ollama"])
async def test_law_30_an_error_at_any_place_ends_the_stream_there(client: str, at: int) -> None:
    before = await serve(ask(dialect=client), LINES[:at])
    served = await serve(ask(dialect=client), [*LINES[:at], b'{"error":"boom"}\n', *LINES[at:]])
    assert not ended_well(served, client)
    assert (served.outcome.error and served.outcome.error.message) == "boom"
    assert served.pieces[:-1] == before.pieces[:-1]


@pytest.mark.parametrize("client", ["openai", "ollama"])
async def test_a_connection_that_breaks_ends_the_stream_once(client: str) -> None:
    served = await serve(ask(dialect=client), [LINES[0], UpstreamTimeout("silent", work_done="maybe")])
    assert not ended_well(served, client)


@pytest.mark.parametrize("shape", ["complete", "forward"])
@pytest.mark.parametrize("after", [b"\n", b"junk", b"\xff\n", LINES[0], LINES[3], b'{"error":"late"}\n', b"x" * 9])
async def test_nothing_after_the_done_line_counts(after: bytes, shape: Any) -> None:
    for pieces in ([*LINES[:3], LINES[3] + after], [*LINES, after]):
        served = await serve(ask(), pieces, shape=shape)
        assert ended_well(served, "ollama")
        assert len(served.lines) == 4


@pytest.mark.parametrize("client", ["openai", "ollama"])
@pytest.mark.parametrize("bad", [b"{oops}\n", b"[1]\n", b'"text"\n', b'{"done":true]\n', b'{"message":"\xff"}\n'])
async def test_law_39_a_line_that_is_no_json_object_fails_the_stream_after_what_was_good(
    client: str, bad: bytes
) -> None:
    served = await serve(ask(dialect=client), [LINES[0] + bad + LINES[3]])
    assert not ended_well(served, client)
    assert (served.outcome.error and served.outcome.error.code) == "upstream_protocol_error"
    assert b"hm" in served.body


async def test_law_39_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    half = line("x").replace(b'"x"', rb'"a\ud83d\\ud83d\ud83d\ude00"')
    for client in ("openai", "ollama"):
        served = await serve(ask(dialect=client), [half, LINES[3]], model="asked")
        assert ended_well(served, client)
        assert "a\ufffd\\\\ud83d\U0001f600".encode() in served.body


async def test_an_oversized_line_fails_the_stream_after_what_was_good() -> None:
    served = await serve(ask(), [LINES[0] + b"x" * (8 * 1024 * 1024 + 1)])
    assert not ended_well(served, "ollama")
    assert len(served.lines) == 2


async def test_white_space_in_the_end_marker_does_not_hide_it() -> None:
    assert ended_well(await serve(ask(), [LINES[3].replace(b'"done":true', b'"done" :\t true')]), "ollama")


async def test_done_in_the_arguments_of_a_call_is_no_end() -> None:
    assert not ended_well(await serve(ask(), LINES[:3]), "ollama")


async def test_the_counts_of_the_done_line_are_accounted() -> None:
    usage = (await serve(ask(), LINES, shape="forward")).outcome.usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens) == (3, 4)
    half = (await serve(ask(), [line(done=True, eval_count=4)])).outcome.usage
    assert half is not None
    assert (half.input_tokens, half.output_tokens) == (None, 4)
    assert (await serve(ask(), [line(done=True)])).outcome.usage is None


@pytest.mark.parametrize("end", [[], [DONE]])
async def test_a_stream_without_a_finish_reason_is_a_cut_one(end: list[bytes]) -> None:
    served = await serve(ask(), [chunk({"content": "Hi"}), *end], upstream="openai")
    assert not ended_well(served, "ollama")


async def test_an_end_marker_alone_is_an_error_that_still_has_a_status() -> None:
    served = await serve(ask(), [DONE], upstream="openai")
    assert served.raised is not None
    assert served.raised.status == 502
