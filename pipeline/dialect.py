"""The contract of a wire protocol. A dialect is pure: no I/O, no clock, no randomness; what it needs is passed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pipeline.codec import Decoder, Encoder
from pipeline.errors import GatewayError
from pipeline.events import Event
from pipeline.headers import Headers
from pipeline.payload import Payload
from pipeline.request import Request
from pipeline.transport import UpstreamCall


@dataclass(frozen=True, slots=True)
class Route:
    """A path below a gateway's mount. A last segment in braces, `{model}`, takes the rest of the path."""

    method: str
    path: str
    operation: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client's HTTP request asks for."""

    model: str
    payload: Payload
    stream: bool = False


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model as a catalogue knows it. `created` is Unix seconds; `extra` keeps what the upstream also said."""

    id: str
    created: int = 0
    owned_by: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


class Dialect(Protocol):
    """One wire protocol, both ways: as the face to clients and as the language of an upstream."""

    name: str
    routes: Sequence[Route]
    error_content_type: str

    # The client face.
    def decode_request(self, operation: str, body: bytes, path_model: str) -> Asked:
        """Read a client's request. Raises `InvalidRequest`, naming the field in `param`, and nothing else."""
        ...

    def encoder(self, request: Request) -> Encoder:
        """How the answer to `request` is written."""
        ...

    def encode_error(self, error: GatewayError) -> bytes:
        """An error body, for a response that has not begun."""
        ...

    # The upstream face.
    def encode_request(self, request: Request) -> UpstreamCall:
        """`request`, whose payload `transform` has put into this dialect, as a call."""
        ...

    def decoder(self, request: Request, headers: Headers) -> Decoder:
        """How the answer is read; `headers` are the upstream's."""
        ...

    def decode_error(self, status: int, headers: Headers, body: bytes) -> GatewayError:
        """An upstream's error answer as a typed error that keeps its words and Retry-After. Never raises."""
        ...

    def list_models_call(self) -> UpstreamCall:
        """The call that lists an upstream's models. Must not make it generate."""
        ...

    def decode_models(self, body: bytes) -> list[ModelCard]:
        """The answer to it. Raises `UpstreamGarbage`."""
        ...

    # Shapes, used by `normalise`.
    def completer(self, request: Request, *, model: str, id: str, created: int) -> Callable[[Event], tuple[Event, ...]]:
        """A function for `Body.expand` that supplies and corrects what this dialect requires of an answer."""
        ...

    def renamer(self, request: Request, model: str) -> Callable[[bytes], bytes]:
        """A function for `Body.patch` that sets the model name in an encoded frame; the rest stays JSON-equal."""
        ...
