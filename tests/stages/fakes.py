"""In-process stand-ins for what a stage meets: a clock, an upstream and its connection, and a host that holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anyio

from pipeline import Body, Dialect, Headers, Host, Request, Response, UnknownName, UpstreamAnswer, UpstreamCall
from pipeline.testing import VirtualClock
from stages.dialects.openai.dialect import OpenAI

PARK = object()
"""An item of a `FakeSource` at which `next` waits until it is cancelled."""


FakeClock = VirtualClock


class FakeSource:
    """The pieces of a body, an exception to raise, or `PARK`. Counts its reads and releases.

    As the protocol says, the end and a failure release by themselves.
    """

    def __init__(self, items: Sequence[Any] = ()) -> None:
        self._items = list(items)
        self.reads = 0
        self.closes = 0
        self.released = False
        self.parked = anyio.Event()

    async def next(self) -> Any:
        self.reads += 1
        if not self._items:
            self.released = True
            return None
        item = self._items.pop(0)
        if item is PARK:
            self.parked.set()
            await anyio.sleep_forever()
        if isinstance(item, Exception):
            self.released = True
            raise item
        return item

    async def aclose(self) -> None:
        # A real close awaits the network; without this checkpoint an unshielded close would pass the tests.
        await anyio.lowlevel.checkpoint()
        self.closes += 1
        self.released = True


Answer = Callable[[UpstreamCall], UpstreamAnswer]


def answers(status: int, *items: Any, **headers: str) -> UpstreamAnswer:
    """A response head and its body. `content_type="..."` sets the header `content-type`."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return UpstreamAnswer(status, Headers({"content-type": "application/json", **fields}), FakeSource(items))


class FakeUpstream:
    """Answers every call by `answer`, which may raise; remembers the calls and what was handed out."""

    def __init__(self, name: str, answer: Answer, dialect: Dialect | None = None) -> None:
        self.name = name
        self.dialect: Dialect = dialect if dialect is not None else OpenAI()
        self.profile = self.dialect.profiles[0]
        self.answer = answer
        self.calls: list[UpstreamCall] = []
        self.answered: list[UpstreamAnswer] = []
        self.gate: anyio.Event | None = None

    async def send(self, call: UpstreamCall) -> UpstreamAnswer:
        self.calls.append(call)
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answer(call)
        self.answered.append(answer)
        return answer


def fake_host(
    *, clock: FakeClock | None = None, implementations: Mapping[tuple[str, str], Any] | None = None, **groups: Any
) -> Host:
    """A host whose resources are `groups`, such as `upstreams={"a": ...}`; the OpenAI dialect is installed."""
    kinds = {("dialect", "openai"): OpenAI, **(implementations or {})}

    def resource(group: str, name: str) -> Any:
        found = groups.get(group, {})
        if name not in found:
            raise UnknownName(group, name, list(found))
        return found[name]

    def implementation(group: str, kind: str) -> Any:
        if (group, kind) not in kinds:
            raise UnknownName(group, kind, [])
        return kinds[group, kind]

    return Host(resource=resource, implementation=implementation, clock=clock or FakeClock())


class Next:
    """A `call_next` that remembers the requests it got and answers an empty body."""

    def __init__(self, answer: Callable[[Request], Response] | None = None) -> None:
        self.requests: list[Request] = []
        self._answer = answer or (lambda request: Response(Body.of([])))

    async def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        return self._answer(request)


async def never_next(request: Request) -> Response:
    """A `call_next` that must not be called."""
    raise AssertionError("call_next was called")
