"""What is made of a frame by its likeness to another is what the long way makes of it; and it is made so."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Event, Headers
from pipeline.testing import VirtualClock
from stages.dialects.ollama.dialect import Ollama
from tests.stages.dialects.completed import (
    DIALECTS,
    STREAM_TYPES,
    WAYS,
    as_it_is,
    asked,
    ended,
    frame,
    framed,
    told,
    without_texts,
)
from tests.stages.dialects.openai.wild import wild_answers

TEXTS = st.text(max_size=6) | st.sampled_from(["", "a", "way", '"', "\\", 'x"},"', "\u2028", "é", "\n", "stop", "m"])
NAMES = st.sampled_from(["content", "reasoning", "reasoning_content", "text", "response", "thinking", "refusal"])
WHEN = st.sampled_from(["2026-11-22T10:15:30Z", "2026-11-22T10:15:31.5Z", "", "never"])
SPACES = st.sampled_from(["", "", "", " ", "\n"])


@st.composite
def chunks(draw: st.DrawFn) -> dict[str, Any]:
    """A chunk of an OpenAI server: mostly one text more, sometimes anything that a chunk may be."""
    delta: dict[str, Any] = {draw(NAMES): draw(TEXTS) for _ in range(draw(st.integers(1, 2)))}
    if draw(st.integers(0, 6)) == 0:
        call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        delta["tool_calls"] = [call]
    choice: dict[str, Any] = {"index": draw(st.sampled_from([0, 0, 0, 1])), "delta": delta, **delta}
    if draw(st.integers(0, 6)) == 0:
        choice["logprobs"] = {"content": [{"token": "a", "logprob": -1.0, "bytes": [97], "top_logprobs": []}]}
    if draw(st.integers(0, 9)) == 0:
        choice["finish_reason"] = draw(st.sampled_from(["stop", "length", None, ""]))
    chunk: dict[str, Any] = {"id": "1", "model": draw(st.sampled_from(["m", "m", "way"])), "choices": [choice]}
    if draw(st.integers(0, 6)) == 0:
        chunk |= draw(wild_answers())
    return {**chunk, "obfuscation": draw(TEXTS)}


@st.composite
def lines(draw: st.DrawFn) -> dict[str, Any]:
    """The same of an Ollama server."""
    said: dict[str, Any] = {draw(NAMES): draw(TEXTS) for _ in range(draw(st.integers(1, 2)))}
    if draw(st.integers(0, 6)) == 0:
        said["tool_calls"] = [{"function": {"name": "f", "arguments": {"content": draw(TEXTS)}}}]
    line = {"model": "m", "created_at": draw(WHEN), "message": said, "response": draw(TEXTS), "done": False}
    if draw(st.integers(0, 6)) == 0:
        line |= {"prompt_eval_count": 3, "done_reason": draw(TEXTS)}
    return line


@st.composite
def streams(draw: st.DrawFn, upstream: str) -> list[bytes]:
    """Frames, each several times with other texts, in one spelling or another."""
    frames: list[bytes] = []
    for item in draw(st.lists(chunks() if upstream == "openai" else lines(), min_size=1, max_size=4)):
        ascii_only, separators = draw(st.booleans()), draw(st.sampled_from([(",", ":"), (", ", ": ")]))
        for _ in range(draw(st.integers(1, 4))):
            text = json.dumps(_retold(item, draw), ensure_ascii=ascii_only, separators=separators)
            space = draw(SPACES)
            frames.append(framed(upstream, text.replace(':"', f':{space}"') if space else text))
    return frames


def _retold(value: Any, draw: st.DrawFn, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _retold(inner, draw, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_retold(inner, draw) for inner in value]
    if name == "created_at":
        return draw(WHEN)
    told = name in ("content", "reasoning", "reasoning_content", "text", "response", "thinking", "obfuscation")
    return draw(TEXTS) if told and isinstance(value, str) else value


@pytest.mark.parametrize("way", WAYS)
@given(data=st.data())
def test_it_is_what_the_long_way_makes(way: tuple[str, str], data: st.DataObject) -> None:
    frames = data.draw(streams(way[0]))
    operation = data.draw(st.sampled_from(["chat", "completion"]))
    fields = data.draw(st.sampled_from([(), ("reasoning",), ("reasoning", "reasoning_content")]))
    long = list(told(way, operation, frames, without_texts, fields))
    assert list(told(way, operation, frames, as_it_is, fields)) == long


def spaced(frame: bytes) -> bytes:
    return frame.replace(b'"text', b'\n"text')


def marked(frame: bytes) -> bytes:
    return frame.replace(b"{", b'{"x": "gatewright: text 1", ', 1)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("bend", [ended, spaced, marked])
@pytest.mark.parametrize("later", [False, True])
def test_not_what_only_looks_like_it(way: tuple[str, str], bend: Callable[[bytes], bytes], later: bool) -> None:
    frames = [frame(way, f"text {at}") for at in range(3)]
    bent = [*frames, bend(frames[0]), *(each if later else bend(each) for each in frames)]
    assert list(told(way, "chat", bent, as_it_is, ())) == list(told(way, "chat", bent, without_texts, ()))


@pytest.mark.parametrize("way", WAYS)
def test_frames_that_differ_in_their_texts_are_not_decoded(way: tuple[str, str]) -> None:
    decoded: list[bytes] = []

    def counted(event: Event) -> Event:
        def decode(data: bytes) -> Any:
            decoded.append(data)
            return event.decode(data) if event.decode is not None else {}

        return Event(kind=event.kind, frame=event.frame, dialect=event.dialect, decode=decode, texts=event.texts)

    frames = [frame(way, text) for text in ("one", "two", "three", "vier", 'fünf "5"')]
    answers = list(told(way, "chat", frames, counted, ()))
    assert [
        text.encode() in answer
        for text, answer in zip(("one", "two", "three", "vier", "fünf"), answers, strict=True)
        if isinstance(answer, bytes)
    ]
    assert len(decoded) <= 3  # the first, another one that follows it, and the marks


@pytest.mark.parametrize("way", WAYS)
def test_a_stream_of_which_no_two_are_alike_is_not_learnt_again_and_again(way: tuple[str, str]) -> None:
    marked = 0

    def counted(event: Event) -> Event:
        def decode(data: bytes) -> Any:
            nonlocal marked
            marked += b"gatewright: text" in data
            return event.decode(data) if event.decode is not None else {}

        return Event(kind=event.kind, frame=event.frame, dialect=event.dialect, decode=decode, texts=event.texts)

    frames = [frame(way, "text").replace(b'"text"', b'"text", "x": %d' % at, 1) for at in range(20)]
    assert all(told(way, "chat", frames, counted, ()))
    assert 1 <= marked <= 3


@pytest.mark.parametrize("way", WAYS)
def test_who_looks_at_what_was_made_sees_its_text(way: tuple[str, str]) -> None:
    request = asked(way[1], "chat")
    decoder = DIALECTS[way[0]].decoder(request, Headers([("content-type", STREAM_TYPES[way[0]])]))
    complete = DIALECTS[way[1]].completer(request, model="asked", id="1", clock=VirtualClock())
    frames = [frame(way, text) for text in ("one", "two", "three")]
    events = [event for each in frames for decoded in decoder.events(each) for event in complete(decoded)]
    assert [event.text for event in events if event.text] == ["one", "two", "three"]
    assert events[-1].frame is not None
    changed = events[-1].map_text(lambda _, text: text.upper())
    assert b"THREE" in DIALECTS[way[1]].encoder(request).encode(changed)


def test_a_line_that_a_stage_adds_has_the_time_of_the_one_before() -> None:
    way = ("openai", "ollama")
    clock, request = VirtualClock(), asked("ollama", "chat")
    decoder = DIALECTS["openai"].decoder(request, Headers([("content-type", STREAM_TYPES["openai"])]))
    complete, encoder = Ollama().completer(request, model="asked", id="1", clock=clock), Ollama().encoder(request)
    times = []
    for text in ("one", "two", "three"):
        clock.advance(1)
        for event in decoder.events(frame(way, text)):
            times += [json.loads(encoder.encode(made))["created_at"] for made in complete(event)]
    added = Event({"choices": [{"index": 0, "delta": {"content": "more"}}]})
    assert json.loads(encoder.encode(added))["created_at"] == times[-1] > times[-2]
