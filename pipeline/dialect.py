"""The contract of a wire protocol. A dialect is pure: no I/O, no clock, no randomness; what it needs is passed in."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from pipeline.clock import Clock
from pipeline.codec import Decoder, Encoder
from pipeline.errors import GatewayError
from pipeline.events import Event
from pipeline.headers import Headers
from pipeline.losses import Losses
from pipeline.model_card import ModelCard
from pipeline.neutral_request import Answered, NeutralRequest, Parameter, Translated
from pipeline.payload import Payload
from pipeline.request import Request
from pipeline.transport import UpstreamCall
from pipeline.wellknown import Target


@dataclass(frozen=True, slots=True)
class Route:
    """A path below a gateway's mount. A last segment in braces, `{model}`, takes the rest of the path."""

    method: str
    path: str
    operation: str


class Asked(msgspec.Struct, frozen=True):
    """What a client's HTTP request asks for."""

    model: str
    payload: Payload
    stream: bool = False


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """An error as a response that has not begun. The status may differ from the error's: protocols have their own."""

    status: int
    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Reply:
    """An upstream's answer to a call of `Dialect.discovery`, read to its end."""

    status: int
    headers: Headers
    body: bytes


Discovery = Generator[UpstreamCall, Reply, list[ModelCard]]
"""Finding out what an upstream serves: yields calls, is sent their replies, returns the cards. No I/O of its own."""


@dataclass(frozen=True, slots=True)
class ParameterRules:
    """What a catalogue says of a model's parameters, by the names of `Parameter`.

    `defaults` fill in what the caller left out, `overrides` replace what it said, `drops` are taken out.
    """

    defaults: Mapping[Parameter, Any]
    overrides: Mapping[Parameter, Any]
    drops: frozenset[Parameter]


class Dialect(Protocol):
    """One wire protocol, both ways: as the face to clients and as the language of an upstream.

    `content_types` are those of a client's body that are read, None for any. `forwarded` are operations that an
    upstream of the same dialect answers better than a catalogue. `patience_seconds` is how long its servers may take to
    a response head. `profiles` names the variants of upstreams, the default first. `conformance` is the
    `module:Class` of a `pipeline.conformance.Conformance`, for tests to load.
    """

    name: str
    routes: Sequence[Route]
    content_types: frozenset[str] | None
    forwarded: frozenset[str]
    patience_seconds: float
    profiles: Sequence[str]
    conformance: str

    # The client face.
    def decode_request(self, operation: str, body: bytes, path_model: str) -> Asked:
        """Read a client's request. Raises `InvalidRequest`, naming the field in `param`, and nothing else."""
        ...

    def encoder(self, request: Request) -> Encoder:
        """How the answer to `request` is written."""
        ...

    def error_reply(self, error: GatewayError, model: str = "") -> ErrorReply:
        """An error, for a response that has not begun; `model` is what the caller asked for."""
        ...

    # The upstream face.
    def encode_request(self, request: Request) -> UpstreamCall:
        """`request`, whose payload `transform` has put into this dialect, as a call.

        Raises `NotFound` for an operation that it has no call for.
        """
        ...

    def decoder(self, request: Request, headers: Headers) -> Decoder:
        """How the answer is read; `headers` are the upstream's."""
        ...

    def decode_error(self, status: int, headers: Headers, body: bytes) -> GatewayError:
        """An upstream's error answer as a typed error that keeps its words and Retry-After. Never raises."""
        ...

    def discovery(self, known: Sequence[ModelCard]) -> Discovery:
        """What an upstream serves. No call may make it generate. Raises typed errors.

        `known` is what the last discovery returned: details that cannot have changed need not be asked for again.
        """
        ...

    def model_names(self, model: str) -> Sequence[str]:
        """The keys under which an upstream's model may be meant by `model`, best first (protocol.md 5.2)."""
        ...

    # Translation.
    def rename(self, request: Request, model: str) -> Payload:
        """The payload of `request`, which is in this dialect, asking for another model."""
        ...

    def read(self, request: Request, losses: Losses) -> NeutralRequest | Answered:
        """The request of a client of this dialect, as no provider writes it.

        Raises `InvalidRequest` with a `param` that exists in the request, and nothing else.
        """
        ...

    def write(self, asked: NeutralRequest, target: Target, losses: Losses, *, profile: str) -> Sequence[Translated]:
        """The same for an upstream of this dialect and `profile`; several calls only where one cannot do it.

        Raises `InvalidRequest` with the path of what cannot be said, and nothing else.
        """
        ...

    def with_parameters(self, request: Request, rules: ParameterRules) -> Payload:
        """The payload of a client's request with a model's parameter rules applied to it."""
        ...

    # Shapes, used by `normalise`.
    def completer(
        self, request: Request, *, model: str, id: str, clock: Clock, reasoning_fields: Sequence[str] = ()
    ) -> Callable[[Event], tuple[Event, ...]]:
        """A function for `Body.expand` that supplies and corrects what this dialect requires of an answer.

        `request` is the caller's own. Events of another dialect (`Event.dialect`) bring fields that this one does not
        know: those are left behind. `reasoning_fields` are the names under which the model's reasoning is told, for a
        protocol that has none of its own; empty leaves it as it came.
        """
        ...

    def renamer(self, request: Request, model: str) -> Callable[[bytes], bytes]:
        """A function for `Body.patch` that sets the model name in an encoded frame; the rest stays JSON-equal."""
        ...
