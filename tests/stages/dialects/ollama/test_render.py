"""A neutral event as a line: nothing twice, nothing of others, and bytes that may go out as they are (laws 32, 39)."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import Data
from stages.dialects.ollama.json_lines import as_line
from stages.dialects.ollama.render import line

SAID = {"reasoning": "r", "tool_calls": [], "mood": 1}
CHOICES: dict[str, Data] = {
    "chat": {"delta": {"role": "assistant", "content": "a", "refusal": None, **SAID}},
    "completion": {"text": "a", "delta": {}, **SAID},
}


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("operation", ["chat", "completion"])
def test_what_is_neutral_is_told_once_and_what_is_not_by_this_dialect_alone(operation: str, own: bool) -> None:
    choice = {"index": 0, "finish_reason": "stop", "logprobs": None, **CHOICES[operation]}
    data = {
        "id": "i",
        "object": "o",
        "created": 5,
        "created_at": "t",
        "model": "m",
        "done_reason": "stop",
        "error": "",
        "choices": [choice],
        "usage": {"prompt_tokens": 3, "completion_tokens": 0},
        "total_duration": 9,
    }
    said = {"thinking": "r", **({"mood": 1} if own else {})}
    assert line(operation, data, model="asked", created_at="now", own=own) == {
        "model": "m",
        "created_at": "t",
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 3,
        **({"message": {"role": "assistant", "content": "a", **said}} if operation == "chat" else {"response": "a"}),
        **(said if operation == "completion" else {}),
        **({"total_duration": 9} if own else {}),
    }


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"", b" \n"])
@pytest.mark.parametrize("text", ["", "é", "…", "\\u00e9", "\\u2028", "\\ud7ff", "an error", "\\n"])
def test_a_line_that_every_reader_takes_goes_out_as_it_is(text: str, end: bytes) -> None:
    frame = f'{{"a":"{text}"}}'.encode()
    assert as_line(frame + end) == frame + b"\n"


@pytest.mark.parametrize(
    "frame",
    [
        *('{"a":\n1}', '{"a":\r1}', '{"a":"\u0085"}', '{"a":"\u2028"}', '{"a":"\u2029"}', '{"error":null}', "", " \n"),
        *(f'{{"a":"\\u{half}"}}' for half in ("d800", "D800", "dbff", "DBFF", "dc00", "dfff", "DFFF", "d9AB")),
    ],
)
def test_one_that_some_reader_would_cut_or_refuse_is_written_afresh(frame: str) -> None:
    """Half a surrogate pair among them: strict readers of JSON refuse the line, or the whole answer."""
    assert as_line(frame.encode()) is None


def test_only_the_first_choice_is_a_line() -> None:
    choices: list[Any] = [{"index": 1, "text": "b"}, {"index": 0, "text": "a"}]
    assert line("completion", {"choices": choices}, model="m", created_at="t", own=True)["response"] == "a"
