"""Laws 29 and 30: a stream ends exactly once, wherever it is cut and whatever fails (protocol.md 6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Data, UpstreamTimeout
from tests.laws.answered import CHATS, CROSSED, STRAIGHT, Pair, ends_once, serve
from tests.laws.often import among
from tests.laws.test_streams import timeless
from tests.laws.translated import KITS, OLLAMA
from tests.stages.dialects.sse_streams import cuts

every = pytest.mark.parametrize("pair", [*CROSSED, *STRAIGHT], ids=str)


def ended_at(pair: Pair, stream: bytes, items: list[Data]) -> int:
    """From which length on the stream is complete: the last line's closing brace, or the end marker's bracket."""
    if pair.upstream is OLLAMA:
        return len(stream.rstrip(b"\n"))
    return stream.index(b"data: [DONE]", len(KITS["openai"].encode(items, done=False))) + len(b"data: [DONE]")


@every
@among(9)
@given(data=st.data())
def test_law_29_every_prefix_then_eof_ends_once(pair: Pair, data: st.DataObject) -> None:
    there = KITS[pair.upstream.name]
    items = data.draw(there.streams(pair.there))
    stream = there.encode(items)
    at = data.draw(st.integers(0, len(stream)))
    served = serve(pair, data.draw(cuts(stream[:at])), stream=True)
    assert ends_once(pair, served) == (at >= ended_at(pair, stream, items))
    here = KITS[pair.client.name]
    parsed = here.parse(served.body)
    here.check_stream(
        pair.operation, parsed.items, model="asked", usage=pair.client.name == "openai", complete=parsed.done
    )


@every
@among(9)
@given(data=st.data())
def test_law_29_a_connection_that_breaks_ends_the_stream_once(pair: Pair, data: st.DataObject) -> None:
    there = KITS[pair.upstream.name]
    items = data.draw(there.streams(pair.there))
    at = data.draw(st.integers(0, len(items) - 1))
    pieces = [*(there.encode([item], done=False) for item in items[:at]), UpstreamTimeout("silent", work_done="maybe")]
    served = serve(pair, pieces, stream=True)
    assert not ends_once(pair, served)


@every
@among(9)
@given(data=st.data())
def test_law_30_an_error_at_any_place_ends_the_stream_there(pair: Pair, data: st.DataObject) -> None:
    here, there = KITS[pair.client.name], KITS[pair.upstream.name]
    items = data.draw(there.streams(pair.there))
    at = data.draw(st.integers(0, len(items) - 1))
    before = there.encode(items[:at], done=False)
    stream = before + there.failed("out of memory") + there.encode(items[at:])
    served = serve(pair, data.draw(cuts(stream)), stream=True)
    assert not ends_once(pair, served)
    message = served.raised.message if served.raised else here.parse(served.body).error
    assert message == "out of memory"
    cut = here.parse(serve(pair, [before], stream=True).body)
    assert list(map(timeless, here.parse(served.body).items)) == list(map(timeless, cut.items))


@every
@among(9)
@given(data=st.data())
def test_law_29_an_error_in_a_whole_answer_is_raised_with_a_status(pair: Pair, data: st.DataObject) -> None:
    body = KITS[pair.upstream.name].failed("out of memory").removeprefix(b"data: ").strip()
    served = serve(pair, data.draw(cuts(body)), stream=False)
    assert served.raised is not None
    assert served.raised.status >= 500
    assert served.raised.message == "out of memory"


def four_kilobytes(pair: Pair) -> tuple[bytes, list[Data]]:
    """A fixed stream of about 4 kB with text of every kind, reasoning, calls, log-probabilities and usage."""
    text = "Hé😀\u2028 "
    calls = [("look_up", {"q": "é", "n": [1, 2.5, None]}), ("find", {})]
    head: Data
    if pair.upstream is OLLAMA:
        head = {"model": "theirs", "created_at": "2026-01-02T03:04:05.9Z"}
        said: list[Data] = [{"content": "", "thinking": "hm\u2028"}] * 5 + [{"content": text}] * 20
        called = [{"function": {"index": 0, "name": name, "arguments": given}} for name, given in calls]
        items = [{**head, "message": {"role": "assistant", **part}, "done": False} for part in said]
        items.append({**head, "message": {"role": "assistant", "content": "", "tool_calls": called}, "done": False})
        ended = {"done_reason": "stop", "prompt_eval_count": 7, "eval_count": 9, "total_duration": 5}
        items.append({**head, "message": {"role": "assistant", "content": "."}, "done": True, **ended})
    else:
        head = {"id": "c", "object": "chat.completion.chunk", "created": 5, "model": "theirs"}
        said = [{"role": "assistant", "content": ""}, *[{"reasoning": "hm\u2028"}] * 4, *[{"content": text}] * 8]
        for at, (name, _) in enumerate(calls):
            function = {"name": name, "arguments": ""}
            said.append({"tool_calls": [{"index": at, "id": f"c{at}", "type": "function", "function": function}]})
        for at, piece in [(0, '{"q": "é",'), (1, "{"), (0, ' "n": [1]}'), (1, "}")]:
            said.append({"tool_calls": [{"index": at, "function": {"arguments": piece}}]})
        entries: list[Data] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in said]
        entries.append({"index": 0, "delta": {}, "finish_reason": "tool_calls"})
        items = [{**head, "choices": [entry]} for entry in entries]
        items.append({**head, "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16}})
    return KITS[pair.upstream.name].encode(items), items


@pytest.mark.parametrize("pair", CHATS, ids=str)
def test_law_29_a_cut_at_every_byte_of_a_stream_of_four_kilobytes_ends_it_once(pair: Pair) -> None:
    stream, items = four_kilobytes(pair)
    assert 3_500 < len(stream) < 5_000
    complete = ended_at(pair, stream, items)
    for at in range(len(stream) + 1):
        served = serve(pair, [stream[:at]], stream=True)
        assert ends_once(pair, served) == (at >= complete), at
