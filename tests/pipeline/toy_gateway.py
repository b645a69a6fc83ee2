"""A pipeline put together by hand: one gateway of the toy protocol, and everything it would log kept in a list."""

from __future__ import annotations

from typing import Any

from pipeline import Body, Clock, Face, Gateway, Handler, Host, Link, Pipeline, Request, Response, Stage, compose, stage
from pipeline.registry import Registry
from tests.pipeline.fakes import FakeClock, FakeSource, LineDecoder, LineDialect


@stage("answer", calls_next="never")
class Answer:
    """A terminal that answers each request with the next of the given sources, or raises what stands there."""

    def __init__(self, *sources: FakeSource | BaseException) -> None:
        self.sources = list(sources)
        self.requests: list[Request] = []

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        self.requests.append(request)
        source = self.sources.pop(0)
        if isinstance(source, BaseException):
            raise source
        return Response(Body(source, LineDecoder()))


def no_resource(group: str, name: str) -> Any:
    raise AssertionError(f"no test of this gateway has the resource {group}.{name}")


def gateway_of(*stages: Stage, name: str = "edge", mount: str = "") -> Gateway:
    """A gateway whose links are called s0, s1, ..."""
    links = tuple(Link(f"s{at}", type(each).__name__, each) for at, each in enumerate(stages))
    return Gateway(name, (Face(LineDialect()),), mount, links, compose(stages))


def pipeline_of(
    *stages: Stage, clock: Clock | None = None, owned: tuple[object, ...] = ()
) -> tuple[Pipeline, list[dict[str, Any]]]:
    """A pipeline with that one gateway, not started, and the list its access records go to."""
    lines: list[dict[str, Any]] = []
    host = Host(
        resource=no_resource,
        implementation=Registry().load,
        clock=clock if clock is not None else FakeClock(),
        random_bytes=lambda count: b"\x01" * count,
    )
    return Pipeline([gateway_of(*stages)], host=host, owned=owned, access=lines.append), lines
