"""Hypothesis strategies for streams of lines as bytes: objects, blank lines and line ends of both kinds."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.stages.dialects.sse_streams import BOM, text_datas

BLANKS = (b"", b" ", b"\t", b"\r")


def objects() -> st.SearchStrategy[bytes]:
    """A line that says something: anything but line ends, so U+2028, U+0085 and other odd characters too."""
    return text_datas().map(lambda text: b'{"a": "' + text.replace(b'"', b"'") + b'"}')


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """A stream, perhaps with a byte-order mark, perhaps ending without a line end or in the middle of a line."""
    line = objects() | st.sampled_from(BLANKS) | st.binary(max_size=5).map(lambda line: line.replace(b"\n", b""))
    drawn = draw(st.lists(st.tuples(line, st.sampled_from([b"\n", b"\r\n", b"\n\n"])), max_size=6))
    start = draw(st.sampled_from([b"", b"", BOM, BOM[:2], b"\n"]))
    return (
        start + b"".join(text + end for text, end in drawn) + draw(st.sampled_from([b"", b'{"b": 1}', b'{"b', b"\r"]))
    )
