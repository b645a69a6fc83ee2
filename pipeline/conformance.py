"""What a dialect brings to be held to the laws of translation: strategies, normal forms, folds and checks.

The laws are written once, for any two dialects. What differs stands behind `Dialect.conformance`, as independent of the
dialect's own reader, writer and codecs as it can be: an oracle that calls what it judges agrees with every fault of it.

Nothing here or in a dialect's other modules imports a test library. `conformance_of` is for tests: it loads one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from pipeline.dialect import Dialect
from pipeline.events import Data

Strategy = Any
"""A Hypothesis strategy. Not said in types: the engine does not know a test library, not even its name."""


@dataclass(frozen=True, slots=True)
class HeardCall:
    """A tool call as a client understands it; `id` is "" where the answer has none."""

    name: str
    arguments: Any
    id: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """What an answer says, whichever dialect says it.

    `finish` is stop (after tool calls too), length or content_filter. A count that is not told is 0: in some protocols
    the two look alike. `logprobs` are pairs of a token and its logarithm.
    """

    text: str = ""
    reasoning: str = ""
    calls: tuple[HeardCall, ...] = ()
    finish: str = "stop"
    counts: tuple[int, int] = (0, 0)
    logprobs: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """A stream read strictly: its items, and how it ended. `done` and `error` never both; neither means it was cut."""

    items: list[Data]
    done: bool
    error: str | None


class Conformance(Protocol):
    """The laws' view of a dialect. Checks raise `AssertionError`, saying where.

    Items are the JSON objects of a stream, error and end markers apart. The operations are `chat` and `completion`
    except where another is named.
    """

    # Requests, as a client writes them.
    def requests(self, operation: str) -> Strategy:
        """Valid requests that use every field there is; of `embedding` too."""
        ...

    def common_requests(self) -> Strategy:
        """Chat requests in the subset that every dialect can say (protocol.md 6, subset C)."""
        ...

    def wild_requests(self, operation: str) -> Strategy:
        """JSON shaped like a request, any part of which may be anything; of `embedding` too."""
        ...

    def normal(self, request: Data) -> Data:
        """The normal form of a chat request (protocol.md 6). Ids that rule T makes are written `T:<message>:<call>`."""
        ...

    def settled(self, request: Data) -> Data:
        """A request that the product wrote, without what a profile may spell in two ways: comparable with `normal`."""
        ...

    def is_harmless(self, operation: str, path: str, value: Any) -> bool:
        """Whether the field at `path`, its indices as `[]`, may be dropped without a word (protocol.md 3, class D)."""
        ...

    def images(self, request: Data) -> list[bytes]:
        """The pictures of a chat request, over all messages."""
        ...

    def roles(self, request: Data) -> list[str]:
        """The roles of its messages, by today's names: developer is system, function is tool."""
        ...

    # Answers, as an upstream writes them and as a client must get them.
    def answers(self, operation: str) -> Strategy:
        """Complete whole answers; of `embedding` too."""
        ...

    def streams(self, operation: str) -> Strategy:
        """The items of complete streams."""
        ...

    def fold(self, operation: str, items: Sequence[Data]) -> Data:
        """The whole answer that a complete stream spells out."""
        ...

    def heard(self, operation: str, answer: Data) -> Heard:
        """What a whole answer says."""
        ...

    def check(self, operation: str, answer: Data, *, model: str) -> None:
        """A whole answer is what this protocol's clients require; of `embedding` too."""
        ...

    def check_stream(self, operation: str, items: Sequence[Data], *, model: str, usage: bool, complete: bool) -> None:
        """So are the items of a stream; `usage`: the client asked for it."""
        ...

    # Bytes.
    def encode(self, items: Sequence[Data], *, done: bool = True) -> bytes:
        """A stream; `done` adds the end marker of protocols whose items have none."""
        ...

    def failed(self, message: str) -> bytes:
        """The bytes of an error in a stream."""
        ...

    def parse(self, body: bytes) -> Parsed:
        """A stream as the strictest of this protocol's clients reads it."""
        ...


def conformance_of(dialect: Dialect) -> Conformance:
    """Load what `dialect` names. For tests and the conformance kit: it brings a test library with it."""
    module, _, name = dialect.conformance.partition(":")
    found: Conformance = getattr(import_module(module), name)()
    return found
