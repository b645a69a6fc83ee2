"""Stand-ins for what surrounds the core: a source of bytes, a wire protocol of lines, a clock, what a stage calls next.

The toy protocol: every event is a line of text. `.` is the end marker of a stream, `!words` an error that the upstream
reports, `#3,5` its token counts. A whole answer is one line of the same texts, separated by commas.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import anyio
from anyio.lowlevel import checkpoint

from pipeline import (
    Answered,
    Asked,
    Body,
    Clock,
    Data,
    Discovery,
    ErrorReply,
    Event,
    EventKind,
    GatewayError,
    Handler,
    Headers,
    Losses,
    ModelCard,
    NeutralRequest,
    ParameterRules,
    Payload,
    Request,
    Response,
    Route,
    Stage,
    Target,
    Translated,
    UpstreamCall,
    UpstreamGarbage,
    UpstreamInterrupted,
    Usage,
)


class FakeClock:
    """Time stands still until a test moves it."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now


class Stall:
    """A step of a source that waits: `reached` tells the test, `go_on` lets it pass (never, if nobody does)."""

    def __init__(self) -> None:
        self.reached = anyio.Event()
        self.go_on = anyio.Event()


class FakeSource:
    """A scripted upstream: hands out bytes, raises exceptions, waits at a `Stall`; the end follows the last step.

    Every `next` and `aclose` is a point of cancellation. `calls` records them in order; `closed` says that the
    connection is released, by the end or by `aclose`.
    """

    def __init__(self, *steps: bytes | BaseException | Stall, log: list[str] | None = None) -> None:
        self._steps = list(steps)
        self.calls: list[str] = log if log is not None else []
        self.closed = False

    @property
    def asked(self) -> int:
        return self.calls.count("next")

    async def next(self) -> bytes | None:
        self.calls.append("next")
        await checkpoint()
        while self._steps:
            step = self._steps.pop(0)
            if isinstance(step, Stall):
                step.reached.set()
                await step.go_on.wait()
            elif isinstance(step, BaseException):
                raise step
            else:
                return step
        self.closed = True
        return None

    async def aclose(self) -> None:
        self.calls.append("aclose")
        await checkpoint()
        self.closed = True


def words(*texts: str) -> list[Event]:
    """Events made in the gateway, one per text."""
    return [Event(word(text)) for text in texts]


def word(text: str) -> Data:
    return {"choices": [{"index": 0, "delta": {"content": text}}]}


class LineDecoder:
    """Lines as events. `decoded` counts the frames that somebody looked into."""

    def __init__(self, *, dialect: str = "line", whole: bool = False) -> None:
        self.dialect = dialect
        self.whole = whole
        self.finished = False
        self.failure: GatewayError | None = None
        self.decoded: list[bytes] = []
        self._rest = b""
        self._usage: Usage | None = None

    def feed(self, piece: bytes) -> list[bytes]:
        self._rest += piece
        return [] if self.whole else self._frames()

    def _frames(self) -> list[bytes]:
        frames: list[bytes] = []
        while not self.finished and self.failure is None and b"\n" in self._rest:
            line, _, self._rest = self._rest.partition(b"\n")
            if line.startswith(b"!"):
                self.failure = UpstreamGarbage(line[1:].decode())
                break
            if line.startswith(b"#"):
                counts = line[1:].split(b",")
                self._usage = Usage(int(counts[0]), int(counts[1]))
            self.finished = line == b"."
            frames.append(line + b"\n")
        return frames

    def finish(self) -> list[bytes]:
        if self.whole and self._rest:
            self.finished = True
            return [self._rest]
        if not self.finished and self.failure is None:
            self.failure = UpstreamInterrupted("no end marker")
        return []

    def events(self, frame: bytes) -> Sequence[Event]:
        if self.whole:
            self.decoded.append(frame)
            return [*words(*frame.decode().rstrip("\n").split(",")), Event({}, kind=EventKind.END)]
        if frame == b".\n":
            return (Event({}, kind=EventKind.END, frame=frame, dialect=self.dialect),)
        return (Event(frame=frame, dialect=self.dialect, decode=self._decode),)

    def _decode(self, frame: bytes) -> Data:
        self.decoded.append(frame)
        return word(frame[:-1].decode())

    def usage(self) -> Usage | None:
        return self._usage


