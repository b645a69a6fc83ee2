"""The response reader, without I/O: framing as RFC 9112 6 says, the same for every split, and bounded.

The six things that httptools does not do for its user (the list in reader.py) have one test each, by number.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.upstreams.h1.reader import MAX_HEAD_BYTES, ResponseReader
from tests.stages.upstreams.h1.reading import Reading, reading
from tests.stages.upstreams.h1.responses import Reply, replies, splits, tampered

OK = b"HTTP/1.1 200 OK\r\n"
SIZED = OK + b"content-length: 2\r\n\r\nok"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
NEXT = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"


def bytewise(wire: bytes) -> list[bytes]:
    return [wire[at : at + 1] for at in range(len(wire))]


def every_way(wire: bytes, *, is_head: bool = False, eof: bool = False) -> Reading:
    """Read in one piece and byte by byte; both must agree."""
    whole = reading([wire], is_head=is_head, eof=eof)
    assert reading(bytewise(wire), is_head=is_head, eof=eof) == whole
    return whole


# -- the six traps ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("framing", [b"content-length: 6\r\n", b"transfer-encoding: chunked\r\n", b""])
def test_trap_1_an_answer_to_head_ends_at_its_head_and_what_follows_is_not_its_body(framing: bytes) -> None:
    answer = every_way(OK + framing + b"\r\n", is_head=True)
    assert (answer.ending, answer.body) == ("complete", b"")
    followed = every_way(OK + framing + b"\r\n" + NEXT, is_head=True)
    assert (followed.ending, followed.body, followed.reusable) == ("complete", b"", False)


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
@pytest.mark.parametrize("framing", [b"content-length: 6\r\n", b"transfer-encoding: chunked\r\n", b""])
def test_trap_1_no_content_and_not_modified_have_no_body_whatever_they_say(status: bytes, framing: bytes) -> None:
    head = b"HTTP/1.1 " + status + b"\r\n" + framing + b"\r\n"
    assert every_way(head) == Reading(int(status[:3]), every_way(head).headers, b"", "complete", reusable=True)
    followed = every_way(head + b"poison")
    assert (followed.ending, followed.body, followed.reusable) == ("complete", b"", False)


def test_trap_2_a_body_that_the_connection_delimits_is_complete_at_its_orderly_end_only() -> None:
    wire = OK + b"\r\nbody"
    assert every_way(wire, eof=False).ending == "cut"
    assert every_way(wire, eof=True) == Reading(200, (), b"body", "complete", reusable=False)


def test_trap_3_trailers_are_not_headers() -> None:
    answer = every_way(CHUNKED + b"2\r\nok\r\n0\r\ncontent-type: evil\r\nx: y\r\n\r\n")
    assert answer == Reading(200, ((b"transfer-encoding", b"chunked"),), b"ok", "complete", reusable=True)


@pytest.mark.parametrize("surplus", [NEXT, NEXT[:1], b"0", b"\0", b"ok" * 1000])
@pytest.mark.parametrize("complete", [SIZED, CHUNKED + b"2\r\nok\r\n0\r\n\r\n", OK + b"content-length: 0\r\n\r\n"])
def test_trap_4_what_follows_the_end_is_never_delivered_and_the_connection_never_reused(
    complete: bytes, surplus: bytes
) -> None:
    alone = every_way(complete)
    assert alone.reusable
    followed = every_way(complete + surplus)
    assert (followed.status, followed.headers, followed.body) == (alone.status, alone.headers, alone.body)
    assert (followed.ending, followed.reusable) == ("complete", False)


def test_trap_5_interim_answers_are_passed_over_with_their_fields() -> None:
    interim = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
    assert every_way(interim + SIZED) == every_way(SIZED)
    assert every_way(interim, eof=True).ending == "cut"


def test_trap_5_a_length_on_an_interim_answer_does_not_eat_the_final_one() -> None:
    """An interim answer ends at its head whatever it says (RFC 9112 6.3 rule 1)."""
    answer = every_way(b"HTTP/1.1 100 Continue\r\ncontent-length: 5\r\n\r\n" + SIZED)
    assert (answer.body, answer.ending, answer.headers) == (b"ok", "complete", ((b"content-length", b"2"),))


FLOODS = {
    "fields": OK + b"a: b\r\n" * (MAX_HEAD_BYTES // 5),
    "fields of a whole answer": OK + b"a: b\r\n" * (MAX_HEAD_BYTES // 5 + 1) + b"content-length: 0\r\n\r\n",
    "one field": OK + b"a: " + b"b" * MAX_HEAD_BYTES + b"\r\n\r\n",
    "interim answers": b"HTTP/1.1 100\r\n\r\n" * (MAX_HEAD_BYTES // 16 + 1),
    "interim answers before a whole one": b"HTTP/1.1 100\r\n\r\n" * (MAX_HEAD_BYTES // 16 + 1) + SIZED,
    "interim answers with fields": b"HTTP/1.1 103 \r\nlink: a\r\n\r\n" * (MAX_HEAD_BYTES // 24),
    "trailers": CHUNKED + b"2\r\nok\r\n0\r\n" + b"a: b\r\n" * (MAX_HEAD_BYTES // 5 + 1) + b"\r\n",
}
ENDLESS = {
    "a field": (OK + b"a: ", b"b"),
    "a reason": (b"HTTP/1.1 200 ", b"O"),
    "a trailer": (CHUNKED + b"2\r\nok\r\n0\r\na: ", b"b"),
    "a chunk extension": (CHUNKED + b"2;", b"a"),
    "zeros before a chunk size": (CHUNKED, b"0"),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_trap_6_a_flood_of_fields_is_refused_in_one_read_and_in_many(flood: str) -> None:
    wire = FLOODS[flood]
    assert reading([wire], eof=False).ending == "malformed"
    assert reading([wire[at : at + 1000] for at in range(0, len(wire), 1000)], eof=False).ending == "malformed"


@pytest.mark.parametrize("part", ENDLESS)
@pytest.mark.parametrize("size", [1000, MAX_HEAD_BYTES])
def test_trap_6_what_does_not_end_is_refused_at_the_limit_and_at_most_one_read(part: str, size: int) -> None:
    start, filler = ENDLESS[part]
    reads = [start] + [filler * size] * (MAX_HEAD_BYTES // size + 1)
    assert reading(reads, eof=False).ending == "malformed"


def test_large_heads_and_bodies_below_the_limit_pass() -> None:
    head = OK + b"a: b\r\n" * 8000 + b"content-length: 1000000\r\n\r\n"
    assert len(head) < MAX_HEAD_BYTES
    assert every_way(head + b"x" * 1_000_000).body == b"x" * 1_000_000


# -- framing: RFC 9112 6.3 --------------------------------------------------------------------------------------------

REFUSED = {
    "two lengths that differ": OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\nok",
    "two equal lengths": OK + b"content-length: 2\r\ncontent-length: 2\r\n\r\nok",
    "a list of lengths": OK + b"content-length: 2, 2\r\n\r\nok",
    "a signed length": OK + b"content-length: +2\r\n\r\nok",
    "a negative length": OK + b"content-length: -2\r\n\r\nok",
    "a hexadecimal length": OK + b"content-length: 0x2\r\n\r\nok",
    "an empty length": OK + b"content-length:\r\n\r\nok",
    "a length beyond 64 bits": OK + b"content-length: 99999999999999999999\r\n\r\nok",
    "length and then coding": OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "coding and then length": OK + b"transfer-encoding: chunked\r\ncontent-length: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "an unknown coding": OK + b"transfer-encoding: xchunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "identity coding": OK + b"transfer-encoding: identity\r\n\r\nok",
    "a compressing coding before chunked": OK + b"transfer-encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "a coding after chunked": OK + b"transfer-encoding: chunked, gzip\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "chunked twice": OK + b"transfer-encoding: chunked\r\n" * 2 + b"\r\n2\r\nok\r\n0\r\n\r\n",
    "a chunk size beyond 64 bits": CHUNKED + b"fffffffffffffffff\r\nok",
    "a chunk size with a prefix": CHUNKED + b"0x2\r\nok\r\n0\r\n\r\n",
    "a chunk size with a sign": CHUNKED + b"+2\r\nok\r\n0\r\n\r\n",
    "a chunk size followed by a space": CHUNKED + b"2 \r\nok\r\n0\r\n\r\n",
    "no chunk size": CHUNKED + b"\r\nok\r\n0\r\n\r\n",
    "a chunk that is longer than it says": CHUNKED + b"2\r\nokk\r\n0\r\n\r\n",
    "a bare LF after a chunk size": CHUNKED + b"2\nok\r\n0\r\n\r\n",
    "a bare LF in a chunk extension": CHUNKED + b"2;a\nb\r\nok\r\n0\r\n\r\n",
    "a bare LF in the head": b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok",
    "a bare CR in a value": OK + b"a: b\rc\r\ncontent-length: 2\r\n\r\nok",
    "a folded field": OK + b"a: b\r\n c\r\ncontent-length: 2\r\n\r\nok",
    "a space before the first field": OK + b" a: b\r\n\r\n",
    "a space before the colon": OK + b"content-length : 2\r\n\r\nok",
    "NUL in a value": OK + b"a: b\0c\r\ncontent-length: 2\r\n\r\nok",
    "NUL in a name": OK + b"a\0: b\r\ncontent-length: 2\r\n\r\nok",
    "a field without a name": OK + b": b\r\ncontent-length: 2\r\n\r\nok",
    "a name outside ASCII": OK + b"\xe9: b\r\ncontent-length: 2\r\n\r\nok",
    "an empty line first": b"\r\n" + SIZED,
    "another protocol": b"RTSP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "no protocol": b"hello\r\n",
    "HTTP/2 in the clear": b"\0\0\x12\x04\0\0\0\0\0",
    "version 2.0": b"HTTP/2.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "version 2.0 after an interim answer": b"HTTP/1.1 103 Hi\r\n\r\nHTTP/2.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "version 0.9": b"HTTP/0.9 200 OK\r\ncontent-length: 2\r\n\r\nok",
    "status 000": b"HTTP/1.1 000 OK\r\ncontent-length: 2\r\n\r\nok",
    "status of two digits": b"HTTP/1.1 20 OK\r\ncontent-length: 2\r\n\r\nok",
    "status of four digits": b"HTTP/1.1 2000 OK\r\ncontent-length: 2\r\n\r\nok",
    "a switch of protocols": b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
}


@pytest.mark.parametrize("shape", REFUSED)
def test_whatever_two_readers_could_frame_differently_is_refused(shape: str) -> None:
    assert every_way(REFUSED[shape], eof=True).ending == "malformed"


def test_white_space_around_a_value_is_no_part_of_it() -> None:
    """RFC 9112 5.1."""
    answer = every_way(OK + b"a: \t b c \t\r\ntransfer-encoding: chunked \r\n\r\n2\r\nok\r\n0\r\n\r\n")
    assert answer.headers == ((b"a", b"b c"), (b"transfer-encoding", b"chunked"))
    assert (answer.ending, answer.body) == ("complete", b"ok")


KEPT = {
    "1.1": (OK, True),
    "1.1 that closes": (OK + b"Connection: close\r\n", False),
    "1.1 that closes among other words": (OK + b"Connection: x, CLOSE\r\n", False),
    "1.0": (b"HTTP/1.0 200 OK\r\n", False),
    "1.0 that keeps": (b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\n", True),
}


@pytest.mark.parametrize("said", KEPT)
def test_a_connection_is_reusable_as_the_server_says(said: str) -> None:
    """RFC 9112 9.3."""
    lines, kept = KEPT[said]
    answer = every_way(lines + b"content-length: 2\r\n\r\nok")
    assert (answer.ending, answer.body, answer.reusable) == ("complete", b"ok", kept)


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"], ids=["alone", "after an interim 1.1"])
def test_chunked_in_http_1_0_is_read_and_the_connection_not_reused(before: bytes) -> None:
    """RFC 9112 6.1: faulty framing, close after the message."""
    head = b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n"
    answer = every_way(before + head + b"2\r\nok\r\n0\r\n\r\n")
    assert (answer.ending, answer.body, answer.reusable) == ("complete", b"ok", False)


def test_a_body_not_taken_keeps_the_connection_from_reuse() -> None:
    reader = ResponseReader(is_head=False)
    reader.feed(SIZED)
    assert not reader.reusable
    reader.take()
    assert reader.reusable


# -- laws -------------------------------------------------------------------------------------------------------------


@given(st.data(), replies())
def test_a_well_formed_answer_is_read_as_it_was_meant_in_every_split(data: st.DataObject, reply: Reply) -> None:
    expected = Reading(reply.status, reply.headers, reply.body, "complete", reusable=reply.kept)
    assert reading(data.draw(splits(reply.wire))) == expected


@given(st.data(), st.one_of(tampered(), st.binary(max_size=200)))
def test_any_bytes_are_read_alike_in_every_split(data: st.DataObject, wire: bytes) -> None:
    """But for empty lines after the end, which httptools skips: they are noticed only when they come by themselves."""
    whole, split = reading([wire]), reading(data.draw(splits(wire)))
    assert (split.status, split.headers, split.body, split.ending) == (
        (whole.status, whole.headers, whole.body, whole.ending)
    )
    assert whole.reusable or not split.reusable


@given(replies(), st.data())
def test_every_cut_is_noticed(reply: Reply, data: st.DataObject) -> None:
    """Only a body that the connection delimits can end early unseen; nothing on the wire tells."""
    at = data.draw(st.integers(0, len(reply.wire) - 1))
    answer = reading([reply.wire[:at]])
    if reply.ends_with_close and at >= len(reply.wire) - len(reply.body):
        assert answer.ending == "complete"
    else:
        assert (answer.ending, answer.reusable) == ("cut", False)
        assert reply.body.startswith(answer.body)
