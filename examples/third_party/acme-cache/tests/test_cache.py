"""What is answered from memory, what is not, and for how long."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pipeline import TARGET_USED, DeadlineExceeded, Outcome, Pipeline, Request, UpstreamInterrupted, UpstreamUnavailable
from upstream import Clock, Upstream, cache, chat, handler, read

from acme_cache import Cache

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


@pytest.mark.parametrize("stream", [True, False])
async def test_a_hit_replays_the_answer(stream: bool) -> None:
    upstream = Upstream()
    ask = handler(cache(), upstream)
    first = await ask(chat(stream=stream))
    given = [event async for event in first.body]
    again = await ask(chat(stream=stream))
    assert [event async for event in again.body] == given
    assert len(upstream.calls) == 1
    assert (again.status, again.headers, again.slots) == (200, first.headers, again.slots)
    assert again.slots[TARGET_USED] == first.slots[TARGET_USED]


async def test_a_hit_costs_no_tokens_though_its_client_is_told_them() -> None:
    ask = handler(cache(), Upstream())
    seen: list[Outcome] = []
    for _ in range(2):
        response = await ask(chat())
        response.body.on_end(seen.append)
        assert [event.data["usage"] async for event in response.body if event.data.get("usage")] != []
    assert [outcome.usage and outcome.usage.output_tokens for outcome in seen] == [4, 0]


@pytest.mark.parametrize(
    "other", [{"text": "hello "}, {"caller": "eve"}, {"model": "n"}, {"stream": False}, {"operation": "completion"}]
)
async def test_what_is_not_the_same_is_asked_for(other: dict[str, Any]) -> None:
    upstream = Upstream()
    ask = handler(cache(), upstream)
    assert await read(await ask(chat())) == "answer 1"
    assert await read(await ask(chat(**other))) == "answer 2"
    assert await read(await ask(chat())) == "answer 1"


async def test_fields_do_not_run_into_each_other() -> None:
    ask = handler(cache(), Upstream())
    assert await read(await ask(chat(caller="b").evolve(model="chatm"))) == "answer 1"
    assert await read(await ask(chat(caller="bchat").evolve(model="m"))) == "answer 2"


async def test_callers_share_if_told_to() -> None:
    ask = handler(cache(shared=True), Upstream())
    assert await read(await ask(chat(caller="bob"))) == "answer 1"
    assert await read(await ask(chat(caller="eve"))) == "answer 1"


async def test_lists_of_models_are_never_kept() -> None:
    upstream = Upstream()
    ask = handler(cache(), upstream)
    for _ in range(2):
        await read(await ask(chat(operation="models.list")))
    assert len(upstream.calls) == 2


async def test_an_answer_is_kept_for_so_long_and_no_longer() -> None:
    clock = Clock()
    ask = handler(cache(clock=clock, ttl_seconds=10), Upstream())
    said = []
    for seconds in (0, 9.9, 0.1, 9.9):
        clock.now += seconds
        said.append(await read(await ask(chat())))
    assert said == ["answer 1", "answer 1", "answer 2", "answer 2"]


async def test_the_least_recently_used_leaves_first() -> None:
    stage, upstream = cache(entries=2), Upstream()
    ask = handler(stage, upstream)
    for text in ("a", "b", "a", "c"):
        await read(await ask(chat(text)))
    assert len(stage._shelf) == 2
    assert len(upstream.calls) == 3
    assert await read(await ask(chat("a"))) == "answer 1"
    assert await read(await ask(chat("b"))) == "answer 4"


async def test_an_answer_that_is_too_long_is_given_and_not_kept() -> None:
    upstream = Upstream()
    upstream.pieces = 4
    ask = handler(cache(events=6), upstream)
    for number in (1, 2):
        assert await read(await ask(chat())) == f"answer {number}" * 4
    upstream.pieces = 3
    assert await read(await ask(chat())) == "answer 3" * 3
    assert await read(await ask(chat())) == "answer 3" * 3


@pytest.mark.parametrize("error", [UpstreamUnavailable("down"), DeadlineExceeded("late"), ZeroDivisionError()])
async def test_an_error_before_the_head_is_not_kept(error: Exception) -> None:
    stage, upstream = cache(), Upstream()

    async def fail(number: int) -> None:
        if number == 1:
            raise error

    upstream.head = fail
    with pytest.raises(type(error)):
        await handler(stage, upstream)(chat())
    assert await read(await handler(stage, upstream)(chat())) == "answer 2"
    assert stage._flights == {}


async def test_an_answer_that_breaks_off_is_not_kept() -> None:
    stage, upstream = cache(), Upstream()

    async def cut(number: int) -> None:
        if number == 1:
            raise UpstreamInterrupted("cut")

    upstream.rest = cut
    with pytest.raises(UpstreamInterrupted):
        await read(await handler(stage, upstream)(chat()))
    assert await read(await handler(stage, upstream)(chat())) == "answer 2"
    assert stage._flights == {}


async def test_an_answer_that_nobody_reads_to_its_end_is_not_kept() -> None:
    stage = cache()
    ask = handler(stage, Upstream())
    response = await ask(chat())
    await anext(aiter(response.body))
    await response.body.aclose()
    assert await read(await ask(chat())) == "answer 2"


async def test_an_answer_of_another_status_is_not_kept() -> None:
    upstream = Upstream()
    upstream.status = 206
    ask = handler(cache(), upstream)
    assert [await read(await ask(chat())) for _ in range(2)] == ["answer 1", "answer 2"]


async def test_a_cache_that_was_stopped_is_empty() -> None:
    stage = cache()
    ask = handler(stage, Upstream())
    await read(await ask(chat()))
    await stage.stop()
    assert await read(await ask(chat())) == "answer 2"


@pytest.mark.parametrize("stream", [True, False])
async def test_a_gateway_finds_it_by_its_kind(stream: bool) -> None:
    payload = {"model": "echo", "messages": [{"role": "user", "content": "hello"}], "stream": stream}
    request = Request("chat", dialect="openai", model="echo", payload=payload, stream=stream)
    async with Pipeline.from_config(EXAMPLE) as pipeline:
        said = [b"".join([piece async for piece in (await pipeline.handle(request)).body.pieces()]) for _ in range(2)]
        (gateway,) = pipeline.gateways.values()
        kept = [len(link.stage._shelf) for link in gateway.links if isinstance(link.stage, Cache)]
    assert b"hello" in said[0]
    assert said[0] == said[1]
    assert kept == [1]