class LineEncoder:
    """Events as lines; a whole answer is gathered and written at the end."""

    content_type = "text/plain"

    def __init__(self, *, dialect: str = "line", whole: bool = False) -> None:
        self.dialect = dialect
        self.whole = whole
        self._texts: list[str] = []

    def encode(self, event: Event) -> bytes:
        if self.whole:
            self._texts += [event.text] if event.kind is EventKind.DATA else []
            return b""
        if event.frame is not None and event.dialect == self.dialect:
            return event.frame
        if event.kind is EventKind.END:
            return b".\n"
        if event.kind is EventKind.ERROR:
            return f"!{event.data['error']['message']}\n".encode()
        return event.text.encode() + b"\n"

    def finish(self) -> bytes:
        return ",".join(self._texts).encode() + b"\n" if self.whole else b""

    def fold(self, events: Sequence[Event]) -> Data:
        return {"text": [event.text for event in events if event.kind is EventKind.DATA]}


class LineDialect:
    """The toy protocol as a face and as an upstream's language."""

    name = "line"
    routes: Sequence[Route] = (Route("POST", "/say", "chat"), Route("GET", "/models/{model}", "models.show"))
    content_types: frozenset[str] | None = frozenset({"application/json"})
    forwarded: frozenset[str] = frozenset()
    patience_seconds = 60.0
    conformance = ""
    profiles: Sequence[str] = ("line",)

    def decode_request(self, operation: str, body: bytes, path_model: str) -> Asked:
        payload = Payload.parse(body)
        return Asked(str(payload.get("model", path_model)), payload, bool(payload.get("stream")))

    def encoder(self, request: Request) -> LineEncoder:
        return LineEncoder(whole=not request.stream)

    def error_reply(self, error: GatewayError, model: str = "") -> ErrorReply:
        return ErrorReply(error.status, f"!{error.message}\n".encode(), "text/plain")

    def encode_request(self, request: Request) -> UpstreamCall:
        return UpstreamCall("POST", "/say", request.payload.encode())

    def decoder(self, request: Request, headers: Headers) -> LineDecoder:
        return LineDecoder(whole=not request.stream)

    def decode_error(self, status: int, headers: Headers, body: bytes) -> GatewayError:
        return UpstreamGarbage(body.decode("latin-1"), status=status)

    def discovery(self, known: Sequence[ModelCard]) -> Discovery:
        reply = yield UpstreamCall("GET", "/models")
        return [ModelCard(name) for name in reply.body.decode().split()]

    def model_names(self, model: str) -> Sequence[str]:
        return (model,)

    def rename(self, request: Request, model: str) -> Payload:
        return request.payload.with_(model=model)

    def read(self, request: Request, losses: Losses) -> NeutralRequest | Answered:
        return NeutralRequest("chat", request.stream)

    def write(self, asked: NeutralRequest, target: Target, losses: Losses, *, profile: str) -> Sequence[Translated]:
        return [Translated("chat", {"model": target.model})]

    def with_parameters(self, request: Request, rules: ParameterRules) -> Payload:
        return request.payload

    def completer(
        self, request: Request, *, model: str, id: str, clock: Clock, reasoning_fields: Sequence[str] = ()
    ) -> Callable[[Event], tuple[Event, ...]]:
        return lambda event: (event,)

    def renamer(self, request: Request, model: str) -> Callable[[bytes], bytes]:
        return lambda frame: frame


def line_body(source: FakeSource, *, encoder: LineEncoder | None = None, decoder: LineDecoder | None = None) -> Body:
    """A body over `source`, read and written in the toy protocol unless told otherwise."""
    body = Body(source, decoder if decoder is not None else LineDecoder())
    body.bind(encoder if encoder is not None else LineEncoder())
    return body


async def read(body: Body) -> list[bytes]:
    """Every piece of the body, as it would be written to the client."""
    return [piece async for piece in body.pieces()]


class FakeNext:
    """A `call_next` that records what it was asked and answers with the same words each time, or raises."""

    def __init__(self, *answer: str, error: Exception | None = None) -> None:
        self.answer = answer
        self.error = error
        self.requests: list[Request] = []
        self.responses: list[Response] = []

    async def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        if self.error is not None:
            raise self.error
        self.responses.append(Response(Body.of([*words(*self.answer), Event({}, kind=EventKind.END)])))
        return self.responses[-1]


async def run_stage(stage: Stage, request: Request, call_next: Handler | None = None) -> tuple[Response, list[str]]:
    """The stage's response, and the texts of its body."""
    response = await stage(request, call_next if call_next is not None else FakeNext("hello"))
    return response, await texts(response.body)


async def texts(body: AsyncIterator[Event] | Body) -> list[str]:
    """The text of every event that has any."""
    return [event.text async for event in body if event.text]


def written(body: Body) -> dict[str, Any]:
    """What the body counted so far."""
    return {"pieces": body.pieces_out, "bytes": body.bytes_out}
