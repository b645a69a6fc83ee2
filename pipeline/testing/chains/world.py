"""One example for a config: a caller of one of its gateways, and what its upstreams answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import strategies as st

from pipeline.build import build
from pipeline.config import ConfigError, Document, Problem, configs_dir, read_document, resolve
from pipeline.dialect import Dialect
from pipeline.errors import UpstreamUnavailable
from pipeline.events import END, Data, Event
from pipeline.gateway import Gateway
from pipeline.headers import Headers
from pipeline.model_card import ModelCard
from pipeline.registry import Registry
from pipeline.request import Request
from pipeline.response import Response
from pipeline.runtime import Pipeline
from pipeline.stage import StageSpec
from pipeline.testing.answering import steps_of
from pipeline.testing.asking import request_of
from pipeline.testing.chains.stand_ins import AnyVariable, with_shared_transports, with_stand_ins
from pipeline.testing.points import Points
from pipeline.testing.scenario import Answer, Ask, Fault
from pipeline.testing.scripted import ScriptedSource
from pipeline.testing.strategies import asks, faults
from pipeline.testing.subject import Subject
from pipeline.testing.virtual_clock import VirtualClock
from pipeline.transport import UpstreamAnswer, UpstreamCall

_ANY_TROUBLE = st.none() | faults()
# An upstream may be asked for another operation than its gateway was.
_MAY_BECOME = {
    **dict.fromkeys(("chat", "completion"), ("chat", "completion")),
    **dict.fromkeys(("embedding", "embedding.single"), ("embedding",)),
}


class _AnyStage:
    spec = StageSpec("kit.config")


@dataclass(frozen=True)
class ChainScenario:
    """`said` are the items that an upstream of a dialect answers an operation with."""

    gateway: str
    ask: Ask
    said: Mapping[tuple[str, str], tuple[Any, ...]] = field(repr=False)
    fault: Fault | None = None

    def lines(self) -> list[str]:
        return [f"gateway   {self.gateway}", f"ask       {self.ask!r}", f"fault     {self.fault!r}"]


@dataclass(frozen=True)
class Config:
    """A config file to be held to the laws of chains."""

    path: Path
    registry: Registry = field(default_factory=Registry.default, repr=False)
    subject: Subject = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "subject", Subject("kit.config", _AnyStage, self.registry))

    @cached_property
    def document(self) -> Document:
        """Read once. Raises `ConfigError` for a file that cannot be read."""
        path = resolve(self.path)
        problems: list[Problem] = []
        dirs = (path.parent / "bundles", configs_dir() / "bundles")
        document = read_document(path, bundle_dirs=dirs, environ=AnyVariable(), problems=problems)
        if document is None or problems:
            raise ConfigError(problems)
        return document

    @cached_property
    def shared(self) -> Registry:
        return with_shared_transports(self.registry)

    @cached_property
    def spoken(self) -> list[str]:
        """The dialects of its upstreams."""
        host = ChainWorld(self, None).pipeline.host
        names = [entry.name for entry in self.document.resources if entry.group == "upstreams"]
        return sorted({host.upstream(name).dialect.name for name in names} & set(self.subject.dialects))

    def faces(self) -> list[tuple[str, str]]:
        """Each gateway and dialect that it speaks. Raises `ConfigError` as always."""
        pipeline = ChainWorld(self, None).pipeline
        return [(name, face.dialect.name) for name, gateway in pipeline.gateways.items() for face in gateway.faces]


@st.composite
def chain_scenarios(
    draw: st.DrawFn,
    config: Config,
    faces: list[tuple[str, str]],
    *,
    fault: st.SearchStrategy[Fault | None] | None = None,
) -> ChainScenario:
    gateway, dialect = draw(st.sampled_from(faces))
    subject = config.subject
    ask = draw(asks(subject, None, dialect=dialect))
    said = {}
    for spoken in config.spoken:
        for operation in _MAY_BECOME.get(ask.operation, ()):
            what = "answers" if operation == "embedding" else "streams"
            items = draw(subject.drawn(what, spoken, operation))
            said[spoken, operation] = tuple(items) if what == "streams" else (items,)
    return ChainScenario(gateway, ask, said, draw(fault if fault is not None else _ANY_TROUBLE))


class ChainWorld:
    """A pipeline of the config, and what its upstreams were asked and handed out.

    `calls` are those for which a model works, and `answers` their sources; `sources` are those of lists of models too.
    """

    def __init__(self, config: Config, scenario: ChainScenario | None) -> None:
        self.config = config
        self._scenario = scenario
        self.points = Points(by_hand=False)
        self.clock = VirtualClock()
        self.calls: list[UpstreamCall] = []
        self.sources: list[ScriptedSource] = []
        self.answers: list[ScriptedSource] = []
        self.cuts: tuple[int, ...] = ()
        registry = with_stand_ins(config.shared, self._answer, self.points.at)
        self.pipeline: Pipeline = build(config.document, registry=registry)

    @property
    def scenario(self) -> ChainScenario:
        assert self._scenario is not None
        return self._scenario

    @property
    def gateway(self) -> Gateway:
        return self.pipeline.gateway(self.scenario.gateway)

    def request(self, ask: Ask | None = None) -> Request:
        """As the adapter makes it: the engine writes its slots itself."""
        made = request_of(ask if ask is not None else self.scenario.ask, self.config.subject)
        return Request(
            made.operation,
            model=made.model,
            payload=made.payload,
            dialect=made.dialect,
            headers=made.headers,
            stream=made.stream,
            id="kit-request",
        )

    async def handle(self, ask: Ask | None = None) -> Response:
        return await self.pipeline.handle(self.request(ask), gateway=self.gateway)

    async def exchange(self, ask: Ask | None = None) -> tuple[list[Event], Exception | None]:
        """From the request to the end of the body; what was raised, if anything."""
        events: list[Event] = []
        try:
            response = await self.handle(ask)
        except Exception as error:
            return events, error
        try:
            async for event in response.body:
                event.data  # noqa: B018 - decoded here, where what is no JSON is a failure of the body
                events.append(event)
        except Exception as error:
            return events, error
        finally:
            await response.body.aclose()
        return events, None

    def _answer(self, upstream: Any, call: UpstreamCall) -> UpstreamAnswer:
        dialect = upstream.dialect
        operation = next((route.operation for route in dialect.routes if route.path == call.path), "")
        items = self.scenario.said.get((dialect.name, operation))
        if items is not None:
            self.calls.append(call)
        fault = self.scenario.fault
        if fault is not None and fault.what == "status":
            return UpstreamAnswer(503, Headers(), self._source([b"kit: no"]))
        if fault is not None and fault.in_head:
            raise UpstreamUnavailable("kit: refused") if fault.what == "refused" else RuntimeError("kit: a bug")
        if items is None:
            return UpstreamAnswer(200, Headers(), self._source([self._listed(dialect, operation)]))
        stream = bool(call.body) and msgspec.json.decode(call.body).get("stream") is True
        answer = Answer(operation, items, dialect.name, self.cuts, fault)
        self.answers.append(self._source(steps_of(answer, self.config.subject, stream=stream)))
        return UpstreamAnswer(200, Headers(), self.answers[-1])

    def _listed(self, dialect: Dialect, operation: str) -> bytes:
        """What the upstream serves, in its own words: what is asked for, and one model more."""
        asked = self.scenario.ask.payload.get("model")
        cards = [asdict(ModelCard(name)) for name in (asked, "a") if isinstance(name, str) and name]
        told: dict[str, Data] = {
            "models.list": {"models": cards},
            "models.running": {"models": []},
            "models.show": {"model": cards[0]},
            "version": {"version": "1.2.3"},
        }
        if operation not in told:
            return b"{}"
        encoder = dialect.encoder(Request(operation, dialect=dialect.name))
        return encoder.encode(Event(told[operation])) + encoder.encode(END) + encoder.finish()

    def _source(self, steps: list[Any]) -> ScriptedSource:
        source = ScriptedSource(steps, self.points, self.clock)
        self.sources.append(source)
        return source
