"""Answers on the product's own way: the chain of `transform`, `dispatch` and `normalise` over an upstream of bytes."""

from __future__ import annotations

import asyncio
import atexit
import json
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from pipeline import (
    ORIGINAL,
    TARGET,
    Body,
    Data,
    Dialect,
    GatewayError,
    Handler,
    InternalError,
    Outcome,
    OutcomeKind,
    Parsed,
    Request,
    Stage,
    Target,
    UpstreamError,
    compose,
)
from stages.dispatch import Dispatch
from stages.normalise import Normalise
from stages.transform.stage import Transform
from tests.laws.translated import KITS, OLLAMA, OPENAI, OPERATIONS, asked
from tests.stages.fakes import FakeSource, FakeUpstream, fake_host
from tests.stages.fakes import answers as upstream_answers

T = TypeVar("T")

JSON = "application/json"
STREAM = {"openai": "text/event-stream", "ollama": "application/x-ndjson"}
MODEL = "asked"
_MESSAGES = [{"role": "user", "content": "Hi"}]


@dataclass(frozen=True)
class Pair:
    """A client of one dialect before an upstream of another, and what each calls the thing that is asked."""

    client: Dialect
    upstream: Dialect
    operation: str
    there: str
    request: Data

    def __str__(self) -> str:
        return f"{self.client.name} {self.operation} < {self.upstream.name} {self.there}"


_O_CHAT = {"model": MODEL, "messages": _MESSAGES, "logprobs": True}
_L_CHAT = {"model": MODEL, "messages": _MESSAGES, "logprobs": True}
_O_TEXT = {"model": MODEL, "prompt": "Hi", "logprobs": 1}
_L_TEXT = {"model": MODEL, "prompt": "Hi", "logprobs": True}

O_FROM_L = Pair(OPENAI, OLLAMA, "chat", "chat", _O_CHAT)
L_FROM_O = Pair(OLLAMA, OPENAI, "chat", "chat", _L_CHAT)
CHATS = [O_FROM_L, L_FROM_O]
TEXTS = [
    Pair(OPENAI, OLLAMA, "completion", "completion", _O_TEXT),
    Pair(OLLAMA, OPENAI, "completion", "chat", _L_TEXT),
    Pair(OLLAMA, OPENAI, "completion", "completion", {**_L_TEXT, "raw": True}),
]
CROSSED = [*CHATS, *TEXTS]
STRAIGHT = [
    Pair(OPENAI, OPENAI, "chat", "chat", _O_CHAT),
    Pair(OLLAMA, OLLAMA, "chat", "chat", _L_CHAT),
    Pair(OPENAI, OPENAI, "completion", "completion", _O_TEXT),
    Pair(OLLAMA, OLLAMA, "completion", "completion", _L_TEXT),
]


class RunningClock:
    """Every look at it takes a while."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.25

    def monotonic(self) -> float:
        self.now += 0.001
        return self.now

    time = monotonic


@dataclass
class Served:
    """What the client got; `raised` if nothing had been sent yet when it failed."""

    pieces: list[bytes]
    raised: GatewayError | None
    outcome: Outcome | None

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


_RUNNER = asyncio.Runner()
atexit.register(_RUNNER.close)


def run(answering: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine to its end on the one loop of all laws: a new loop for each example costs more than the law.

    So examples are drawn outside of every task, too, and an exception of the search for them stays in the search.
    """
    return _RUNNER.run(answering)


def request_of(pair: Pair, *, stream: bool, usage: bool = True) -> Request:
    """The client's request; an OpenAI client says whether it wants the usage of a stream."""
    body: Data = {**pair.request, "stream": stream}
    if stream and usage and pair.client is OPENAI:
        body["stream_options"] = {"include_usage": True}
    return asked(pair.client, pair.operation, body)


def chain(
    pair: Pair, pieces: Sequence[Any], content_type: str, *, status: int = 200, shape: str = "complete"
) -> tuple[Handler, FakeUpstream]:
    """The stages over an upstream that answers `pieces`; and that upstream."""
    handler, upstream = _built(pair.upstream.name, shape)
    upstream.answer = lambda call: upstream_answers(status, *pieces, content_type=content_type)
    upstream.calls.clear()
    upstream.answered.clear()
    return handler, upstream


