"""What is proven of a config before it serves: slots are written before they are read, and no route is ambiguous."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.config import GatewayEntry, Problem
from pipeline.gateway import Face, Gateway, Link
from pipeline.slots import Slot
from pipeline.stage import Stage, spec_of
from pipeline.wellknown import NOTES, ORIGINAL


def slot_problems(entry: GatewayEntry, links: Sequence[Link], order: Sequence[Stage]) -> list[Problem]:
    """Every slot that a stage reads must be written by a stage further out (down) or further in (up).

    `order` is the fold order: what counts is how stages nest, not how they are listed.
    """
    position = {id(link.stage): at for at, link in enumerate(links)}
    problems: list[Problem] = []

    def check(stage: Stage, missing: frozenset[Slot[Any]], side: str) -> None:
        at = position[id(stage)]
        for name in sorted(slot.name for slot in missing):
            writers = [link.id for link in links if name in _written(link.stage, side)]
            hint = f"move it {side} {writers[0]!r}" if writers else f"no stage of this chain writes {name!r}"
            problems.append(
                Problem(
                    "slot-order",
                    entry.chain[at].mark,
                    f"gateways.{entry.name}.chain[{at}]",
                    f"stage {links[at].id!r} reads the slot {name!r} before any stage has written it; {hint}",
                    None,
                )
            )

    down: frozenset[Slot[Any]] = frozenset({NOTES, ORIGINAL})
    for stage in order:
        check(stage, spec_of(stage).reads - down, "after")
        down |= spec_of(stage).writes
    up: frozenset[Slot[Any]] = frozenset()
    for stage in reversed(order):
        check(stage, spec_of(stage).response_reads - up, "before")
        up |= spec_of(stage).response_writes
    return problems


def _written(stage: Stage, side: str) -> set[str]:
    spec = spec_of(stage)
    return {slot.name for slot in (spec.writes if side == "after" else spec.response_writes)}


def colliding_routes(entries: Sequence[GatewayEntry], gateways: Sequence[Gateway]) -> Iterator[Problem]:
    """No method and path may belong to two gateways or to two faces of one, whatever mount and prefix spell it."""
    marks = {entry.name: entry.mount_mark for entry in entries}
    owners: dict[tuple[str, str], Gateway] = {}
    for gateway in gateways:
        found = [path for face in gateway.faces for path in _paths(gateway, face)]
        shared = sorted({path for path in found if path in owners or found.count(path) > 1})
        if shared:
            method, path = shared[0]
            owner = owners.get(shared[0])
            both = f"both {owner.name!r} and {gateway.name!r}; change one mount" if owner else "two of its faces"
            message = f"{method} {path} belongs to {both}"
            yield Problem("mount-collision", marks[gateway.name], f"gateways.{gateway.name}.mount", message, None)
        owners.update(dict.fromkeys(found, gateway))


def _paths(gateway: Gateway, face: Face) -> list[tuple[str, str]]:
    return [(route.method, gateway.mount + face.prefix + route.path) for route in face.dialect.routes]
