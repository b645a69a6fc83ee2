"""What an event costs: forwarded, with functions attached, looked at, completed, translated. And whole answers.

The upstream is a list of pieces in memory, many frames in one read ("burst") or one in a read ("paced"). A request goes
down a real chain and the body is read up to its end marker, by hand and without an event loop. How a figure is taken
and checked is told in targets.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from benchmarks.chain import Nothing, drive
from benchmarks.recordings import ollama_stream, openai_stream, openai_whole, reads
from benchmarks.targets import Bench, Work
from pipeline import Body, Dialect, Event, Handler, Headers, Payload, Request, Response, Stage, SystemClock, compose
from stages.dialects.ollama.dialect import Ollama
from stages.dialects.openai.dialect import OpenAI

EVENTS = 1000
FRAMES_IN_A_READ = 200  # about 64 KiB, what one read of a socket returns at most

DIALECTS: Mapping[str, Dialect] = {"openai": OpenAI(), "ollama": Ollama()}
STREAM_TYPES = {"openai": "text/event-stream", "ollama": "application/x-ndjson"}
ENDS = {"openai": b"data: [DONE]", "ollama": b'"done":true'}
LAST_BYTES = 600  # the end is looked for here, so that looking costs next to nothing

ASKED = Payload({"model": "gpt-5-mini", "stream_options": {"include_usage": True}})
STREAMED = Request("chat", model="gpt-5-mini", payload=ASKED, dialect="openai", stream=True, id="1")
WHOLE = Request("chat", model="gpt-5-mini", payload=ASKED, dialect="openai", id="1")
OLLAMA_STREAMED = Request(
    "chat", model="llama3.2", payload=Payload({"model": "llama3.2"}), dialect="ollama", stream=True, id="1"
)


class Recorded:
    """A source that has everything already."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = iter(pieces)

    async def next(self) -> bytes | None:
        return next(self._pieces, None)

    async def aclose(self) -> None:
        pass


class Attach:
    """A stage that attaches something to the body it gets."""

    def __init__(self, attach: Callable[[Request, Body], None]) -> None:
        self._attach = attach

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await call_next(request)
        self._attach(request, response.body)
        return response


def same(event: Event) -> Event:
    return event


def look(event: Event) -> Event:
    event.data  # noqa: B018  # looking is the work
    return event


def complete(request: Request, body: Body) -> None:
    dialect = DIALECTS[request.dialect]
    body.expand(dialect.completer(request, model=request.model, id=request.id, clock=SystemClock()))


NOTHING = Nothing()
MAP = Attach(lambda request, body: body.map(same))
EXPAND = Attach(lambda request, body: body.expand(lambda event: (event,)))
LOOK = Attach(lambda request, body: body.map(look))
COMPLETE = Attach(complete)


def answer(request: Request, pieces: Sequence[bytes], *stages: Stage, upstream: str = "openai") -> Work:
    """Work: a request through `stages`, and all that comes back. A failure would be quick, so it is raised."""
    headers = Headers([("content-type", STREAM_TYPES[upstream] if request.stream else "application/json")])
    end = ENDS[request.dialect] if request.stream else b'"finish_reason"'

    async def terminal(asked: Request) -> Response:
        return Response(Body(Recorded(pieces), DIALECTS[upstream].decoder(asked, headers)))

    handler = compose(stages, terminal)

    async def read() -> None:
        body = (await handler(request)).body
        body.bind(DIALECTS[request.dialect].encoder(request))
        last = b""
        while (piece := await body.next_piece()) is not None:
            if end in piece[-LAST_BYTES:]:
                return
            last = piece
        raise RuntimeError(f"the answer ended with {last!r}")

    return lambda: drive(read())


def measure_stream(bench: Bench, pace: str, frames_in_a_read: int) -> None:
    openai = reads(openai_stream(EVENTS), frames_in_a_read)
    ollama = reads(ollama_stream(EVENTS), frames_in_a_read)

    def of(what: str, work: Work, same_as: float | None = None) -> float:
        return bench.measure(f"{pace}: {what}", work, per=EVENTS, same_as=same_as)

    plain = of("forwarded", answer(STREAMED, openai))
    of("a stage that attaches nothing", answer(STREAMED, openai, NOTHING), same_as=plain)
    maps = {count: of(f"{count} attached", answer(STREAMED, openai, *[MAP] * count)) for count in (1, 3, 6)}
    bench.add(f"{pace}: an attached function, 6 less 1", (maps[6] - maps[1]) / 5, target_ns=80)
    of("expanded", answer(STREAMED, openai, EXPAND))
    of("looked at", answer(STREAMED, openai, LOOK))
    of("completed", answer(STREAMED, openai, COMPLETE))
    of("Ollama's, for an OpenAI client", answer(STREAMED, ollama, COMPLETE, upstream="ollama"))
    of("OpenAI's, for an Ollama client", answer(OLLAMA_STREAMED, openai, COMPLETE))


def main() -> None:
    bench = Bench("stream.py: one event of a stream, or one whole answer")
    measure_stream(bench, "burst", FRAMES_IN_A_READ)
    measure_stream(bench, "paced", 1)
    for name, size in (("1 KB", 1_000), ("100 KB", 100_000)):
        pieces = [openai_whole(size)]
        bench.measure(f"whole {name}: forwarded", answer(WHOLE, pieces))
        bench.measure(f"whole {name}: 1 attached", answer(WHOLE, pieces, MAP))
        bench.measure(f"whole {name}: completed", answer(WHOLE, pieces, COMPLETE))
    bench.report()


if __name__ == "__main__":
    main()
