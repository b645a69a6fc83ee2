"""Whose fault an upstream's refusal is: the caller's for what was asked, the upstream's for how busy it is."""

from __future__ import annotations

import pytest

from pipeline import Event, Headers, Request, UpstreamInterrupted
from stages.dialects.openai.dialect import OpenAI
from tests.stages.fakes import FakeClock

ERROR = b'{"error": {"message": "no", "type": "t", "param": null, "code": null}}'


@pytest.mark.parametrize(
    ("status", "origin"),
    [(400, "caller"), (404, "caller"), (422, "caller"), (408, "upstream"), (429, "upstream"), (500, "upstream")],
)
@pytest.mark.parametrize("body", [ERROR, b"<html>"])
def test_blame_follows_the_status(status: int, origin: str, body: bytes) -> None:
    assert OpenAI().decode_error(status, Headers(), body).origin == origin


def test_no_piece_of_an_error_body_is_logged() -> None:
    error = OpenAI().decode_error(500, Headers(), b"<html>the prompt, repeated</html>")
    assert "prompt" not in str(error.facts())


def test_a_choice_that_ends_in_error_fails_the_answer() -> None:
    complete = OpenAI().completer(Request("chat", model="m", stream=True), model="m", id="1", clock=FakeClock())
    with pytest.raises(UpstreamInterrupted):
        complete(Event({"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]}))
