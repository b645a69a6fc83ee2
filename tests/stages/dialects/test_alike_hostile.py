"""Frames that only seem alike, and those that are meant to cost too much."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import Event, Headers
from pipeline.testing import VirtualClock
from stages.dialects.ollama.dialect import Ollama
from tests.stages.dialects.completed import (
    DIALECTS,
    STREAM_TYPES,
    WAYS,
    Change,
    as_it_is,
    asked,
    ended,
    frame,
    told,
    without_texts,
)

ROOT = Path(__file__).parents[3]
SAID = '{"id": "1", "choices": [{"index": 0, "delta": {%s}}]}'
PARTS = '"content": [{"text": "%s"}, {"text":  "2"}], "x": [' + ", ".join('{"text": "x"}' for _ in range(12)) + "]"


@pytest.mark.parametrize("way", WAYS[::2])
@pytest.mark.parametrize(
    "said",
    [
        pytest.param('"reasoning_details": [{"text": "%s"}, {"summary": "5"}]', id="digits are joined to a text"),
        pytest.param(PARTS, id="digits are joined to one of many texts"),
        pytest.param(r'"content": "%s", "x": "gatewright\u003a text 0"', id="an escaped mark"),
        pytest.param('"content": "%s"}, "y": {"id": "gatewright: text 7;"', id="an object that says a mark"),
    ],
)
def test_no_text_is_taken_for_a_mark(way: tuple[str, str], said: str) -> None:
    frames = [b"data: " + (SAID % (said % text)).encode() + b"\n\n" for text in ("a", "b", "c")]
    assert list(told(way, "chat", frames, as_it_is, ())) == list(told(way, "chat", frames, without_texts, ()))


@pytest.mark.parametrize("way", WAYS[::2])
def test_a_text_does_not_go_on_in_the_next_line(way: tuple[str, str]) -> None:
    frames = [b': "content":"\n' + frame(way, text) for text in ("a", "b", "c")]
    answers = list(told(way, "chat", frames, as_it_is, ()))
    assert answers == list(told(way, "chat", frames, without_texts, ()))
    assert all(isinstance(answer, bytes) for answer in answers)


@pytest.mark.parametrize("way", WAYS[::2])
def test_an_event_that_a_stage_has_rewritten_may_change_what_follows(way: tuple[str, str]) -> None:
    """One that ends the choice: what is said after it is not passed on."""
    frames = [frame(way, "a"), frame(way, "b"), frame(way, "c"), ended(frame(way, "text")), frame(way, "d")]

    def told_with(change: Change) -> list[bytes | str]:
        def rewritten(event: Event) -> Event:
            ends = event.frame is not None and b'"stop"' in event.frame
            return event.with_data({**event.data, "seen": 1}) if ends else change(event)

        return list(told(way, "chat", frames, rewritten, ()))

    assert told_with(as_it_is) == told_with(without_texts)


def test_a_line_that_a_stage_adds_is_not_older_than_one_that_was_written_afresh() -> None:
    clock, request = VirtualClock(), asked("ollama", "chat")
    decoder = DIALECTS["openai"].decoder(request, Headers([("content-type", STREAM_TYPES["openai"])]))
    complete, encoder = Ollama().completer(request, model="asked", id="1", clock=clock), Ollama().encoder(request)
    frames = [frame(("openai", "ollama"), text) for text in ("a", "b", "c", "d")]
    frames[-1] = frames[-1].replace(b'"id"', b'"x": 1, "id"')
    times = []
    for each in frames:
        clock.advance(1)
        made = [event for decoded in decoder.events(each) for event in complete(decoded)]
        times += [json.loads(encoder.encode(event))["created_at"] for event in made]
    added = Event({"choices": [{"index": 0, "delta": {"content": "more"}}]})
    assert json.loads(encoder.encode(added))["created_at"] == times[-1] > times[-2]


@pytest.mark.parametrize("way", [("openai", "openai"), ("ollama", "openai")])
def test_a_very_long_text_takes_memory_for_itself_alone(way: tuple[str, str]) -> None:
    """A pattern that remembers where it could have gone back to takes a hundred times as much, which is not seen by
    `tracemalloc`."""
    program = (
        "import resource\n"
        "from tests.stages.dialects.completed import as_it_is, frame, told\n"
        f"frames = [frame({way!r}, text) for text in ('a' * 2_000_000, 'b')]\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"assert len(list(told({way!r}, 'chat', frames, as_it_is, ()))) == 2\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert int(ran.stdout) < 100_000  # KB
