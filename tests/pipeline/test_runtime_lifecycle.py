"""A pipeline starts what it owns in order and stops it in reverse, whatever fails, as often as it is asked to."""

from __future__ import annotations

import anyio
import pytest
from anyio.lowlevel import checkpoint

from pipeline import GatewayError, InvalidRequest, Pipeline, Request
from tests.pipeline.fakes import FakeSource, read
from tests.pipeline.toy_gateway import Answer, gateway_of, pipeline_of


class Owned:
    """Something that starts and stops, and may fail at either."""

    def __init__(self, name: str, log: list[str], *, fails: str = "") -> None:
        self.name = name
        self.log = log
        self.fails = fails

    async def start(self) -> None:
        await checkpoint()
        self.log.append(f"start {self.name}")
        if self.fails == "start":
            raise OSError(f"{self.name} does not start")

    async def stop(self) -> None:
        await checkpoint()
        self.log.append(f"stop {self.name}")
        if self.fails == "stop":
            raise OSError(f"{self.name} does not stop")


def owning(*owned: object) -> Pipeline:
    return pipeline_of(Answer(), owned=owned)[0]


UP = ["start a", "start b", "start c"]
DOWN = ["stop c", "stop b", "stop a"]


async def test_what_is_owned_starts_in_order_and_stops_in_reverse() -> None:
    log: list[str] = []
    pipeline = owning(Owned("a", log), object(), Owned("b", log), Owned("c", log))
    assert not pipeline.ready
    async with pipeline as entered:
        assert entered is pipeline
        assert pipeline.ready
        assert log == UP
    assert not pipeline.ready
    assert log == UP + DOWN


async def test_what_needs_no_start_may_still_need_a_stop() -> None:
    log: list[str] = []

    class OnlyStops:
        async def stop(self) -> None:
            log.append("stop")

    async with owning(OnlyStops()):
        assert log == []
    assert log == ["stop"]


async def test_a_start_that_fails_half_way_stops_what_had_begun_to_start() -> None:
    log: list[str] = []
    pipeline = owning(Owned("a", log), Owned("b", log, fails="start"), Owned("c", log))
    with pytest.raises(OSError, match="b does not start"):
        await pipeline.__aenter__()
    assert log == ["start a", "start b", "stop b", "stop a"]
    assert not pipeline.ready


async def test_a_start_that_is_cancelled_stops_what_had_begun_to_start() -> None:
    log: list[str] = []

    class Hangs(Owned):
        async def start(self) -> None:
            reached.set()
            await anyio.Event().wait()

        async def stop(self) -> None:
            self.log.append(f"stop {self.name}")

    class Stops(Owned):
        async def stop(self) -> None:
            self.log.append(f"stop {self.name}")

    reached = anyio.Event()
    pipeline = owning(Stops("a", log), Hangs("b", log))
    async with anyio.create_task_group() as group:
        group.start_soon(pipeline.__aenter__)
        await reached.wait()
        group.cancel_scope.cancel()
    assert log == ["start a", "stop b", "stop a"]
    assert not pipeline.ready


async def test_after_a_failed_start_it_may_be_tried_again() -> None:
    log: list[str] = []
    flaky = Owned("b", log, fails="start")
    pipeline = owning(Owned("a", log), flaky)
    with pytest.raises(OSError, match="b does not start"):
        await pipeline.__aenter__()
    flaky.fails = ""
    async with pipeline:
        assert pipeline.ready


async def test_a_stop_that_fails_does_not_spare_the_others() -> None:
    log: list[str] = []
    pipeline = owning(Owned("a", log), Owned("b", log, fails="stop"), Owned("c", log))
    await pipeline.__aenter__()
    with pytest.raises(OSError, match="b does not stop"):
        await pipeline.__aexit__(None, None, None)
    assert log == UP + DOWN
    assert not pipeline.ready


async def test_entering_twice_is_refused_and_starts_nothing_twice() -> None:
    log: list[str] = []
    pipeline = owning(Owned("a", log))
    async with pipeline:
        with pytest.raises(RuntimeError, match="already started"):
            await pipeline.__aenter__()
        assert pipeline.ready
    assert log == ["start a", "stop a"]


async def test_leaving_twice_stops_once_and_it_may_be_entered_again() -> None:
    log: list[str] = []
    pipeline = owning(Owned("a", log))
    for _ in range(2):
        await pipeline.__aenter__()
        for _ in range(2):
            await pipeline.__aexit__(None, None, None)
    assert log == ["start a", "stop a"] * 2


async def test_a_start_draws_new_random_bytes_so_that_a_forked_process_repeats_no_id_of_its_parent() -> None:
    pipeline, _ = pipeline_of(Answer())
    parents = pipeline.record().id
    pipeline.host.random_bytes = lambda count: b"\x02" * count
    async with pipeline:
        assert pipeline.record().id != parents


async def test_before_and_after_a_request_is_refused_with_503() -> None:
    pipeline, lines = pipeline_of(Answer(FakeSource(b".\n")))
    with pytest.raises(GatewayError, match="not started") as before:
        await pipeline.handle(Request("chat", stream=True))
    async with pipeline:
        await read((await pipeline.handle(Request("chat", stream=True))).body)
    with pytest.raises(GatewayError, match="not started") as after:
        await pipeline.handle(Request("chat", stream=True))
    assert [(caught.value.status, caught.value.code) for caught in (before, after)] == [(503, "not_ready")] * 2
    assert [line["status"] for line in lines] == [503, 200, 503]


def test_the_only_gateway_needs_no_name() -> None:
    pipeline = owning()
    assert pipeline.gateway() is pipeline.gateway("edge")
    with pytest.raises(InvalidRequest, match="no gateway named 'egde'; there are: edge"):
        pipeline.gateway("egde")


def test_of_two_gateways_one_must_be_named() -> None:
    gateways = [gateway_of(Answer(), name="one"), gateway_of(Answer(), name="two", mount="/v2")]
    pipeline = Pipeline(gateways, host=owning().host)
    with pytest.raises(InvalidRequest, match="say which gateway: one, two"):
        pipeline.gateway()
    assert pipeline.gateway("two").mount == "/v2"
