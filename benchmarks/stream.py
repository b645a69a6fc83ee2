"""What an event of a stream costs: forwarded, with functions attached, looked at, completed; and a whole answer.

The upstream is a list of pieces in memory: OpenAI chunks of about 300 bytes, many in one read ("burst") or one in a
read ("paced"). A request goes down a real chain and the body is read up to its end marker, by hand and without an event
loop. How a figure is taken and checked is told in targets.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from benchmarks.chain import Nothing, drive
from benchmarks.targets import Bench, Work
from pipeline import Body, Data, Event, Handler, Headers, Payload, Request, Response, Stage, SystemClock, compose
from stages.dialects.openai.dialect import OpenAI

EVENTS = 1000
FRAMES_IN_A_READ = 200  # about 64 KiB, what one read of a socket returns at most
WORDS = ("The", " gate", "way", " relays", " what", " it", " reads", ",", " naïve", "ly", ".", "\n\n")

OPENAI = OpenAI()
ASKED = Payload({"model": "gpt-5-mini", "stream_options": {"include_usage": True}})
STREAMED = Request("chat", model="gpt-5-mini", payload=ASKED, stream=True, id="1")
WHOLE = Request("chat", model="gpt-5-mini", payload=ASKED, id="1")


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
    body.expand(OPENAI.completer(request, model=request.model, id=request.id, clock=SystemClock()))


NOTHING = Nothing()
MAP = Attach(lambda request, body: body.map(same))
EXPAND = Attach(lambda request, body: body.expand(lambda event: (event,)))
LOOK = Attach(lambda request, body: body.map(look))
COMPLETE = Attach(complete)


def answer(request: Request, pieces: Sequence[bytes], *stages: Stage) -> Work:
    """Work: a request through `stages`, and all that comes back. A failure would be quick, so it is raised."""
    headers = Headers([("content-type", "text/event-stream" if request.stream else "application/json")])
    writes, ending = (len(pieces), b"data: [DONE]\n\n") if request.stream else (1, b"}")

    async def terminal(request: Request) -> Response:
        return Response(Body(Recorded(pieces), OPENAI.decoder(request, headers)))

    handler = compose(stages, terminal)

    async def read() -> None:
        body = (await handler(request)).body
        body.bind(OPENAI.encoder(request))
        last: bytes | None = None
        for _ in range(writes):
            last = await body.next_piece()
        if last is None or not last.endswith(ending):
            raise RuntimeError(f"the answer ended with {last!r}")

    return lambda: drive(read())


def stream_frames() -> list[bytes]:
    """A stream of `EVENTS` frames: the role, words, how it ended, the marker."""
    said = [{"role": "assistant", "content": ""}, *({"content": WORDS[at % len(WORDS)]} for at in range(EVENTS - 3))]
    chunks = [_chunk(delta, None) for delta in said] + [_chunk({}, "stop")]
    return [*(b"data: " + msgspec.json.encode(chunk) + b"\n\n" for chunk in chunks), b"data: [DONE]\n\n"]


def whole_answer(size: int) -> bytes:
    """An answer whose text has `size` bytes."""
    text = "".join(WORDS) * (size // len("".join(WORDS).encode()))
    message: Data = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
    usage = {"prompt_tokens": 19, "completion_tokens": size // 4, "total_tokens": 19 + size // 4}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return msgspec.json.encode({**_HEAD, "object": "chat.completion", "choices": [choice], "usage": usage})


_HEAD = {
    "id": "chatcmpl-CcTf0mXGXjzGq3bV4m1Qk0y2pLw9s",
    "object": "chat.completion.chunk",
    "created": 1760000000,
    "model": "gpt-5-mini-2025-08-07",
    "service_tier": "default",
    "system_fingerprint": None,
}


def _chunk(delta: Data, finish_reason: str | None) -> Data:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {**_HEAD, "choices": [choice], "usage": None, "obfuscation": "k3Xw9aQ"}


def measure_stream(bench: Bench, pace: str, pieces: Sequence[bytes]) -> None:
    def of(what: str, *stages: Stage, same_as: float | None = None) -> float:
        return bench.measure(f"{pace}: {what}", answer(STREAMED, pieces, *stages), per=EVENTS, same_as=same_as)

    plain = of("forwarded")
    of("a stage that attaches nothing", NOTHING, same_as=plain)
    maps = {count: of(f"{count} attached", *[MAP] * count) for count in (1, 3, 6)}
    bench.add(f"{pace}: an attached function, 6 less 1", (maps[6] - maps[1]) / 5, target_ns=80)
    of("expanded", EXPAND)
    of("looked at", LOOK)
    of("completed", COMPLETE)


def main() -> None:
    frames = stream_frames()
    bench = Bench("stream.py: one event of a stream, or one whole answer")
    bursts = [b"".join(frames[at : at + FRAMES_IN_A_READ]) for at in range(0, EVENTS, FRAMES_IN_A_READ)]
    measure_stream(bench, "burst", bursts)
    measure_stream(bench, "paced", frames)
    for name, size in (("1 KB", 1_000), ("100 KB", 100_000)):
        pieces = [whole_answer(size)]
        bench.measure(f"whole {name}: forwarded", answer(WHOLE, pieces))
        bench.measure(f"whole {name}: 1 attached", answer(WHOLE, pieces, MAP))
        bench.measure(f"whole {name}: completed", answer(WHOLE, pieces, COMPLETE))
    bench.report()


if __name__ == "__main__":
    main()
