"""Responses as bytes: well-formed ones drawn part by part, and what becomes of them when somebody tampers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from hypothesis import strategies as st

REASONS = {200: b"OK", 204: b"No Content", 304: b"Not Modified", 404: b"Not Found", 500: b"Oops"}
FIELDS = (
    (b"content-type", b"application/json"),
    (b"X-Request-Id", b"abc"),
    (b"x-empty", b""),
    (b"x-latin", b"caf\xe9"),
    (b"set-cookie", b"a=1"),
    (b"set-cookie", b"b=2"),
)
INTERIMS = (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n")


@dataclass(frozen=True)
class Reply:
    """A well-formed response and what a reader must make of it."""

    wire: bytes
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    ends_with_close: bool = False
    kept: bool = True


def chunked(pieces: list[bytes], *, extension: bytes = b"", trailers: bytes = b"") -> bytes:
    """The chunked transfer coding (RFC 9112 7.1)."""
    coded = b"".join(b"%x%s\r\n%s\r\n" % (len(piece), extension, piece) for piece in pieces if piece)
    return coded + b"0\r\n" + trailers + b"\r\n"


@st.composite
def replies(draw: st.DrawFn) -> Reply:
    """Well-formed answers to a POST."""
    status = draw(st.sampled_from(sorted(REASONS)))
    framing = draw(st.sampled_from(("sized", "chunked", "close")))
    headers = draw(st.lists(st.sampled_from(FIELDS), max_size=4))
    pieces = draw(st.lists(st.binary(min_size=1, max_size=40), max_size=4))
    version = draw(st.sampled_from((b"1.1", b"1.1", b"1.0")))
    said = draw(st.sampled_from((b"", b"", b"keep-alive", b"close")))
    body = b"".join(pieces)
    bodiless = status in (204, 304)
    if framing == "sized":
        headers.append((b"Content-Length", b"%d" % len(body)))
        coded = body
    elif framing == "chunked":
        headers.append((b"Transfer-Encoding", b"chunked"))
        extension = draw(st.sampled_from((b"", b";a=1", b';a="b c"')))
        trailers = draw(st.sampled_from((b"", b"x-sum: 1\r\n", b"x-request-id: zzz\r\n")))
        coded = chunked(pieces, extension=extension, trailers=trailers)
    else:
        coded = body
    if said:
        headers.append((b"Connection", said))
    interims = draw(st.lists(st.sampled_from(INTERIMS), max_size=2))
    lines = b"".join(b"%s: %s\r\n" % pair for pair in headers)
    head = b"HTTP/%s %d %s\r\n%s\r\n" % (version, status, REASONS[status], lines)
    kept = said == b"keep-alive" or (version == b"1.1" and said != b"close")
    to_the_end = framing == "close" and not bodiless
    return Reply(
        wire=b"".join(interims) + head + (b"" if bodiless else coded),
        status=status,
        headers=tuple((name.lower(), value) for name, value in headers),
        body=b"" if bodiless else body,
        ends_with_close=to_the_end,
        kept=kept and not to_the_end and (framing, version) != ("chunked", b"1.0"),
    )


TAMPERINGS = (b"\0", b"\r", b"\n", b" ", b":", b"\r\n", b";", b"5", b"\xff", b"HTTP/1.1 200 OK\r\n\r\n", b"a: b\r\n")


@st.composite
def tampered(draw: st.DrawFn) -> bytes:
    """A well-formed answer with a few bytes cut out, put in or put twice."""
    wire = draw(replies()).wire
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(wire)))
        upto = min(len(wire), at + draw(st.integers(0, 8)))
        put = draw(st.one_of(st.just(b""), st.sampled_from(TAMPERINGS), st.just(wire[at:upto] * 2)))
        wire = wire[:at] + put + wire[upto:]
    return wire


@st.composite
def splits(draw: st.DrawFn, wire: bytes) -> list[bytes]:
    """The same bytes in several reads; in every third drawing one byte a read."""
    if draw(st.integers(0, 2)) == 0:
        return [wire[at : at + 1] for at in range(len(wire))]
    marks = sorted(draw(st.sets(st.integers(0, len(wire)), max_size=6)) | {0, len(wire)})
    return [wire[start:end] for start, end in pairwise(marks)]
