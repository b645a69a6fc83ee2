"""Laws 49 and 50: what passes through, and who closes the upstream (protocol.md 6)."""

from __future__ import annotations

import json

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Data, Handler, Request
from tests.laws.answered import (
    CROSSED,
    MODEL,
    STRAIGHT,
    STREAM,
    Pair,
    body_of,
    chain,
    request_of,
    run,
    serve,
    source_of,
)
from tests.laws.decoded import decoded
from tests.laws.often import among, often
from tests.laws.translated import KITS
from tests.stages.fakes import PARK

straight = pytest.mark.parametrize("pair", STRAIGHT, ids=str)
every = pytest.mark.parametrize("pair", [*CROSSED, *STRAIGHT], ids=str)


@straight
@among(4)
@given(data=st.data())
def test_law_49_a_whole_answer_passes_but_for_its_model(pair: Pair, data: st.DataObject) -> None:
    answer = data.draw(KITS[pair.upstream.name].answers(pair.there))
    served = serve(pair, [json.dumps(answer).encode()], stream=False, shape="forward")
    assert json.loads(served.body) == {**answer, "model": MODEL}


@straight
@among(4)
@given(data=st.data())
def test_law_49_a_stream_passes_but_for_its_model(pair: Pair, data: st.DataObject) -> None:
    there = KITS[pair.upstream.name]
    items = data.draw(there.streams(pair.there))
    served = serve(pair, [there.encode(items)], stream=True, shape="forward")
    parsed = there.parse(served.body)
    assert parsed.done
    assert parsed.items == [{**item, "model": MODEL} for item in items]


@pytest.mark.parametrize("pair", STRAIGHT[:2], ids=str)
@often
@given(data=st.data())
def test_law_49_a_request_passes_but_for_its_model(pair: Pair, data: st.DataObject) -> None:
    request = data.draw(KITS[pair.client.name].requests(pair.operation))
    asking = Pair(pair.client, pair.upstream, pair.operation, pair.there, request)
    handler, upstream = chain(asking, [], "application/json")
    stream = request.get("stream", pair.client.name == "ollama")
    sent = request_of(asking, stream=bool(stream), usage=False)
    run(run_and_close(handler, sent, pair))
    got: Data = json.loads(upstream.calls[0].body)
    assert {**got, "stream": None} == {**request, "model": "theirs", "stream": None}
    assert bool(got["stream"]) == bool(stream)


async def run_and_close(handler: Handler, request: Request, pair: Pair) -> None:
    await (await body_of(handler, request, pair.client)).aclose()


@every
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.parametrize("shape", ["complete", "forward"])
async def test_law_50_a_client_that_leaves_closes_the_upstream_once(pair: Pair, shape: str) -> None:
    """At each read in turn the upstream falls silent, and the client is cancelled while it waits."""
    there = KITS[pair.upstream.name]
    pieces = [there.encode([item], done=False) for item in HELLO[pair.upstream.name, pair.there]]
    for at in range(len(pieces) + 1):
        handler, upstream = chain(pair, [*pieces[:at], PARK], STREAM[pair.upstream.name], shape=shape)
        body = await body_of(handler, request_of(pair, stream=True), pair.client)
        source = source_of(upstream)
        ended: list[object] = []
        body.on_end(ended.append)
        async with anyio.create_task_group() as tasks:

            async def read(body: object = body) -> None:
                async for _ in body.pieces():  # type: ignore[attr-defined]  # bound early, as the loop goes on
                    pass

            tasks.start_soon(read)
            await source.parked.wait()
            tasks.cancel_scope.cancel()
        assert source.closes == 1
        await body.aclose()
        assert source.closes == 1, "closing again does nothing"
        assert len(ended) == 1


@every
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_law_50_a_client_that_stops_reading_closes_the_upstream_once(pair: Pair) -> None:
    there = KITS[pair.upstream.name]
    items = HELLO[pair.upstream.name, pair.there]
    pieces = [there.encode([item], done=False) for item in items]
    for stop in range(len(pieces)):
        handler, upstream = chain(pair, pieces, STREAM[pair.upstream.name])
        body = await body_of(handler, request_of(pair, stream=True), pair.client)
        for _ in range(stop):
            await body.next_piece()
        await body.aclose()
        source = source_of(upstream)
        assert source.released
        assert source.closes == (0 if source.reads > len(pieces) else 1)


def _hello() -> dict[tuple[str, str], list[Data]]:
    head = {"model": "theirs", "created_at": "2026-01-02T03:04:05Z", "done": False}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 5, "model": "theirs"}
    text = {**chunk, "object": "text_completion"}
    words = ["Hi", " there", "!"]
    return {
        ("ollama", "chat"): [{**head, "message": {"role": "assistant", "content": word}} for word in words],
        ("ollama", "completion"): [{**head, "response": word} for word in words],
        ("openai", "chat"): [
            {**chunk, "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]} for word in words
        ],
        ("openai", "completion"): [
            {**text, "choices": [{"index": 0, "text": word, "logprobs": None, "finish_reason": None}]} for word in words
        ],
    }


HELLO = _hello()


@pytest.mark.parametrize("dialect", ["openai", "ollama"])
def test_the_greeting_is_a_stream_of_its_dialect(dialect: str) -> None:
    pair = next(pair for pair in STRAIGHT if pair.client.name == dialect)
    seen = decoded(pair.client, [KITS[dialect].encode(HELLO[dialect, "chat"], done=False)])
    assert len(seen.events) == 3
    assert not seen.finished
