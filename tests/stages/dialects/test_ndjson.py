"""The line framer: however the bytes are cut, the same lines come out, fit to be sent on (laws 32, 34, 35, 38)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.dialects.framing import EventTooLarge
from stages.dialects.ndjson import NdjsonFramer
from tests.stages.dialects.ndjson_streams import objects, streams
from tests.stages.dialects.sse_streams import BOM, cuts


def framed(*pieces: bytes) -> list[bytes]:
    """Every frame of a stream that ends after `pieces`."""
    framer = NdjsonFramer()
    return [frame for piece in pieces for frame in framer.feed(piece)] + framer.finish()


def feed_all(framer: NdjsonFramer, stream: bytes, step: int) -> list[bytes]:
    """The frames of `stream`, fed `step` bytes at a time and not ended."""
    return [frame for at in range(0, len(stream), step) for frame in framer.feed(stream[at : at + step])]


@given(stream=streams())
def test_law_34_every_split_in_two_gives_the_same_lines(stream: bytes) -> None:
    expected = framed(stream)
    for at in range(len(stream) + 1):
        assert framed(stream[:at], stream[at:]) == expected


@given(stream=streams())
def test_law_34_single_bytes_give_the_same_lines(stream: bytes) -> None:
    assert framed(*(stream[at : at + 1] for at in range(len(stream)))) == framed(stream)


@given(data=st.data(), stream=streams())
def test_law_34_any_number_of_pieces_gives_the_same_lines(data: st.DataObject, stream: bytes) -> None:
    assert framed(*data.draw(cuts(stream))) == framed(stream)


@given(stream=streams())
def test_a_frame_is_one_line_that_says_something(stream: bytes) -> None:
    for frame in framed(stream):
        assert frame.endswith(b"\n")
        assert frame.count(b"\n") == 1
        assert not frame.endswith(b"\r\n")
        assert frame.strip(b" \t\r\n")


@given(stream=streams())
def test_nothing_but_white_space_is_lost(stream: bytes) -> None:
    kept = [line.rstrip(b"\r") for line in stream.removeprefix(BOM).split(b"\n") if line.strip(b" \t\r\n")]
    assert [frame[:-1] for frame in framed(stream)] == kept


@given(lines=st.lists(objects()), end=st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\r\n \t\r\n"]))
def test_law_38_both_line_ends_and_blank_lines_mean_the_same(lines: list[bytes], end: bytes) -> None:
    stream = b"".join(line + end for line in lines)
    assert framed(stream) == [line + b"\n" for line in lines] == framed(BOM + stream)


@pytest.mark.parametrize(
    ("stream", "frames"),
    [
        (b'{"a":1}\n{"b":2}', [b'{"a":1}\n', b'{"b":2}\n']),
        (b'{"a":1}\n{"b":2}\r', [b'{"a":1}\n', b'{"b":2}\n']),
        ('{"a":"\u2028\u2029\u0085\x0b"}\n'.encode(), ['{"a":"\u2028\u2029\u0085\x0b"}\n'.encode()]),
        (b'{"a":\r1}\n', [b'{"a":\r1}\n']),
        (b"\xff\xfe\n", [b"\xff\xfe\n"]),
        (BOM + b"{}\n" + BOM + b"{}\n", [b"{}\n", BOM + b"{}\n"]),
        (b"\n\r\n \n", []),
        (BOM, []),
        (b"", []),
    ],
)
def test_law_38_lines_are_read_as_the_protocol_says(stream: bytes, frames: list[bytes]) -> None:
    assert framed(stream) == frames
    assert framed(*(stream[at : at + 1] for at in range(len(stream)))) == frames


def test_a_frame_is_handed_out_by_the_piece_that_completes_it() -> None:
    framer = NdjsonFramer()
    assert framer.feed(b'{"a":') == []
    assert framer.feed(b'1}\n{"b":2}\n{"c') == [b'{"a":1}\n', b'{"b":2}\n']
    assert framer.feed(b'":3}\r\n') == [b'{"c":3}\n']


def test_a_piece_of_one_line_is_handed_out_uncopied() -> None:
    framer = NdjsonFramer()
    framer.feed(b"{}\n")
    piece = bytes(bytearray(b'{"a":1}\n'))
    assert framer.feed(piece)[0] is piece


@pytest.mark.parametrize("size", [11, 1000])
def test_a_line_at_the_cap_passes_and_one_byte_more_does_not(size: int) -> None:
    stream = b"{" + b"x" * (size - 2) + b"\n"
    for step in (1, 7, size + 1):
        assert feed_all(NdjsonFramer(max_event_bytes=size), stream, step) == [stream]
        with pytest.raises(EventTooLarge):
            feed_all(NdjsonFramer(max_event_bytes=size), b"{" + stream, step)


@pytest.mark.parametrize("step", [1, 5, 1000])
def test_the_lines_before_an_oversized_one_are_not_lost(step: int) -> None:
    framer = NdjsonFramer(max_event_bytes=100)
    stream = b'{"a":1}\n{"b":2}\n' + b"x" * 200
    frames: list[bytes] = []
    try:
        for at in range(0, len(stream), step):
            frames += framer.feed(stream[at : at + step])
    except EventTooLarge as error:
        frames += error.frames
    assert frames == [b'{"a":1}\n', b'{"b":2}\n']


def test_the_cap_is_on_one_line_and_not_on_the_stream() -> None:
    assert len(NdjsonFramer(max_event_bytes=20).feed(b'{"a":1}\n' * 100)) == 100


def test_law_38_a_line_of_8_mb_works() -> None:
    line = json.dumps({"context": "x" * 8_000_000}).encode() + b"\n"
    assert feed_all(NdjsonFramer(), line, 64 * 1024) == [line]


class CountingBuffer(bytearray):
    """A buffer that adds up how many bytes each search had before it."""

    looked_at = 0

    def find(self, *given: object) -> int:
        self.looked_at += len(self) - int(str(given[1]))
        return super().find(*given)  # type: ignore[arg-type]  # what the framer passes


@pytest.mark.parametrize(("line", "piece"), [(8_000_000, 64 * 1024), (200_000, 1)])
def test_law_38_each_byte_is_searched_once(line: int, piece: int) -> None:
    stream = b"{" * line + b"\n"
    framer = NdjsonFramer()
    framer._buffer = buffer = CountingBuffer()
    assert feed_all(framer, stream, piece) == [stream]
    assert buffer.looked_at == len(stream)
