"""The response as it flows back up the chain."""

from __future__ import annotations

from typing import TypeVar

from pipeline.body import Body
from pipeline.headers import Headers
from pipeline.slots import EMPTY, Slot, Slots

T = TypeVar("T")


class Response:
    """A head, and a body that has not been read yet.

    Ownership law: whoever receives a `Response` returns it, consumes its body or closes it (`await body.aclose()`).
    Response slots flow up: a stage overlays what it learned, such as the upstream and model used. The head is
    immutable; the body is the one mutable thing, so `evolve` hands the same body on.
    """

    __slots__ = ("body", "headers", "slots", "status")

    def __init__(self, body: Body, *, status: int = 200, headers: Headers | None = None, slots: Slots = EMPTY) -> None:
        self.status = status
        self.headers = headers if headers is not None else _NO_HEADERS
        self.body = body
        self.slots = slots

    def evolve(
        self, *, status: int | None = None, headers: Headers | None = None, slots: Slots | None = None
    ) -> Response:
        """A response with the same body and some of the head changed."""
        return Response(
            self.body,
            status=self.status if status is None else status,
            headers=self.headers if headers is None else headers,
            slots=self.slots if slots is None else slots,
        )

    def with_slot(self, slot: Slot[T], value: T) -> Response:
        """This response with one response slot written."""
        return self.evolve(slots=self.slots.with_(slot, value))

    def with_header(self, name: str, value: str) -> Response:
        """This response with one header field added."""
        return self.evolve(headers=Headers([*self.headers, (name, value)]))

    def __repr__(self) -> str:
        return f"Response({self.status})"


_NO_HEADERS = Headers()
