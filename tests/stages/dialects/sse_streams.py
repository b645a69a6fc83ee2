"""Hypothesis strategies for event streams as bytes: fields, comments and line ends of every kind, cut anywhere."""

from __future__ import annotations

from hypothesis import strategies as st

BOM = b"\xef\xbb\xbf"
LINE_ENDS = (b"\n", b"\r", b"\r\n")


def datas() -> st.SearchStrategy[bytes]:
    """One line of data: anything but the line ends, so U+2028, U+0085 and bytes that are no UTF-8 too."""
    odd = st.sampled_from(["\u2028", "\u0085", "\x0b", "é", "😀", " ", ":", '{"a": 1}', "[DONE]"])
    words = st.lists(odd | st.text(max_size=3), max_size=5).map(lambda parts: "".join(parts).encode())
    return (words | st.binary(max_size=5)).map(lambda line: line.replace(b"\r", b"").replace(b"\n", b""))


def text_datas() -> st.SearchStrategy[bytes]:
    """As `datas`, but always UTF-8."""
    return datas().map(lambda line: line.decode("utf-8", "replace").encode())


def lines(data: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """One line: mostly data, some comments and other fields, some empty."""
    prefixes = st.sampled_from([b"data: ", b"data:", b"data:  ", b": ", b"event: ", b"other: ", b"data", b"dat"])
    return st.tuples(prefixes, data).map(b"".join) | st.sampled_from([b"", b"data", b":"])


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """A stream, perhaps with a byte-order mark, perhaps ending in the middle of an event."""
    drawn = draw(st.lists(st.tuples(lines(datas()), st.sampled_from(LINE_ENDS), st.booleans()), max_size=6))
    body = b"".join(line + end + (end if twice else b"") for line, end, twice in drawn)
    start = draw(st.sampled_from([b"", b"", BOM, BOM[:2], b"\n"]))
    return start + body + draw(st.sampled_from([b"", b"", b"data: last", b"\r"]))


@st.composite
def cuts(draw: st.DrawFn, stream: bytes) -> list[bytes]:
    """`stream` in pieces, some of them empty."""
    at = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    return [stream[start:end] for start, end in zip([0, *at], [*at, len(stream)], strict=True)]
