"""Laws 22-28 and 31-33: what a translated stream says, and in which order (protocol.md 6)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Data
from tests.laws.answered import (
    CHATS,
    CROSSED,
    JSON,
    MODEL,
    STRAIGHT,
    STREAM,
    Pair,
    body_of,
    chain,
    ends_once,
    request_of,
    run,
    serve,
    source_of,
    streamed,
    whole,
)
from tests.laws.often import among, often
from tests.laws.test_wholes import understood
from tests.laws.translated import KITS, OLLAMA, OPENAI
from tests.stages.dialects.sse_streams import cuts

crossed = pytest.mark.parametrize("pair", CROSSED, ids=str)
every = pytest.mark.parametrize("pair", [*CROSSED, *STRAIGHT], ids=str)
to_openai = pytest.mark.parametrize("pair", [pair for pair in CROSSED if pair.client is OPENAI], ids=str)
to_ollama = pytest.mark.parametrize("pair", [pair for pair in CROSSED if pair.client is OLLAMA], ids=str)


def items_of(pair: Pair, data: st.DataObject) -> list[Data]:
    drawn: list[Data] = data.draw(KITS[pair.upstream.name].streams(pair.there))
    return drawn


@every
@among(9)
@given(data=st.data())
def test_law_22_fold_of_the_translated_stream_is_the_translated_fold(pair: Pair, data: st.DataObject) -> None:
    here, there = KITS[pair.client.name], KITS[pair.upstream.name]
    items = items_of(pair, data)
    stream = here.fold(pair.operation, streamed(pair, items).items)
    folded = whole(pair, there.fold(pair.there, items))
    got, same = understood(pair, here.heard(pair.operation, folded), here.heard(pair.operation, stream))
    assert same == got


@every
@among(9)
@given(data=st.data())
def test_law_22_a_client_that_wants_a_whole_answer_gets_it_from_a_stream(pair: Pair, data: st.DataObject) -> None:
    here, there = KITS[pair.client.name], KITS[pair.upstream.name]
    items = items_of(pair, data)
    kind = STREAM[pair.upstream.name]
    served = serve(pair, [there.encode(items)], stream=False, content_type=kind)
    assert served.raised is None
    collected = here.heard(pair.operation, json.loads(served.body))
    folded = here.heard(pair.operation, whole(pair, there.fold(pair.there, items)))
    assert collected == folded


@every
@among(9)
@given(data=st.data())
def test_law_22_a_client_that_wants_a_stream_gets_it_from_a_whole_answer(pair: Pair, data: st.DataObject) -> None:
    here, there = KITS[pair.client.name], KITS[pair.upstream.name]
    answer = data.draw(there.answers(pair.there))
    served = serve(pair, [json.dumps(answer).encode()], stream=True, content_type=JSON)
    assert ends_once(pair, served)
    told = here.heard(pair.operation, here.fold(pair.operation, here.parse(served.body).items))
    assert told == here.heard(pair.operation, whole(pair, answer))


@crossed
@among(5)
@given(data=st.data())
def test_law_23_the_deltas_together_are_what_the_upstream_said(pair: Pair, data: st.DataObject) -> None:
    here, there = KITS[pair.client.name], KITS[pair.upstream.name]
    items = items_of(pair, data)
    got = here.heard(pair.operation, here.fold(pair.operation, streamed(pair, items).items))
    said, heard = understood(pair, there.heard(pair.there, there.fold(pair.there, items)), got)
    assert heard == said


@every
@among(9)
@given(data=st.data(), usage=st.booleans())
def test_laws_24_to_28_every_stream_is_in_order(pair: Pair, usage: bool, data: st.DataObject) -> None:
    """The checks of the client's dialect: one head, roles, finishes, usage, indices, whole calls, one done line."""
    parsed = streamed(pair, items_of(pair, data), usage=usage)
    assert parsed.done
    KITS[pair.client.name].check_stream(
        pair.operation, parsed.items, model=MODEL, usage=usage and pair.client is OPENAI, complete=True
    )


@to_openai
@often
@given(data=st.data())
def test_law_24_one_identity_in_all_chunks(pair: Pair, data: st.DataObject) -> None:
    offset = data.draw(st.sampled_from(["04:04:05.123456789+01:00", "03:04:05Z", "01:34:05.9-01:30"]))
    items = [{**item, "created_at": f"2026-01-02T{offset}"} for item in items_of(pair, data)]
    chunks = streamed(pair, items).items
    heads = {(chunk["id"], chunk["created"], chunk["model"], chunk["object"]) for chunk in chunks}
    assert len(heads) == 1
    assert next(iter(heads))[1] == 1767323045, "created is that of the first line, in whole seconds (3.2)"


@to_openai
@often
@given(data=st.data())
def test_law_25_one_role_first_one_finish_last(pair: Pair, data: st.DataObject) -> None:
    chunks = streamed(pair, items_of(pair, data), usage=False).items
    finishes = [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]]
    assert [finish is None for finish in finishes] == [True] * (len(finishes) - 1) + [False]
    if pair.operation == "chat":
        roles = ["role" in choice["delta"] for chunk in chunks for choice in chunk["choices"]]
        assert roles == [True] + [False] * (len(roles) - 1)
        assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
        assert chunks[-1]["choices"][0]["delta"] == {}


@to_openai
@often
@given(data=st.data())
def test_law_26_usage_is_the_last_chunk_or_nowhere(pair: Pair, data: st.DataObject) -> None:
    items = items_of(pair, data)
    *rest, last = streamed(pair, items, usage=True).items
    assert last["choices"] == []
    assert last["usage"]["prompt_tokens"] == items[-1].get("prompt_eval_count", 0)
    assert all(chunk["usage"] is None for chunk in rest)
    assert not any("usage" in chunk for chunk in streamed(pair, items, usage=False).items)


