"""The framer and the official client's decoder read the same events, within what both promise.

Outside of it by design: the client keeps a byte-order mark, drops an event that the end of the stream cuts, raises on
bytes that are no UTF-8, and hands out events that have no data (protocol.md 2.12).
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from openai._streaming import SSEDecoder

from stages.dialects.sse import SseFramer, data_of
from tests.stages.dialects.sse_streams import LINE_ENDS, cuts, lines, text_datas


@st.composite
def agreed_streams(draw: st.DrawFn) -> bytes:
    """UTF-8, no byte-order mark, every event ended by its blank line."""
    drawn = draw(st.lists(st.tuples(lines(text_datas()), st.sampled_from(LINE_ENDS), st.booleans()), max_size=8))
    return b"".join(line + end + (end if twice else b"") for line, end, twice in drawn) + b"\n\n"


@given(data=st.data(), stream=agreed_streams())
def test_same_data_as_the_official_client(data: st.DataObject, stream: bytes) -> None:
    theirs = [event.data for event in SSEDecoder().iter_bytes(iter([stream])) if event.data]
    framer = SseFramer()
    frames = [frame for piece in data.draw(cuts(stream)) for frame in framer.feed(piece)]
    ours = [(data_of(frame) or b"").decode() for frame in [*frames, *framer.finish()]]
    assert [text for text in ours if text] == theirs
