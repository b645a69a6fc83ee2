"""One example for a dialect, and strategies of them: what a client asks, what an upstream sends, where it is cut."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from pipeline.events import Data
from pipeline.testing.dialects.subject import DialectSubject
from pipeline.testing.scenario import ShowsWhatMatters

_MOST_BYTES = 4000
_MOST_CUTS = 6


@dataclass(frozen=True, repr=False)
class DialectExample(ShowsWhatMatters):
    """What stands at its default is of no matter to the law at hand.

    `items` are those of the upstream's complete stream, `data` bytes that may be anything, cut before the bytes `at`.
    `place` is one among the items. `valid`: the conformance calls the request so. `raw`: `data` is the request's body,
    also where it is empty.
    """

    operation: str = "chat"
    request: Any = field(default_factory=dict)
    items: tuple[Data, ...] = ()
    data: bytes = b""
    at: tuple[int, ...] = ()
    place: int = 0
    valid: bool = False
    raw: bool = False

    def lines(self) -> list[str]:
        """For people: each item of the stream on a line."""
        lines = [f"asked     {self.operation} {self.request!r}"]
        if self.items:
            lines += ["stream", *(f"    {item}" for item in self.items)]
        told = (("bytes", self.data), ("cut at", self.at), ("place", self.place))
        return lines + [f"{name:10}{value!r}" for name, value in told if value or (name == "bytes" and self.raw)]


_cuts: st.SearchStrategy[tuple[int, ...]] = st.lists(st.integers(0, _MOST_BYTES), max_size=_MOST_CUTS, unique=True).map(
    lambda at: tuple(sorted(at))
)


@st.composite
def streams(draw: st.DrawFn, subject: DialectSubject) -> DialectExample:
    """A question, its complete stream, and places to cut it at."""
    operation = draw(st.sampled_from(subject.streamed))
    items = tuple(draw(subject.drawn("streams", operation)))
    request = draw(subject.drawn("requests", operation))
    place = draw(st.integers(0, len(items) - 1))
    return DialectExample(operation, request, items, at=draw(_cuts), place=place)


@st.composite
def garbled_streams(draw: st.DrawFn, subject: DialectSubject) -> DialectExample:
    """A question, and bytes in answer: anything at all, or a stream or whole answer with something wrong in it."""
    operation = draw(st.sampled_from(subject.streamed))
    request = draw(subject.drawn("requests", operation))
    data: bytes = draw(st.binary(max_size=60) | st.text(max_size=30).map(_utf8) | garbled(_written(subject, operation)))
    return DialectExample(operation, request, data=data, at=draw(_cuts))


def _written(subject: DialectSubject, operation: str) -> st.SearchStrategy[bytes]:
    items: st.SearchStrategy[list[Data]] = subject.drawn("streams", operation)
    whole: st.SearchStrategy[Data] = subject.drawn("answers", operation)
    return items.map(subject.kit.encode) | whole.map(_json)


@st.composite
def garbled(draw: st.DrawFn, written: st.SearchStrategy[bytes]) -> bytes:
    """Bytes of which a slice is gone, doubled or something else; or whose lines end in another way."""
    data = draw(written)
    start, size = draw(st.integers(0, len(data))), draw(st.integers(0, 40))
    before, slice_, after = data[:start], data[start : start + size], data[start + size :]
    other = draw(st.sampled_from([b"", slice_ * 2, b"\xff", b"\r\n", b"null", b"[1]", b"{", b'"', b"1e999", b"\n\n"]))
    return draw(st.sampled_from([before + other + after, before, data.replace(b"\n", b"\r\n")]))


@st.composite
def bodies(draw: st.DrawFn, subject: DialectSubject) -> DialectExample:
    """The body of any operation that has one: bytes that are anything, or JSON shaped like a request."""
    known = [route.operation for route in subject.dialect.routes if route.method == "POST"]
    operation = draw(st.sampled_from([*subject.operations, *sorted(set(known) - set(subject.operations))]))
    raw = st.binary(max_size=40) | st.text(max_size=20).map(_utf8)
    if operation not in subject.operations:
        return DialectExample(operation, data=draw(raw | _anything.map(_json)), raw=True)
    wild = subject.drawn("wild_requests", operation)
    requests = subject.drawn("requests", operation)
    kind = draw(st.sampled_from(["wild", "wild", "valid", "raw"]))
    if kind == "raw":
        return DialectExample(operation, data=draw(raw | garbled(requests.map(_json))), raw=True)
    return DialectExample(operation, draw(wild if kind == "wild" else requests), valid=kind == "valid")


_anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.sampled_from(["", "a", "model"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["model", "name", "a"]), inner),
    max_leaves=5,
)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")
