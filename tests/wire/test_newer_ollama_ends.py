"""How streams of newer Ollama servers end, well or badly: through both faces, by official clients.

Scripted from protocol.md 1.10 and 1.11: text and tool calls on the last line, reasons nobody has heard of, an error in
the middle, and an end without a last line. Whatever happened, a client hears the truth once.
"""

from __future__ import annotations

import ollama
import openai
import pytest

from tests.stages.dialects.openai.stream_schema import parse_stream
from tests.wire.newer_faces import ASK, OPENAI_PATH, NewerFaces, ask_ollama, ask_openai
from tests.wire.newer_ollama import CREATED, THINKER, call, done, error, line

CALLS = [call("f", {"a": 1}, id="call_a1b2c3d4")]
both_ways = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


# -- ends -------------------------------------------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize("newline", [True, False], ids=["newline", "no newline"])
def test_text_on_the_last_line_is_said(newer: NewerFaces, newline: bool, stream: bool) -> None:
    newer.server.says(line("All is "), done("well."), newline=newline)
    answer = ask_openai(newer, stream)
    assert (answer.content, answer.finish, answer.created) == ("All is well.", "stop", CREATED)
    parts = ask_ollama(newer, stream)
    assert "".join(part.message.content or "" for part in parts) == "All is well."
    assert parts[-1].done
    assert (parts[-1].prompt_eval_count, parts[-1].eval_count) == (7, 9)


def finish(newer: NewerFaces, stream: bool) -> str:
    """The one finish reason, from the bytes: the client's accumulator raises for `length`."""
    answer = newer.plain(OPENAI_PATH, stream=stream)
    pieces = parse_stream(answer.body).chunks if stream else [answer.json]
    reasons = [choice["finish_reason"] for piece in pieces for choice in piece["choices"]]
    (reason,) = [reason for reason in reasons if reason is not None]
    return str(reason)


ENDS = {"stop": "stop", "length": "length", None: "stop", "a new word": "stop"}


@both_ways
@pytest.mark.parametrize("reason", ENDS)
def test_a_finish_reason_is_one_that_clients_know(newer: NewerFaces, reason: str | None, stream: bool) -> None:
    newer.server.says(done("Well.", reason))
    assert finish(newer, stream) == ENDS[reason]


@both_ways
def test_calls_cut_by_the_limit_are_no_calls_to_make(newer: NewerFaces, stream: bool) -> None:
    newer.server.says(done(reason="length", tool_calls=CALLS))
    assert finish(newer, stream) == "length"


# -- failures ---------------------------------------------------------------------------------------------------------

CUT = {
    "an error": ((line("Hel"), error("boom")), "boom", "upstream_error"),
    "no end": ((line("Hel"), line("lo")), None, "upstream_incomplete"),
}


def heard_by_openai(newer: NewerFaces) -> tuple[str, Exception | None]:
    """What the official client had said before it raised, and what it raised."""
    heard = ""
    try:
        for one in newer.openai.chat.completions.create(model=THINKER, messages=ASK, stream=True):
            heard += one.choices[0].delta.content or ""
    except openai.OpenAIError as error:
        return heard, error
    return heard, None


def heard_by_ollama(newer: NewerFaces) -> tuple[str, Exception | None]:
    heard = ""
    try:
        for part in newer.ollama.chat(THINKER, ASK, stream=True):
            heard += part.message.content or ""
    except ollama.ResponseError as error:
        return heard, error
    return heard, None


@pytest.mark.parametrize("cut", CUT)
def test_a_stream_that_fails_ends_in_one_typed_error(newer: NewerFaces, cut: str) -> None:
    lines, message, code = CUT[cut]
    newer.server.says(*lines)
    heard, raised = heard_by_openai(newer)
    assert heard.startswith("Hel")
    assert isinstance(raised, openai.APIError)
    assert raised.code == code
    assert message is None or message in raised.message
    body = newer.plain(OPENAI_PATH, stream=True).body
    assert b"[DONE]" not in body
    assert body.count(b'"error"') == 1

    heard, refused = heard_by_ollama(newer)
    assert heard.startswith("Hel")
    assert isinstance(refused, ollama.ResponseError)
    assert message is None or message in refused.error
    *said, last = newer.lines(stream=True)
    assert not any(each["done"] for each in said)
    assert list(last) == ["error"]


@pytest.mark.parametrize("cut", CUT)
def test_a_whole_answer_that_fails_has_a_true_status(newer: NewerFaces, cut: str) -> None:
    lines, message, code = CUT[cut]
    newer.server.says(*lines)
    with pytest.raises(openai.InternalServerError) as raised:
        ask_openai(newer, stream=False)
    assert (raised.value.status_code, raised.value.code) == (502, code)
    with pytest.raises(ollama.ResponseError) as refused:
        ask_ollama(newer, stream=False)
    assert refused.value.status_code >= 500
    assert message is None or message in refused.value.error


def test_an_error_before_the_first_line_is_no_stream_at_all(newer: NewerFaces) -> None:
    newer.server.says(error("boom"))
    with pytest.raises(openai.InternalServerError) as raised:
        ask_openai(newer, stream=True)
    assert (raised.value.status_code, raised.value.code) == (502, "upstream_error")
