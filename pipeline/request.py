"""The request as it flows down the chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

import msgspec

from pipeline.headers import Headers
from pipeline.payload import Payload
from pipeline.slots import EMPTY, Slot, Slots

T = TypeVar("T")

_NO_PAYLOAD = Payload()
_NO_HEADERS = Headers()
_replace = msgspec.structs.replace


class RequestChanges(TypedDict, total=False):
    """What `Request.evolve` may change."""

    operation: str
    dialect: str
    model: str
    payload: Payload
    headers: Headers
    slots: Slots
    deadline: float | None
    id: str


class Request(msgspec.Struct, eq=False):
    """One operation to perform. Frozen: a stage passes a changed copy on with `evolve`, so a retry sees the original.

    - `operation`: what is asked, such as `chat`, `completion`, `embedding`, `models.list`.
    - `dialect`: the wire protocol the caller speaks.
    - `model`: the model asked for, changed by `map_model`; "" where the operation has none.
    - `payload`: the caller's JSON object; unknown fields survive. A plain dict is taken too.
    - `stream`: the caller wants events as they come. The upstream is asked in the same mode.
    - `deadline`: monotonic seconds of the host's clock after which the answer is worthless, or None.
    - `id`: the request id, in every log line and response.

    A msgspec struct because each request is copied once a stage that changes something: a tenth of the cost of a class
    with slots.
    """

    operation: str
    dialect: str = ""
    model: str = ""
    payload: Payload = _NO_PAYLOAD
    headers: Headers = _NO_HEADERS
    slots: Slots = EMPTY
    stream: bool = False
    deadline: float | None = None
    id: str = ""

    if TYPE_CHECKING:  # msgspec makes it; what it takes is written down for callers and type checkers

        def __init__(
            self,
            operation: str,
            *,
            dialect: str = "",
            model: str = "",
            payload: Payload | dict[str, Any] = _NO_PAYLOAD,
            headers: Headers = _NO_HEADERS,
            slots: Slots = EMPTY,
            stream: bool = False,
            deadline: float | None = None,
            id: str = "",
        ) -> None: ...

    def __post_init__(self) -> None:
        if type(self.payload) is not Payload:
            msgspec.structs.force_setattr(self, "payload", Payload(self.payload))

    def __setattr__(self, name: str, value: object) -> None:
        # Not msgspec's own `frozen`, whose message does not say what to do instead.
        raise AttributeError(f"a Request is frozen: use evolve({name}=...)")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Request is frozen: {name} cannot be deleted")

    def evolve(self, **changes: Unpack[RequestChanges]) -> Request:
        """A copy with some fields changed.

        How it is answered (`stream`) never changes on the way: `TypeError`. `operation` does where a dialect asks for
        the same thing by another one; the caller's own stays in the slot `ORIGINAL`.
        """
        if "stream" in changes:
            raise TypeError("a Request cannot change how it is answered (stream) on the way")
        return _replace(self, **changes)

    def with_slot(self, slot: Slot[T], value: T) -> Request:
        """A copy with one slot written."""
        return _replace(self, slots=self.slots.with_(slot, value))

    def __repr__(self) -> str:
        return f"Request({self.operation} {self.model!r} stream={self.stream} id={self.id})"
