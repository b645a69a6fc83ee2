"""Laws 34-39: bytes and what they say (protocol.md 6).

That a dialect's own streams (34) and bytes that say nothing (39) decode alike however they are cut is D4 and D5 of the
conformance kit, which holds every dialect to them.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Data
from stages.dialects.sse import SseFramer, data_of
from tests.laws.answered import CROSSED, L_FROM_O, O_FROM_L, STRAIGHT, Pair, ends_once, serve, streamed
from tests.laws.decoded import decoded
from tests.laws.often import among, often
from tests.laws.translated import KITS, OLLAMA, OPENAI
from tests.stages.dialects.sse_streams import BOM, LINE_ENDS, cuts, datas
from tests.stages.dialects.sse_streams import streams as sse_streams


@often
@given(stream=sse_streams(), data=st.data())
def test_law_34_sse_that_says_anything_is_cut_alike(stream: bytes, data: st.DataObject) -> None:
    """Frames may differ in an LF that came after its CR; the data may not."""

    def datas_of(pieces: list[bytes]) -> list[bytes | None]:
        framer = SseFramer()
        frames = [frame for piece in pieces for frame in framer.feed(piece)]
        return [said for said in map(data_of, [*frames, *framer.finish()]) if said is not None]

    assert datas_of(data.draw(cuts(stream))) == datas_of([stream])
    assert datas_of([stream[at : at + 1] for at in range(len(stream))]) == datas_of([stream])


@pytest.mark.parametrize("pair", [*CROSSED, *STRAIGHT], ids=str)
@among(9)
@given(text=st.text(min_size=1, max_size=20))
def test_law_35_any_text_survives_and_no_reader_splits_it(pair: Pair, text: str) -> None:
    """The strict parsers split lines as `str.splitlines` does, which is what ollama-python reads with."""
    here = KITS[pair.client.name]
    parsed = streamed(pair, saying(pair, text))
    assert parsed.done
    assert here.heard(pair.operation, here.fold(pair.operation, parsed.items)).text == text


def saying(pair: Pair, text: str) -> list[Data]:
    """The items of an upstream that says `text`."""
    chat = pair.there == "chat"
    head: Data
    if pair.upstream is OLLAMA:
        head = {"model": "theirs", "created_at": "2026-01-02T03:04:05Z"}
        spoken = [
            {"message": {"role": "assistant", "content": part}} if chat else {"response": part} for part in (text, "")
        ]
        durations = {"total_duration": 9, "prompt_eval_duration": 3, "eval_duration": 3}
        ended = {"done": True, "done_reason": "stop", **durations}
        return [{**head, **spoken[0], "done": False}, {**head, **spoken[1], **ended}]
    kind = "chat.completion.chunk" if chat else "text_completion"
    head = {"id": "x", "object": kind, "created": 5, "model": "theirs"}
    said: Data = {"delta": {"role": "assistant", "content": text}} if chat else {"text": text}
    nothing: Data = {"delta": {}} if chat else {"text": ""}
    return [
        {**head, "choices": [{"index": 0, **said, "logprobs": None, "finish_reason": None}]},
        {**head, "choices": [{"index": 0, **nothing, "logprobs": None, "finish_reason": "stop"}]},
    ]


@often
@given(data=st.data())
def test_law_36_sse_means_the_same_in_every_dress(data: st.DataObject) -> None:
    items = data.draw(KITS["openai"].streams("chat"))
    plain = KITS["openai"].encode(items)
    dressed = b""
    for item in items:
        noise = data.draw(st.sampled_from([b"", b": ping\n", b"event: x\n", b"other\n", b"\n\n", b"retry: 5\n"]))
        text = json.dumps(item, indent=data.draw(st.sampled_from([None, 1])), ensure_ascii=False)
        colon = data.draw(st.sampled_from([b"data: ", b"data:", b"data:  "]))
        dressed += noise + b"".join(colon + line.encode() + b"\n" for line in text.split("\n")) + b"\n"
    dressed += b"data: [DONE]\n\n"
    dressed = data.draw(st.sampled_from([b"", BOM])) + dressed.replace(b"\n", data.draw(st.sampled_from(LINE_ENDS)))
    assert decoded(OPENAI, data.draw(cuts(dressed))) == decoded(OPENAI, [plain])


@often
@given(said=st.lists(datas(), min_size=1, max_size=3))
def test_law_36_one_space_goes_and_lines_join_by_line_feeds(said: list[bytes]) -> None:
    assert data_of(b"".join(b"data: " + line + b"\n" for line in said) + b"\n") == b"\n".join(said)
    assert data_of(b"data:  x\n\n") == b" x"
    assert data_of(b"data\n\n") == b""


@often
@given(data=st.data(), after=st.sampled_from([b"", b"data: {", b"\xff", b'data: {"error": {"message": "x"}}\n\n']))
def test_law_37_the_end_marker_ends_whatever_follows(data: st.DataObject, after: bytes) -> None:
    items = data.draw(KITS["openai"].streams("chat"))
    stream = KITS["openai"].encode(items) + after
    served = serve(L_FROM_O, data.draw(cuts(stream)), stream=True)
    assert ends_once(L_FROM_O, served)


@often
@given(data=st.data())
def test_law_37_an_event_without_its_blank_line_is_delivered(data: st.DataObject) -> None:
    items = data.draw(KITS["openai"].streams("chat"))
    stream = KITS["openai"].encode(items).rstrip(b"\n")
    assert ends_once(L_FROM_O, serve(L_FROM_O, data.draw(cuts(stream)), stream=True))


@often
@given(data=st.data())
def test_law_38_lines_may_end_and_stand_as_they_like(data: st.DataObject) -> None:
    items = data.draw(KITS["ollama"].streams("chat"))
    plain = decoded(OLLAMA, [KITS["ollama"].encode(items)])
    assert plain.finished
    ends = [data.draw(st.sampled_from([b"\n", b"\r\n", b"\n\n", b"\n \n", b" \r\n\r\n"])) for _ in items]
    ends[-1] = data.draw(st.sampled_from([ends[-1], b""]))
    lines = [line for line in KITS["ollama"].encode(items).split(b"\n") if line]
    stream = b"".join(line + end for line, end in zip(lines, ends, strict=True))
    assert decoded(OLLAMA, data.draw(cuts(stream))) == plain


def test_law_38_a_line_of_eight_megabytes_passes() -> None:
    text = "x" * (8_000_000 - 200)
    served = serve(O_FROM_L, [KITS["ollama"].encode(saying(O_FROM_L, text))], stream=True, usage=False)
    assert ends_once(O_FROM_L, served)
    assert len(served.body) > len(text)


@pytest.mark.parametrize(
    "line", [b"{", b"[1]", b"null", b"5", b'{"a": 1} {"b": 2}', b"\xff", b'{"done": "\xff"}', b"{" * 9999]
)
def test_law_38_a_line_that_is_no_object_is_a_typed_failure(line: bytes) -> None:
    hi = KITS["ollama"].encode(saying(O_FROM_L, "Hi")[:1])
    for pieces in ([line + b"\n"], [hi + line + b"\n"], [hi, line]):
        served = serve(O_FROM_L, pieces, stream=True)
        assert not ends_once(O_FROM_L, served)


def with_raw(pair: Pair, raw: bytes) -> bytes:
    """A stream that says `a<raw>b`."""
    return KITS[pair.upstream.name].encode(saying(pair, "aXb")).replace(b"aXb", b"a" + raw + b"b")


@pytest.mark.parametrize("pair", [*CROSSED, *STRAIGHT], ids=str)
@pytest.mark.parametrize("raw", [b"\xff", b"\xed\xa0\x80", b"\xc3", b"\xf4\x90\x80\x80"])
def test_law_39_bytes_that_are_no_utf8_are_a_typed_failure_or_replaced(pair: Pair, raw: bytes) -> None:
    served = serve(pair, [with_raw(pair, raw)], stream=True)
    if ends_once(pair, served):
        assert "\ufffd" in json.dumps(KITS[pair.client.name].parse(served.body).items, ensure_ascii=False)


@pytest.mark.parametrize("pair", [*CROSSED, *STRAIGHT], ids=str)
@pytest.mark.parametrize("raw", [rb"\ud800", rb"\udc00", rb"\ud800\ud800", rb"\udc00\ud800"])
def test_law_39_half_a_character_is_never_sent(pair: Pair, raw: bytes) -> None:
    """Two halves in the wrong order are what truncation by UTF-16 length leaves behind."""
    served = serve(pair, [with_raw(pair, raw)], stream=True)
    assert not any(0xD800 <= ord(sign) <= 0xDFFF for sign in decoded_text(served.body))
    if ends_once(pair, served):
        assert "\ufffd" in decoded_text(served.body)


def decoded_text(body: bytes) -> str:
    """The body with its JSON escapes resolved as a JSON parser does."""
    values: list[Any] = [json.loads(line) for line in re.findall(r"\{.*\}", body.decode())]
    return json.dumps(values, ensure_ascii=False)