@cache
def _built(spoken: str, shape: Any) -> tuple[Handler, FakeUpstream]:
    """Built once, as a gateway's chain is: no stage remembers anything of a request."""
    installed = {("dialect", dialect.name): (lambda dialect=dialect: dialect) for dialect in (OPENAI, OLLAMA)}
    upstream = FakeUpstream("up", lambda call: upstream_answers(500))
    host = fake_host(implementations=installed, upstreams={"up": upstream})
    upstream.dialect = host.dialect(spoken)
    upstream.profile = upstream.dialect.profiles[0]
    host.clock = RunningClock()
    stages: list[Stage] = [
        Transform(Transform.Settings(), host),
        Dispatch(Dispatch.Settings(), host),
        Normalise(Normalise.Settings(shape=shape), host),
    ]
    return compose(stages), upstream


def source_of(upstream: FakeUpstream) -> FakeSource:
    """The body of the one answer it gave."""
    (answer,) = upstream.answered
    assert isinstance(answer.source, FakeSource)
    return answer.source


async def body_of(handler: Handler, request: Request, client: Dialect) -> Body:
    """The bound body of the answer to `request`, not read yet."""
    sent = request.with_slot(ORIGINAL, request).with_slot(TARGET, Target("up", "theirs"))
    response = await handler(sent)
    response.body.bind(client.encoder(request))
    return response.body


def serve(
    pair: Pair,
    pieces: Sequence[Any],
    *,
    stream: bool,
    usage: bool = True,
    status: int = 200,
    content_type: str | None = None,
    shape: str = "complete",
) -> Served:
    """Read the answer to its end."""
    kind = content_type or (STREAM[pair.upstream.name] if stream else JSON)
    handler, upstream = chain(pair, pieces, kind, status=status, shape=shape)
    served = run(_read(handler, request_of(pair, stream=stream, usage=usage), pair.client))
    assert [OPERATIONS[call.path] for call in upstream.calls] == [pair.there]
    assert source_of(upstream).released, "the connection is released however the answer ends"
    failure = served.raised or (served.outcome.error if served.outcome else None)
    assert not isinstance(failure, InternalError), repr(failure.__cause__)
    if isinstance(failure, UpstreamError) and status < 300:
        assert failure.work_done == "maybe", "who had begun to answer had worked: no retry"
    return served


async def _read(handler: Handler, request: Request, client: Dialect) -> Served:
    out: list[bytes] = []
    outcomes: list[Outcome] = []
    raised = None
    try:
        body = await body_of(handler, request, client)
        body.on_end(outcomes.append)
        while (piece := await body.next_piece()) is not None:
            out.append(piece)
    except GatewayError as error:
        raised = error
    assert len(outcomes) <= 1
    return Served(out, raised, outcomes[0] if outcomes else None)


def whole(pair: Pair, answer: Data) -> Data:
    """`r_o2l` or `r_l2o`: the client's whole answer for an upstream's."""
    served = serve(pair, [json.dumps(answer).encode()], stream=False)
    assert served.raised is None, repr(served.raised)
    found: Data = json.loads(served.body)
    return found


def streamed(pair: Pair, items: Sequence[Data], *, usage: bool = True) -> Parsed:
    """`S`: what the client gets for a complete stream."""
    served = serve(pair, [KITS[pair.upstream.name].encode(items)], stream=True, usage=usage)
    assert served.raised is None, repr(served.raised)
    return KITS[pair.client.name].parse(served.body)


def ends_once(pair: Pair, served: Served) -> bool:
    """Whether it was a success; fails unless it ended in exactly one way, and the outcome says the same (law 29)."""
    parsed = KITS[pair.client.name].parse(served.body)
    terminals = [parsed.done, parsed.error is not None, served.raised is not None]
    assert terminals.count(True) == 1, f"terminals: done, error, raised = {terminals}"
    assert served.raised is None or served.pieces == []
    if served.outcome is not None:
        assert served.outcome.kind is (OutcomeKind.COMPLETE if parsed.done else OutcomeKind.FAILED)
    return parsed.done
