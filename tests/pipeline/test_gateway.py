"""What a gateway tells about itself: its models, its operations, and the stage in which something failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pipeline import Face, Handler, ModelCard, Overloaded, Request, Response, Route, UpstreamUnavailable
from tests.pipeline.fakes import LineDialect
from tests.pipeline.toy_gateway import Answer, gateway_of


class Serves:
    """A stage that knows models, or fails to."""

    def __init__(self, *names: str, error: Exception | None = None) -> None:
        self.names = names
        self.error = error

    async def models(self) -> list[ModelCard]:
        if self.error is not None:
            raise self.error
        return [ModelCard(name) for name in self.names]

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        return await call_next(request)


async def test_the_models_are_those_of_the_first_stage_that_knows_any() -> None:
    assert await gateway_of(Serves("a", "b"), Serves("c"), Answer()).models() == ["a", "b"]


async def test_models_that_cannot_be_had_are_none() -> None:
    assert await gateway_of(Serves(error=UpstreamUnavailable("down")), Answer()).models() == []
    assert await gateway_of(Answer()).models() == []


async def test_a_stage_that_fails_at_listing_is_reported_and_hides_nothing_else(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert await gateway_of(Serves(error=RuntimeError("broken")), Answer()).models() == []
    assert "RuntimeError: broken" in caplog.text


def test_it_describes_itself_without_settings() -> None:
    assert gateway_of(Answer(), mount="/v1").describe() == {
        "name": "edge",
        "dialect": "line",
        "mount": "/v1",
        "faces": {"line": "/v1"},
        "operations": ["chat", "models.show"],
    }
    assert gateway_of(Answer()).describe()["mount"] == "/"


class Quiet(LineDialect):
    name = "quiet"
    routes: Sequence[Route] = (Route("GET", "/", "alive"),)


def test_it_names_each_dialect_it_speaks_with_its_path() -> None:
    (line,), (quiet,) = gateway_of(Answer()).faces, (Face(Quiet()),)
    root = replace(gateway_of(Answer()), faces=(quiet, replace(line, prefix="/v1")))
    assert root.describe()["faces"] == {"quiet": "/", "line": "/v1"}
    assert root.describe()["operations"] == ["alive", "chat", "models.show"]
    moved = replace(root, mount="/x")
    assert moved.describe()["faces"] == {"quiet": "/x", "line": "/x/v1"}
    assert (moved.describe()["dialect"], moved.describe()["mount"]) == ("quiet", "/x")


def test_it_speaks_the_dialect_that_is_named_and_otherwise_its_own() -> None:
    gateway = replace(gateway_of(Answer()), faces=(Face(LineDialect()), Face(Quiet(), "/q")))
    assert [gateway.speaks(name).name for name in ("line", "quiet", "", "loud")] == ["line", "quiet", "line", "line"]


async def test_a_failure_is_placed_in_the_innermost_stage_it_came_through() -> None:
    gateway = gateway_of(Serves(), Serves(), Answer(Overloaded("full")))
    with pytest.raises(Overloaded) as caught:
        await gateway.handler(Request("chat"))
    assert gateway.stage_where(caught.value) == "s2"


async def test_a_failure_of_the_outer_stage_is_its_own() -> None:
    class Refuses(Serves):
        async def __call__(self, request: Request, call_next: Handler, /) -> Response:
            raise Overloaded("full")

    gateway = gateway_of(Serves(), Refuses(), Answer())
    with pytest.raises(Overloaded) as caught:
        await gateway.handler(Request("chat"))
    assert gateway.stage_where(caught.value) == "s1"


def test_a_failure_from_elsewhere_is_in_no_stage() -> None:
    assert gateway_of(Answer()).stage_where(Overloaded("never raised")) is None
