"""The await points of a run: where a stage waits for what the kit gives it, and where it can be cancelled."""

from __future__ import annotations

from collections.abc import Generator

from anyio.lowlevel import checkpoint


class Point:
    """What a driven coroutine hands up while it waits. The hand driver knows it; an event loop never sees one."""

    __slots__ = ("cancellable", "name")

    def __init__(self, name: str, *, cancellable: bool) -> None:
        self.name = name
        self.cancellable = cancellable

    def __await__(self) -> Generator[Point, None, None]:
        yield self

    def __repr__(self) -> str:
        return f"Point({self.name})"


class Points:
    """Passed by every awaitable of the kit: `call_next`, the host's resources, each read and close of a source.

    By hand a point goes up to the driver. On an event loop it is a checkpoint, as a real wait would be: an unshielded
    clean-up does not survive it.
    """

    def __init__(self, *, by_hand: bool) -> None:
        self.by_hand = by_hand
        self.passed: list[str] = []

    async def at(self, name: str, *, cancellable: bool = True) -> None:
        self.passed.append(name)
        if self.by_hand:
            await Point(name, cancellable=cancellable)
        else:
            await checkpoint()
