"""Each broken variant does wrong what the stage does right."""

from __future__ import annotations

import logging
from pathlib import Path

import anyio
import pytest
from broken import (
    LAWS,
    ForgetsTheLeader,
    MakesItsFolder,
    RaisesAtTheEnd,
    ReadsFirst,
    Swallows,
    Undeclared,
)
from pipeline import PRINCIPAL, Overloaded, UpstreamUnavailable, spec_of
from upstream import Gate, Upstream, cache, chat, handler, read

from acme_cache import Cache


@pytest.mark.parametrize("cls", [Cache, ReadsFirst])
async def test_reads_first_holds_the_head_back(cls: type[Cache]) -> None:
    upstream, gate = Upstream(), Gate(1)
    upstream.rest = gate
    told: list[str] = []

    async def ask() -> None:
        response = await handler(cache(cls), upstream)(chat())
        told.append("head")
        await response.body.aclose()

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            if cls is ReadsFirst:
                await gate.reached.wait()
                assert told == []
                gate.opened.set()
    assert gate.reached.is_set() is (cls is ReadsFirst)


@pytest.mark.parametrize("cls", [Cache, ForgetsTheLeader])
async def test_forgets_the_leader_that_left(cls: type[Cache]) -> None:
    stage, upstream, gate = cache(cls), Upstream(), Gate(1)
    upstream.head = gate

    async def ask() -> None:
        await handler(stage, upstream)(chat())

    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await gate.reached.wait()
            tasks.cancel_scope.cancel()
    if cls is Cache:
        assert await read(await handler(stage, upstream)(chat())) == "answer 2"
    else:
        with pytest.raises(Overloaded):
            await handler(stage, upstream)(chat())


@pytest.mark.parametrize("cls", [Cache, Swallows])
async def test_swallows_errors(cls: type[Cache]) -> None:
    async def down(number: int) -> None:
        raise UpstreamUnavailable("down")

    upstream = Upstream()
    upstream.head = down
    if cls is Cache:
        with pytest.raises(UpstreamUnavailable):
            await handler(cache(cls), upstream)(chat())
    else:
        assert await read(await handler(cache(cls), upstream)(chat())) == ""


@pytest.mark.parametrize("cls", [Cache, MakesItsFolder])
def test_makes_its_folder_when_it_is_built(cls: type[Cache], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made: list[str] = []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("os.rmdir", made.append)
    cache(cls)
    assert [*map(str, tmp_path.iterdir())] == made
    assert len(made) == (cls is MakesItsFolder)


@pytest.mark.parametrize("cls", [Cache, Undeclared])
async def test_undeclared_reads_what_it_does_not_say(cls: type[Cache]) -> None:
    await read(await handler(cache(cls), Upstream())(chat()))
    assert (PRINCIPAL in spec_of(cls).reads) is (cls is Cache)


@pytest.mark.parametrize("cls", [Cache, RaisesAtTheEnd])
async def test_raises_at_the_end(cls: type[Cache], caplog: pytest.LogCaptureFixture) -> None:
    response = await handler(cache(cls), Upstream())(chat())
    with caplog.at_level(logging.ERROR):
        await response.body.aclose()
    assert ("raised while a body ended" in caplog.text) is (cls is RaisesAtTheEnd)


def test_every_variant_is_of_a_kind_of_its_own() -> None:
    assert len({spec_of(cls).kind for cls in [Cache, *LAWS]}) == len(LAWS) + 1
