"""The functions that stages attach run in one fused loop, inner first, and mean the same as one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Body, Event, EventKind
from pipeline.attachments import Attachments
from tests.pipeline.fakes import FakeSource, LineDecoder, LineEncoder, line_body, read, texts, words

E = TypeVar("E", Event, bytes)
N = TypeVar("N")
Step = tuple[str, Callable[[Event], Event | None] | Callable[[Event], tuple[Event, ...]]]


def append(mark: str) -> Callable[[Event], Event]:
    return lambda event: event.map_text(lambda _, text: text + mark)


def drop(letter: str) -> Callable[[Event], Event | None]:
    return lambda event: None if letter in event.text else event


def twice(event: Event) -> tuple[Event, ...]:
    return () if not event.text else (event, event.map_text(lambda _, text: text + "'"))


def noting(seen: list[N], what: Callable[[E], N]) -> Callable[[E], E]:
    """A function that changes nothing and notes something of all that passes."""

    def look(passing: E) -> E:
        seen.append(what(passing))
        return passing

    return look


STEPS: dict[str, Step] = {
    "append": ("map", append("+")),
    "drop a": ("map", drop("a")),
    "drop the copy": ("map", drop("'")),
    "twice": ("expand", twice),
    "nothing": ("expand", lambda event: ()),
}


def attach(body: Attachments, step: Step) -> None:
    kind, f = step
    getattr(body, kind)(f)


def one_after_the_other(events: Sequence[Event], steps: Sequence[Step]) -> list[str]:
    """What the loop must be equal to: each function over the whole list, then the next."""
    for kind, f in steps:
        results = [f(event) for event in events]
        if kind == "expand":
            events = [part for parts in results if isinstance(parts, tuple) for part in parts]
        else:
            events = [event for event in results if isinstance(event, Event)]
    return [event.text for event in events]


@given(
    names=st.lists(st.sampled_from(sorted(STEPS)), max_size=5),
    parts=st.lists(st.sampled_from(["a", "b", "c"]), max_size=5),
)
async def test_any_mix_of_maps_and_expands_means_one_after_the_other(names: list[str], parts: list[str]) -> None:
    steps = [STEPS[name] for name in names]
    body = Body.of(words(*parts))
    for step in steps:
        attach(body, step)
    assert [event.text async for event in body] == one_after_the_other(words(*parts), steps)


async def test_the_function_attached_first_sees_the_event_first() -> None:
    body = Body.of(words("x"))
    body.map(append(" inner"))
    body.map(append(" outer"))
    assert await texts(body) == ["x inner outer"]


async def test_a_dropped_event_reaches_no_later_function() -> None:
    seen: list[str] = []
    body = Body.of(words("a", "b"))
    body.map(drop("a"))
    body.map(noting(seen, lambda event: event.text))
    assert await texts(body) == ["b"]
    assert seen == ["b"]


async def test_a_dropped_event_does_not_take_along_the_others_of_its_frame() -> None:
    body = line_body(FakeSource(b"a,b,c\n"), encoder=LineEncoder(whole=True), decoder=LineDecoder(whole=True))
    body.map(drop("b"))
    assert await read(body) == [b"a,c\n"]


async def test_a_read_whose_events_are_all_dropped_is_no_empty_piece() -> None:
    body = line_body(FakeSource(b"a\n", b"b\n", b".\n"))
    body.map(drop("a"))
    assert await read(body) == [b"b\n", b".\n"]


async def test_the_end_marker_passes_through_the_functions_like_any_event() -> None:
    kinds: list[EventKind] = []
    body = line_body(FakeSource(b"a\n.\n"))
    body.map(noting(kinds, lambda event: event.kind))
    await read(body)
    assert kinds == [EventKind.DATA, EventKind.END]


async def test_patches_work_on_the_written_frames_and_decode_nothing() -> None:
    seen: list[bytes] = []
    decoder = LineDecoder()
    body = line_body(FakeSource(b"a\nb\n.\n"), decoder=decoder)
    body.patch(noting(seen, bytes))
    body.patch(lambda frame: frame.replace(b"a", b"A"))
    body.patch(lambda frame: frame.replace(b"A", b"AA"))
    assert await read(body) == [b"AA\nb\n.\n"]
    assert seen == [b"a\n", b"b\n", b".\n"]
    assert decoder.decoded == []


async def test_patches_come_after_every_event_function() -> None:
    body = line_body(FakeSource(b"a\n.\n"), encoder=LineEncoder(dialect="other"))
    body.patch(lambda frame: frame.upper())
    body.map(append(" mapped"))
    assert await read(body) == [b"A MAPPED\n.\n"]


async def test_a_patch_is_not_called_for_nothing() -> None:
    seen: list[bytes] = []
    body = line_body(FakeSource(b"a\nb\n.\n"), encoder=LineEncoder(whole=True))
    body.patch(noting(seen, bytes))
    assert await read(body) == [b"a,b\n"]
    assert seen == [b"a,b\n"]


async def release() -> None:
    """An `on_close` function with nothing to release."""


ATTACH: dict[str, Callable[[Body], None]] = {
    "map": lambda body: body.map(lambda event: event),
    "expand": lambda body: body.expand(lambda event: (event,)),
    "patch": lambda body: body.patch(lambda frame: frame),
    "on_error": lambda body: body.on_error(lambda error: None),
    "on_end": lambda body: body.on_end(lambda outcome: None),
    "on_close": lambda body: body.on_close(release),
}


@pytest.mark.parametrize("kind", sorted(ATTACH))
@pytest.mark.parametrize("began_by", ["a piece", "an event", "closing"])
async def test_attaching_is_refused_once_it_would_miss_something(kind: str, began_by: str) -> None:
    body = line_body(FakeSource(b"a\n", b"b\n.\n"))
    if began_by == "a piece":
        await body.next_piece()
    elif began_by == "an event":
        await anext(body)
    else:
        await body.aclose()
    with pytest.raises(RuntimeError, match="before its first read"):
        ATTACH[kind](body)
    await body.aclose()
