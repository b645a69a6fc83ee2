"""Why an answer ended, in Ollama's words and in the neutral ones (protocol.md 3.2, 3.4)."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import UpstreamInterrupted
from stages.dialects.ollama import finish


@pytest.mark.parametrize("called", [False, True])
@pytest.mark.parametrize(
    ("done_reason", "word", "own"),
    [
        *((word, word, False) for word in ("length", "content_filter", "load", "unload")),
        *((nothing, None, False) for nothing in ("stop", "", None, 5, ["length"])),
        *((strange, None, True) for strange in ("tool_calls", "max_tokens", "eos", "Stop")),
    ],
)
def test_a_word_that_only_some_servers_know_is_kept_beside_the_neutral_one(
    done_reason: Any, word: str | None, own: bool, called: bool
) -> None:
    neutral = word or ("tool_calls" if called else "stop")
    assert finish.read(done_reason, called=called) == neutral
    assert finish.is_own(done_reason) == own
    assert finish.written(neutral, done_reason) == (done_reason if own else word or "stop")


@pytest.mark.parametrize(
    ("given", "word"),
    [
        *(("stop", None), ("tool_calls", None), ("function_call", None), ("eos", None), ("", None)),
        *(("length", "length"), ("max_tokens", "length"), ("content_filter", "content_filter")),
    ],
)
def test_another_dialects_word_is_one_of_those_that_there_are(given: str, word: str | None) -> None:
    assert finish.neutral(given, called=False) == (word or "stop")
    assert finish.neutral(given, called=True) == (word or "tool_calls")


def test_an_error_for_a_reason_is_a_failure() -> None:
    with pytest.raises(UpstreamInterrupted) as caught:
        finish.neutral("error", called=False)
    assert caught.value.work_done == "maybe"


def test_nothing_was_generated_where_a_model_was_only_loaded() -> None:
    assert {"load", "unload"} == finish.UNTIMED
