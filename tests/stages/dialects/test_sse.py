"""The event-stream framer: however the bytes are cut, in whatever lines, the same events come out (laws 34, 36, 37)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stages.dialects.framing import EventTooLarge
from stages.dialects.sse import SseFramer, data_of, encode, replace_data
from tests.stages.dialects.sse_streams import BOM, cuts, datas, streams


def framed(*pieces: bytes) -> list[bytes]:
    """Every frame of a stream that ends after `pieces`."""
    framer = SseFramer()
    return [frame for piece in pieces for frame in framer.feed(piece)] + framer.finish()


def parsed(*pieces: bytes) -> list[bytes]:
    """The data of every event."""
    return [data for frame in framed(*pieces) if (data := data_of(frame)) is not None]


def feed_all(framer: SseFramer, stream: bytes, step: int) -> list[bytes]:
    """The frames of `stream`, fed `step` bytes at a time and not ended."""
    return [frame for at in range(0, len(stream), step) for frame in framer.feed(stream[at : at + step])]


@given(stream=streams())
def test_law_34_every_split_in_two_gives_the_same_events(stream: bytes) -> None:
    expected = parsed(stream)
    for at in range(len(stream) + 1):
        assert parsed(stream[:at], stream[at:]) == expected


@given(stream=streams())
def test_law_34_single_bytes_give_the_same_events(stream: bytes) -> None:
    assert parsed(*(stream[at : at + 1] for at in range(len(stream)))) == parsed(stream)


@given(data=st.data(), stream=streams())
def test_law_34_any_number_of_pieces_gives_the_same_events(data: st.DataObject, stream: bytes) -> None:
    assert parsed(*data.draw(cuts(stream))) == parsed(stream)


@given(data=st.data(), stream=st.binary(max_size=60) | streams())
@example(data=None, stream=b"data: a\r\n\r\n\ndata: b\n\r")
def test_frames_and_rest_are_the_input_bytes(data: st.DataObject | None, stream: bytes) -> None:
    framer = SseFramer()
    pieces = [stream] if data is None else data.draw(cuts(stream))
    frames = [frame for piece in pieces for frame in framer.feed(piece)]
    rest = stream.removeprefix(BOM)[len(b"".join(frames)) :]
    assert b"".join(frames) + rest == stream.removeprefix(BOM)
    finished = framer.finish()
    assert [frame.rstrip(b"\r\n") for frame in finished] == ([rest.rstrip(b"\r\n")] if rest.strip(b"\r\n") else [])


@given(events=st.lists(datas()), end=st.sampled_from([b"\n", b"\r", b"\r\n"]))
def test_law_36_every_line_end_means_the_same(events: list[bytes], end: bytes) -> None:
    stream = b"".join(encode(data) for data in events)
    assert parsed(stream.replace(b"\n", end)) == events == parsed(BOM + stream)


@given(events=st.lists(datas()))
def test_law_35_what_is_emitted_is_parsed_back(events: list[bytes]) -> None:
    stream = b"".join(map(encode, events))
    assert parsed(stream) == events
    assert framed(stream) == [encode(data) for data in events]


@pytest.mark.parametrize(
    ("stream", "data"),
    [
        (b"data: a\r\ndata: b\rdata: c\ndata: d\n\r\n", [b"a\nb\nc\nd"]),
        (b"data: a\r\rdata: b\r\n\rdata: c\n\r\n", [b"a", b"b", b"c"]),
        (b"\n\r\r\ndata: a\n\n\n\n\ndata: b\n\n", [b"a", b"b"]),
        (b": comment\n\ndata: a\n: another\n\n:\n\n", [b"a"]),
        (b"event: x\nid: 1\nretry: 5\ndata: a\nweird: y\n\n", [b"a"]),
        (b"data:  two spaces\n\n", [b" two spaces"]),
        (b"data:none\n\n", [b"none"]),
        (b"data\n\n", [b""]),
        (b"data: a\ndata\ndata: b\n\n", [b"a\n\nb"]),
        (b"database: a\ndata : b\n Data: c\nDATA: d\n\n", []),
        (b"data: a", [b"a"]),
        (b"data: a\ndata: b\r", [b"a\nb"]),
        (b"data: a\n\ndata: b\n", [b"a", b"b"]),
        ("data: \u2028 \u2029 \u0085 \x0b \x0c \x1c\n\n".encode(), ["\u2028 \u2029 \u0085 \x0b \x0c \x1c".encode()]),
        (b"data: \xff\xfe\n\n", [b"\xff\xfe"]),
        (BOM + b"data: a\n\n" + BOM + b"data: b\n\n", [b"a"]),
        (BOM, []),
        (b"", []),
    ],
)
def test_law_36_lines_are_read_as_the_standard_says(stream: bytes, data: list[bytes]) -> None:
    assert parsed(stream) == data
    assert parsed(*(stream[at : at + 1] for at in range(len(stream)))) == data


def test_a_frame_is_handed_out_by_the_piece_that_completes_it() -> None:
    framer = SseFramer()
    assert framer.feed(b"data: a\n") == []
    assert framer.feed(b"\ndata: b\n\nda") == [b"data: a\n\n", b"data: b\n\n"]
    assert framer.feed(b"ta: c\r\n\r") == [b"data: c\r\n\r"]


def test_what_is_left_at_the_end_gets_its_blank_line() -> None:
    assert framed(b"data: a\n\ndata: b") == [b"data: a\n\n", b"data: b\n\n"]
    assert framed(b"data: a\n\n\n") == [b"data: a\n\n"]


@pytest.mark.parametrize("size", [11, 1000])
def test_an_event_at_the_cap_passes_and_one_byte_more_does_not(size: int) -> None:
    stream = b"data: " + b"x" * (size - 8) + b"\n\n"
    for step in (1, 7, size + 1):
        framer = SseFramer(max_event_bytes=size)
        assert feed_all(framer, stream, step) == [stream]
    longer = b"data: y" + stream[6:]
    for step in (1, 7, size + 1):
        with pytest.raises(EventTooLarge):
            feed_all(SseFramer(max_event_bytes=size), longer, step)


@pytest.mark.parametrize("step", [1, 5, 1000])
def test_the_events_before_an_oversized_one_are_not_lost(step: int) -> None:
    framer = SseFramer(max_event_bytes=100)
    stream = b"data: a\n\ndata: b\n\ndata: " + b"x" * 200
    frames: list[bytes] = []
    try:
        for at in range(0, len(stream), step):
            frames += framer.feed(stream[at : at + step])
    except EventTooLarge as error:
        frames += error.frames
    assert frames == [b"data: a\n\n", b"data: b\n\n"]


def test_the_cap_is_on_one_event_and_not_on_the_stream() -> None:
    framer = SseFramer(max_event_bytes=20)
    assert len(framer.feed(b"data: a\n\n" * 100)) == 100


@given(stream=streams())
def test_replace_data_that_changes_nothing_keeps_every_byte(stream: bytes) -> None:
    for frame in framed(stream):
        assert replace_data(frame, lambda data: data) is frame


@given(data=datas(), new=st.lists(datas(), min_size=1, max_size=3).map(b"\n".join))
def test_replace_data_yields_one_event_with_the_new_data_even_over_several_lines(data: bytes, new: bytes) -> None:
    if data != new:
        assert parsed(replace_data(encode(data), lambda _: new)) == [new]


def test_replace_data_leaves_frames_without_data_alone() -> None:
    assert replace_data(b": ping\n\n", lambda data: b"changed") == b": ping\n\n"
