"""A body that nobody looks into forwards its bytes as they come, read by read, and never reads ahead of its reader."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Body, Event, Request, Response, compose
from tests.pipeline.fakes import (
    FakeSource,
    LineDecoder,
    LineEncoder,
    Stall,
    line_body,
    read,
    texts,
    words,
    written,
)

# Any bytes on a line of its own, invalid UTF-8 too; the first letter keeps a line from being a marker.
LINES = st.lists(st.binary(max_size=12).map(lambda text: b"x" + text.replace(b"\n", b"") + b"\n"), max_size=8)


def cut(data: bytes, at: list[int]) -> list[bytes]:
    """`data` in pieces that end at those places."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in at)})
    return [data[start:end] for start, end in pairwise(edges)]


@given(lines=LINES, at=st.lists(st.integers(min_value=0, max_value=200), max_size=12))
async def test_bytes_pass_unchanged_however_they_were_split(lines: list[bytes], at: list[int]) -> None:
    sent = b"".join(lines) + b".\n"
    source, decoder = FakeSource(*cut(sent, at)), LineDecoder()
    assert b"".join(await read(line_body(source, decoder=decoder))) == sent
    assert decoder.decoded == []
    assert source.closed


@given(lines=LINES, at=st.lists(st.integers(min_value=0, max_value=200), max_size=12))
async def test_a_function_that_changes_nothing_changes_no_byte(lines: list[bytes], at: list[int]) -> None:
    sent = b"".join(lines) + b".\n"
    body = line_body(FakeSource(*cut(sent, at)))
    body.map(lambda event: event)
    body.expand(lambda event: (event,))
    body.patch(lambda frame: frame)
    assert b"".join(await read(body)) == sent


async def test_what_one_read_returned_leaves_in_one_write() -> None:
    body = line_body(FakeSource(b"a\nb\n", b"c", b"\n", b".\n"))
    assert await read(body) == [b"a\nb\n", b"c\n", b".\n"]
    assert written(body) == {"pieces": 3, "bytes": 8}


async def test_a_mapped_read_leaves_in_one_write_too() -> None:
    body = line_body(FakeSource(b"a\nb\n", b".\n"))
    body.map(lambda event: event.map_text(lambda _, text: text * 2))
    assert await read(body) == [b"aa\nbb\n", b".\n"]


async def test_bytes_after_the_end_marker_are_dropped() -> None:
    assert await read(line_body(FakeSource(b"a\n.\nlate\n", b"later\n"))) == [b"a\n.\n"]


@pytest.mark.parametrize("encoder", [LineEncoder(dialect="other"), LineEncoder(whole=True)])
async def test_another_dialect_or_mode_is_written_afresh(encoder: LineEncoder) -> None:
    decoder = LineDecoder()
    await read(line_body(FakeSource(b"a\n.\n"), encoder=encoder, decoder=decoder))
    assert decoder.decoded == [b"a\n"]


async def test_a_frame_is_decoded_only_when_a_function_looks() -> None:
    decoder = LineDecoder()
    body = line_body(FakeSource(b"a\nb\nc\n.\n"), decoder=decoder)
    seen: list[str] = []

    def look_at_the_first(event: Event) -> Event:
        if not seen:
            seen.append(event.text)
        return event

    body.map(look_at_the_first)
    await read(body)
    assert (seen, decoder.decoded) == (["a"], [b"a\n"])


async def test_a_stage_that_attaches_nothing_leaves_the_very_same_piece() -> None:
    frame = b"as it came\n"

    class Frames(LineDecoder):
        def feed(self, piece: bytes) -> list[bytes]:
            self.finished = True
            return [piece]

    body = line_body(FakeSource(frame), decoder=Frames())

    async def terminal(request: Request) -> Response:
        return Response(body)

    async def passive(request: Request, call_next: object, /) -> Response:
        assert callable(call_next)
        answer = await call_next(request)
        assert isinstance(answer, Response)
        return answer

    response = await compose([passive], terminal)(Request("chat", stream=True))
    assert response.body is body
    assert await body.next_piece() is frame


async def test_the_first_piece_is_out_before_the_second_is_asked_for() -> None:
    source = FakeSource(b"a\n", Stall())
    body = line_body(source)
    assert (await body.next_piece(), source.asked) == (b"a\n", 1)
    await body.aclose()


async def test_events_of_one_read_are_handed_out_before_the_next_is_asked_for() -> None:
    source = FakeSource(b"a\nb\n", Stall())
    body = line_body(source)
    assert [(await anext(body)).text for _ in range(2)] == ["a", "b"]
    assert source.asked == 1
    await body.aclose()


async def test_nothing_is_read_before_somebody_asks() -> None:
    source = FakeSource(b"a\n.\n")
    body = line_body(source)
    assert source.calls == []
    await body.aclose()


async def test_a_stream_folds_to_the_whole_answer() -> None:
    assert await line_body(FakeSource(b"a\n", b"b\n.\n")).collect() == {"text": ["a", "b"]}


async def test_events_need_no_encoder_but_bytes_do() -> None:
    body = Body.of(words("a"))
    with pytest.raises(RuntimeError, match="no encoder"):
        await body.next_piece()
    with pytest.raises(RuntimeError, match="no encoder"):
        await body.collect()
    body.map(lambda event: event)  # asking in vain was no read
    assert await texts(body) == ["a"]


async def test_a_whole_answer_passes_as_it_is_when_nobody_looks() -> None:
    decoder = LineDecoder(whole=True)
    body = line_body(FakeSource(b"a,", b"b\n"), encoder=LineEncoder(whole=True), decoder=decoder)
    assert await read(body) == [b"a,b\n"]
    assert decoder.decoded == []


async def test_a_whole_answer_is_worked_on_as_the_events_of_a_stream() -> None:
    body = line_body(FakeSource(b"a,b\n"), encoder=LineEncoder(whole=True), decoder=LineDecoder(whole=True))
    body.map(lambda event: event.map_text(lambda _, text: text.upper()))
    body.patch(lambda frame: b"<" + frame[:-1] + b">\n")
    assert await read(body) == [b"<A,B>\n"]


@given(parts=st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=5))
async def test_a_whole_answer_equals_its_collected_stream(parts: list[str]) -> None:
    whole = line_body(FakeSource(",".join(parts).encode() + b"\n"), decoder=LineDecoder(whole=True))
    stream = line_body(FakeSource(*(part.encode() + b"\n" for part in parts), b".\n"))
    assert await whole.collect() == await stream.collect() == {"text": parts}
