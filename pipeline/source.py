"""What a body reads from."""

from __future__ import annotations

from typing import Any, Protocol


class Source(Protocol):
    """Where a body's pieces come from: an upstream connection, or events made here.

    `next` returns None once at the end, having released everything; `aclose` releases early and is idempotent.
    """

    async def next(self) -> Any: ...
    async def aclose(self) -> None: ...
