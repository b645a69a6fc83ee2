"""L5: what a stage reads and writes beside the request is what it declares."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.request import Request
from pipeline.response import Response
from pipeline.slots import Slot, Slots
from pipeline.testing.law import law
from pipeline.testing.laws.guarded import fault_of
from pipeline.testing.strategies import scenarios
from pipeline.testing.world import World
from pipeline.wellknown import NOTES


class WatchedSlots(Slots):
    """Slots that remember which of them somebody looked at, whatever is written on top of them."""

    __slots__ = ("read",)

    def __init__(self, values: Mapping[Slot[Any], Any], read: set[Slot[Any]]) -> None:
        super().__init__(values)
        self.read = read

    def __getitem__(self, slot: Slot[Any]) -> Any:
        self.read.add(slot)
        return super().__getitem__(slot)

    def get(self, slot: Slot[Any], default: Any = None) -> Any:
        self.read.add(slot)
        return super().get(slot, default)

    def __contains__(self, slot: object) -> bool:
        if isinstance(slot, Slot):
            self.read.add(slot)
        return super().__contains__(slot)

    def with_(self, slot: Slot[Any], value: Any) -> Slots:
        return WatchedSlots({**self._values, slot: value}, self.read)

    def overlay(self, other: Slots) -> Slots:
        return WatchedSlots({**self._values, **other._values}, self.read)


@law("L5", "Only declared slots are read and written, down and up", scenarios=scenarios)
async def declared_slots(world: World) -> None:
    """The start-up proof that every slot is written before it is read believes `@stage`. What is looked at with
    `slots.get` because it may be absent is declared too, as `may_read`. The notes of the access line are for everybody.
    """
    fault, _ = await fault_of(world.again())
    assert fault is None or fault.rule != "slots", str(fault)
    spec = world.subject.spec
    down: set[Slot[Any]] = set()
    up: set[Slot[Any]] = set()
    async with world.started() as stage:
        call_next = world.next()
        call_next.dressed = lambda response: _watched_response(response, up)
        try:
            response = await world.call(stage, _watched_request(world.request(), down), call_next)
            await response.body.aclose()
        except Exception:
            pass
    undeclared = down - spec.reads - spec.may_read - spec.writes - {NOTES}
    assert not undeclared, f"it read {_names(undeclared)} without declaring reads or may_read"
    undeclared = up - spec.response_reads - spec.response_writes
    assert not undeclared, f"it read {_names(undeclared)} without declaring response_reads"


def _watched_request(request: Request, read: set[Slot[Any]]) -> Request:
    return request.evolve(slots=WatchedSlots(request.slots._values, read))


def _watched_response(response: Response, read: set[Slot[Any]]) -> Response:
    return response.evolve(slots=WatchedSlots(response.slots._values, read))


def _names(slots: set[Slot[Any]]) -> str:
    return ", ".join(sorted(slot.name for slot in slots))
