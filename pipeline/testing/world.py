"""Everything around one stage in one example: its host, what it calls next, and what can be seen of it from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from pipeline.body import Body
from pipeline.errors import UpstreamRejected, UpstreamUnavailable
from pipeline.events import Event
from pipeline.headers import Headers
from pipeline.host import SettingsError
from pipeline.neutral import NeutralDecoder
from pipeline.request import Request
from pipeline.response import Response
from pipeline.stage import Handler, Stage
from pipeline.testing.answering import answer_to, steps_of
from pipeline.testing.asking import KitNotes, Unfit, request_of
from pipeline.testing.drive import Attempt, by_hand, needs_loop, on_loop
from pipeline.testing.kit_host import UPSTREAM, KitHost
from pipeline.testing.points import Points
from pipeline.testing.scenario import Answer, Ask, Scenario
from pipeline.testing.scripted import ScriptedSource, ScriptedUpstream
from pipeline.testing.subject import Subject
from pipeline.testing.virtual_clock import VirtualClock
from pipeline.transport import UpstreamAnswer, UpstreamCall
from pipeline.wellknown import HEAD_SECONDS, TARGET_USED, Target

T = TypeVar("T")


@dataclass
class Result:
    """What a caller got: the events until the end or the failure. `in_head`: it failed before there was a response."""

    events: list[Event] = field(default_factory=list)
    error: Exception | None = None
    in_head: bool = False

    @property
    def texts(self) -> dict[int, str]:
        """The visible text of each choice."""
        said: dict[int, str] = {}
        for event in self.events:
            for choice in event.data.get("choices") or ():
                text = choice.get("text") or (choice.get("delta") or {}).get("content") or ""
                index = choice.get("index") or 0
                said[index] = said.get(index, "") + text
        return said


class Next:
    """What the stage calls next: gives the scripted answer, and remembers what it was asked and what it handed out."""

    def __init__(self, world: World, answer: Answer) -> None:
        self._world = world
        self._answer = answer
        self.requests: list[Request] = []
        self.responses: list[Response] = []
        self.raised: list[Exception] = []
        self.dressed: Callable[[Response], Response] = lambda response: response

    async def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        await self._world.points.at("call_next")
        fault = self._answer.fault
        if fault is not None and fault.in_head:
            self.raised.append(_head_trouble(fault.what))
            raise self.raised[-1]
        response = self.dressed(self._response(request))
        self.responses.append(response)
        return response

    def _response(self, request: Request) -> Response:
        world = self._world
        answer = answer_to(request.operation, self._answer)
        source = world.source(steps_of(answer, world.subject, stream=request.stream))
        dialect = world.subject.dialects.get(answer.dialect)
        body = Body(source, dialect.decoder(request, Headers()) if dialect is not None else NeutralDecoder())
        response = Response(body).with_slot(TARGET_USED, Target(UPSTREAM, f"{request.model}-there"))
        return response.with_slot(HEAD_SECONDS, 0.01)


class World:
    """Made anew for each run of a law. Whatever a law looks at afterwards was recorded here."""

    def __init__(self, subject: Subject, scenario: Scenario, *, by_hand: bool = True) -> None:
        self.subject = subject
        self.scenario = scenario
        self.points = Points(by_hand=by_hand)
        self._missed = [False]
        self.clock = VirtualClock()
        self.notes = KitNotes()
        self.sources: list[ScriptedSource] = []
        dialect = subject.dialects[scenario.answer.dialect or scenario.ask.dialect]
        self.upstream = ScriptedUpstream(UPSTREAM, dialect, self._answered, self.points)
        self._script = scenario.answer
        self.host = KitHost(
            self.upstream,
            self.points,
            clock=self.clock,
            registry=subject.registry,
            seed=scenario.seed,
            resources=subject.arrangement.resources,
        )

    def again(self, *, ask: Ask | None = None, answer: Answer | None = None) -> World:
        """Another world of the same sort, as if this one had never been; with another question or answer."""
        ask = ask if ask is not None else self.scenario.ask
        answer = answer if answer is not None else self.scenario.answer
        other = World(self.subject, replace(self.scenario, ask=ask, answer=answer), by_hand=self.points.by_hand)
        other._missed = self._missed
        return other

    @property
    def missed_loop(self) -> bool:
        """Whether the stage failed by hand, here or in a world like this, only because no event loop was running."""
        return self._missed[0]

    def failed(self, error: Exception) -> None:
        """To be told of what a stage raised by whoever catches it: to most laws one failure is as good as another."""
        self._missed[0] = self._missed[0] or (self.points.by_hand and needs_loop(error))

    def build(self) -> Stage:
        """A new instance of the stage. Raises `Unfit` where it refuses these settings."""
        try:
            built: Stage = self.subject.cls(self.scenario.settings, self.host)
        except SettingsError as error:
            raise Unfit(str(error)) from error
        return built

    @asynccontextmanager
    async def started(self) -> AsyncIterator[Stage]:
        """A new instance, started and in the end stopped as a pipeline does it."""
        stage = self.build()
        start, stop = getattr(stage, "start", None), getattr(stage, "stop", None)
        if start is not None:
            await start()
        try:
            yield stage
        finally:
            if stop is not None:
                await stop()

    def request(self, ask: Ask | None = None) -> Request:
        return request_of(ask if ask is not None else self.scenario.ask, self.subject, notes=self.notes)

    def next(self, answer: Answer | None = None) -> Next:
        """What the stage shall call next. A terminal calls the scripted upstream instead, which gives this answer."""
        self._script = answer if answer is not None else self.scenario.answer
        return Next(self, self._script)

    def source(self, steps: Sequence[Any]) -> ScriptedSource:
        source = ScriptedSource(steps, self.points, self.clock)
        self.sources.append(source)
        return source

    def bind(self, response: Response, ask: Ask | None = None) -> Body:
        """The body, with the encoder of the caller's dialect, as the runtime leaves it."""
        ask = ask if ask is not None else self.scenario.ask
        response.body.bind(self.subject.dialects[ask.dialect].encoder(self.request(ask)))
        return response.body

    async def attempt(self, call: Callable[[], Coroutine[Any, Any, T]], *, cancel_at: int | None = None) -> Attempt[T]:
        """Run the stage's part of an example, cancelled at the wait number `cancel_at`; the law itself goes on."""
        if self.points.by_hand:
            return by_hand(call, cancel_at=cancel_at)
        return await on_loop(call, cancel_at=cancel_at)

    async def call(self, stage: Stage, request: Request, call_next: Handler) -> Response:
        """`await stage(...)`, written so that a coroutine comes of it whatever the stage returns."""
        try:
            return await stage(request, call_next)
        except Exception as error:
            self.failed(error)
            raise

    async def result(self, stage: Stage, ask: Ask | None = None, answer: Answer | None = None) -> Result:
        """One whole exchange, from the call to the end of the body, as its caller sees it."""
        result = Result()
        try:
            response = await self.call(stage, self.request(ask), self.next(answer))
        except Exception as error:
            result.error, result.in_head = error, True
            return result
        result.events, result.error = await self.read(self.bind(response, ask))
        return result

    async def read(self, body: Body) -> tuple[list[Event], Exception | None]:
        """The events of the body, and what it failed with if it did; it is closed then."""
        events: list[Event] = []
        error: Exception | None = None
        try:
            async for event in body:
                event.data  # noqa: B018 - decoded here, where what is no JSON is a failure of the body
                events.append(event)
        except Exception as failure:
            self.failed(failure)
            error = failure
        await body.aclose()
        return events, error

    def _answered(self, call: UpstreamCall) -> UpstreamAnswer:
        answer, fault = self._script, self._script.fault
        if fault is not None and fault.what == "status":
            return UpstreamAnswer(503, Headers(), self.source([b"kit: no"]))
        if fault is not None and fault.in_head:
            raise _head_trouble(fault.what)
        pieces = steps_of(answer, self.subject, stream=self.scenario.ask.stream) if answer.dialect else [b"{}"]
        return UpstreamAnswer(200, Headers(), self.source(pieces))


def _head_trouble(what: str) -> Exception:
    if what == "bug":
        return RuntimeError("kit: a bug further in")
    if what == "status":
        return UpstreamRejected("kit: no", status=503)
    return UpstreamUnavailable("kit: refused")
