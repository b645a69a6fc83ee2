"""A stage that looks on: stand it anywhere in a chain, and it asserts the protocol while requests go through.

The idea is Rack::Lint's: the rule is written beside the check, so that this file is the protocol in its shortest form.
It costs a little for each event and changes nothing, so it may stand in a chain that serves.
"""

from __future__ import annotations

from typing import NoReturn

from pipeline.attachments import CloseFunction
from pipeline.errors import GatewayError
from pipeline.events import Event, EventKind
from pipeline.outcome import Outcome
from pipeline.request import Request
from pipeline.response import Response
from pipeline.stage import Handler, Stage, StageSpec, spec_of
from pipeline.strict import Guard, Rule, StageFault


class ProtocolBroken(StageFault):
    """A rule was broken by what stands on one side of a `Lint`; the text quotes the rule."""


class Lint:
    """Asserts the protocol between what is further out and what is further in.

    `Lint()` alone stands between two stages. `Lint(stage)` stands on both sides of one, and also holds it to what it
    declares. What it finds it raises, and keeps in `found`: an error in a body function reaches the caller as an
    opaque 500, and some stages swallow errors.
    """

    def __init__(self, stage: Stage | None = None) -> None:
        self._stage = stage
        self.spec = spec_of(stage) if stage is not None else StageSpec("lint", expands=False)
        self.found: list[str] = []

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        # A stage is called with a Request, and with a handler that it may call.
        self._holds(isinstance(request, Request), f"got {type(request).__name__} for a request", "request")
        self._holds(callable(call_next), f"got {type(call_next).__name__} for call_next", "calls")
        try:
            if self._stage is None:
                response = await call_next(request)
            else:
                response = await Guard(self._stage, Lint._between(self, call_next))(request)
        except StageFault as fault:
            self.found.append(str(fault))
            raise
        return self._looking_on(response, "further in")

    def _between(self, call_next: Handler) -> Handler:
        async def handler(request: Request) -> Response:
            return self._looking_on(await call_next(request), "what it called")

        return handler

    def _looking_on(self, response: Response, who: str) -> Response:
        # A stage returns a Response.
        self._holds(isinstance(response, Response), f"{who} returned {type(response).__name__}", "ownership")
        # A status is one of HTTP, and not an informational one.
        self._holds(200 <= response.status <= 599, f"{who} answered with status {response.status}", "ownership")
        # Header values hold no line break: they would begin a header of their own.
        for name, value in response.headers:
            self._holds(
                not {"\r", "\n"} & {*name, *value}, f"{who} set a header with a line break: {name}", "ownership"
            )
        # Functions are attached before the first read, and a body that is closed is nobody's answer.
        self._holds(not response.body.closed, f"{who} returned a body that is closed already", "ownership")
        watch = _Watch(self)
        response.body.map(watch.event)
        response.body.on_end(watch.end)
        response.body.on_close(watch.closes())
        return response

    def _holds(self, holds: bool, what: str, rule: Rule) -> None:
        if not holds:
            self.broken(what, rule)

    def broken(self, what: str, rule: Rule) -> NoReturn:
        kind = self.spec.kind if self._stage is not None else "a neighbour"
        text = f"{kind} broke the protocol: {what}"
        self.found.append(text)
        raise ProtocolBroken(text, rule)


class _Watch:
    """One body, from its first event to its release."""

    def __init__(self, lint: Lint) -> None:
        self._lint = lint
        self._marked = False
        self._ends = 0
        self._closes = 0

    def event(self, event: Event) -> Event:
        # What goes through a body are events.
        if not isinstance(event, Event):
            self._lint.broken(f"{type(event).__name__} for an event", "ownership")
        # An error is raised, or reported by the decoder; an ERROR event exists on the wire only.
        if event.kind is EventKind.ERROR:
            self._lint.broken("an ERROR event in a body: raise the error", "ownership")
        # The end marker is the last event.
        if self._marked:
            self._lint.broken("an event after the end marker", "ownership")
        self._marked = event.kind is EventKind.END
        # Data is a JSON object.
        if not isinstance(event.data, dict):
            self._lint.broken(f"event data that is {type(event.data).__name__}", "ownership")
        return event

    def end(self, outcome: Outcome) -> None:
        self._ends += 1
        # on_end runs exactly once.
        if self._ends > 1:
            self._lint.broken("on_end ran twice", "ownership")
        # A failed body says what it failed with, a typed error; any other does not.
        if outcome.error is not None and not isinstance(outcome.error, GatewayError):
            self._lint.broken(f"it ended with {type(outcome.error).__name__}, which is no GatewayError", "ownership")

    def closes(self) -> CloseFunction:
        async def close() -> None:
            self._closes += 1
            # on_close runs exactly once, after on_end.
            if self._closes > 1:
                self._lint.broken("on_close ran twice", "ownership")
            if not self._ends:
                self._lint.broken("on_close ran before on_end", "ownership")

        return close