@pytest.mark.parametrize("pair", CHATS, ids=str)
@often
@given(data=st.data())
def test_law_27_calls_are_numbered_as_they_appear_and_named_once(pair: Pair, data: st.DataObject) -> None:
    items = items_of(pair, data)
    parsed = streamed(pair, items)
    fragments: list[Any] = []
    for item in parsed.items:
        for holder in [choice["delta"] for choice in item.get("choices", [])] or [item.get("message", {})]:
            fragments += holder.get("tool_calls", [])
    numbers = [fragment.get("index", fragment["function"].get("index")) for fragment in fragments]
    assert list(dict.fromkeys(numbers)) == list(range(len(set(numbers))))
    ids = [fragment["id"] for fragment in fragments if "id" in fragment]
    assert len(ids) == len(set(ids)) == len(set(numbers))


@to_ollama
@among(3)
@given(data=st.data())
def test_law_28_calls_are_whole_and_stand_before_the_one_done_line(pair: Pair, data: st.DataObject) -> None:
    lines = streamed(pair, items_of(pair, data)).items
    said = [line["message"] if pair.operation == "chat" else line for line in lines]
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert sum("tool_calls" in part for part in said) <= 1, "all calls are on one line (3.4)"
    assert "tool_calls" not in said[-1]
    assert said[-1]["content" if pair.operation == "chat" else "response"] == ""
    assert lines[-1]["done_reason"] in ("stop", "length", "content_filter")


@every
@among(9)
@given(data=st.data())
def test_law_31_what_is_sent_for_a_beginning_stands_whatever_follows(pair: Pair, data: st.DataObject) -> None:
    """Up to the terminals; calls for Ollama clients and usage are held back, so they are no look-ahead either."""
    there = KITS[pair.upstream.name]
    items = items_of(pair, data)
    full = streamed(pair, items).items
    at = data.draw(st.integers(0, len(items) - 1))
    begun = serve(pair, [there.encode(items[:at], done=False)], stream=True)
    sent = KITS[pair.client.name].parse(begun.body).items
    assert list(map(timeless, sent)) == list(map(timeless, full[: len(sent)]))


def timeless(item: Data) -> Data:
    """Without the time of the line, which is when it was sent."""
    return {key: value for key, value in item.items() if key not in ("created_at", "created")}


@every
@among(9)
@given(data=st.data())
def test_law_31_text_leaves_before_the_next_read(pair: Pair, data: st.DataObject) -> None:
    run(_in_step(pair, items_of(pair, data)))


async def _in_step(pair: Pair, items: list[Data]) -> None:
    here, there = KITS[pair.client.name], KITS[pair.upstream.name]
    pieces = [*(there.encode([item], done=False) for item in items[:-1]), there.encode(items[-1:])]
    handler, upstream = chain(pair, pieces, STREAM[pair.upstream.name])
    body = await body_of(handler, request_of(pair, stream=True), pair.client)
    source = source_of(upstream)
    sent = ""
    while (piece := await body.next_piece()) is not None:
        sent += "".join(text_of(pair.client.name, pair.operation, item) for item in here.parse(piece).items)
        read = items[: source.reads]
        assert sent == "".join(text_of(pair.upstream.name, pair.there, item) for item in read)
    assert source.released


def text_of(dialect: str, operation: str, item: Data) -> str:
    """What one item adds to the text of the first choice."""
    if dialect == "ollama":
        return str((item["message"]["content"] if operation == "chat" else item["response"]) or "")
    entries = item["choices"]
    if operation == "completion":
        return "".join(entry["text"] for entry in entries)
    return "".join(entry["delta"].get("content") or "" for entry in entries)


@every
@among(9)
@given(data=st.data())
def test_law_32_lines_are_safe_and_the_cut_of_the_input_does_not_show(pair: Pair, data: st.DataObject) -> None:
    """The strict parsers refuse a line that any reader splits, a blank line, and a field that is not data."""
    there = KITS[pair.upstream.name]
    bytes_in = there.encode(items_of(pair, data))
    together = serve(pair, [bytes_in], stream=True)
    apart = serve(pair, data.draw(cuts(bytes_in)), stream=True)
    parse = KITS[pair.client.name].parse
    assert list(map(said, parse(apart.body).items)) == list(map(said, parse(together.body).items))
    for raw in ("\u0085", "\u2028", "\u2029"):
        assert raw not in together.body.decode()
    assert b"id:" not in {line[:3] for line in together.body.split(b"\n")}
    assert b"retry:" not in {line[:6] for line in together.body.split(b"\n")}


def said(item: Data) -> Data:
    """Without what the running clock shows."""
    return {key: value for key, value in timeless(item).items() if not key.endswith("_duration")}


@to_ollama
@among(3)
@given(data=st.data())
def test_law_33_time_goes_on_and_durations_can_be_divided_by(pair: Pair, data: st.DataObject) -> None:
    lines = streamed(pair, items_of(pair, data)).items
    KITS["ollama"].check_stream(pair.operation, lines, model=MODEL, usage=False, complete=True)
    last = lines[-1]
    for key in ("total_duration", "prompt_eval_duration", "eval_duration"):
        assert type(last[key]) is int
        assert last[key] >= 1
    assert last["total_duration"] >= last["prompt_eval_duration"] + last["eval_duration"]
