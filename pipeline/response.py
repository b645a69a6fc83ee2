"""The response as it flows back up the chain."""

from __future__ import annotations

from typing import TypedDict, TypeVar, Unpack

import msgspec

from pipeline.body import Body
from pipeline.headers import Headers
from pipeline.slots import EMPTY, Slot, Slots

T = TypeVar("T")

_NO_HEADERS = Headers()
_replace = msgspec.structs.replace


class ResponseChanges(TypedDict, total=False):
    """What `Response.evolve` may change."""

    status: int
    headers: Headers
    slots: Slots


class Response(msgspec.Struct, eq=False):
    """A head, and a body that has not been read yet.

    Ownership law: whoever receives a `Response` returns it, consumes its body or closes it (`await body.aclose()`).
    Response slots flow up: a stage overlays what it learned, such as the upstream and model used. The head is changed
    by making another over the same body, which is the one mutable thing.
    """

    body: Body
    status: int = 200
    headers: Headers = _NO_HEADERS
    slots: Slots = EMPTY

    def evolve(self, **changes: Unpack[ResponseChanges]) -> Response:
        """A response with the same body and some of the head changed."""
        return _replace(self, **changes)

    def with_slot(self, slot: Slot[T], value: T) -> Response:
        """This response with one response slot written."""
        return _replace(self, slots=self.slots.with_(slot, value))

    def with_header(self, name: str, value: str) -> Response:
        """This response with one header field added."""
        return _replace(self, headers=self.headers.with_(name, value))

    def __repr__(self) -> str:
        return f"Response({self.status})"
