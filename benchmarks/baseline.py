"""The committed instruction counts, and what counts of this machine are held to.

On the build that the baseline was counted on (same interpreter, C library, architecture and packages) the counts are
compared as they are: they repeat to a tenth of a per cent. On any other build each count is divided by that of
`reference.py`, counted in the same run, and so is the baseline's: how a new interpreter speeds up one kind of code more
than another is left over, and `OTHER_BUILD_SLACK` is for that.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import msgspec

FILE = Path(__file__).with_suffix(".json")
REFERENCE = "reference"
SLACK = 0.03
OTHER_BUILD_SLACK = 0.10
UNNOTICED_GAIN = 0.10
"""A count this far below the baseline fails too: unless it is accepted, the next loss of the same size goes unseen."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Instructions for each thing, by name, and the build that they belong to."""

    build: Mapping[str, str]
    instructions: Mapping[str, float]

    @classmethod
    def read(cls, path: Path) -> Counts:
        return msgspec.json.decode(path.read_bytes(), type=cls)

    def write(self, path: Path) -> None:
        rounded = {name: round(count) for name, count in self.instructions.items()}
        path.write_bytes(msgspec.json.format(msgspec.json.encode(Counts(self.build, rounded))) + b"\n")


def this_build() -> dict[str, str]:
    """What the number of instructions depends on beside the code that is counted."""
    return {
        "python": sys.version,
        "libc": " ".join(platform.libc_ver()),
        "machine": platform.machine(),
        "msgspec": version("msgspec"),
    }


def changes(known: Counts, counted: Counts) -> Iterator[tuple[str, float]]:
    """Each work with its count over the baseline's, less 1; on another build as a ratio to the reference's."""
    scale = 1.0
    if known.build != counted.build:
        scale = known.instructions[REFERENCE] / counted.instructions[REFERENCE]
    for name, before in known.instructions.items():
        yield name, counted.instructions[name] * scale / before - 1


def complaints(known: Counts, counted: Counts) -> list[str]:
    """What is wrong, a line each; empty if nothing is."""
    if known.instructions.keys() != counted.instructions.keys():
        return ["The baseline has other rows than were counted. " + _ACCEPT]
    same = known.build == counted.build
    slack = SLACK if same else OTHER_BUILD_SLACK
    found = [
        f"{name}: {change:+.1%} instructions, allowed are {slack:+.0%}{'' if same else ' (another build: a ratio)'}"
        for name, change in changes(known, counted)
        if change > slack
    ]
    if same:
        found += [
            f"{name}: {change:+.1%} instructions. Well done; keep it. {_ACCEPT}"
            for name, change in changes(known, counted)
            if change < -UNNOTICED_GAIN
        ]
    return found


def table(known: Counts, counted: Counts) -> list[str]:
    """The counts as lines of text."""
    same = known.build == counted.build
    lines = [f"{'instructions':44}{'counted':>12}{'baseline':>12}{'change' if same else 'change of ratio':>18}"]
    for name, change in changes(known, counted):
        counts = f"{counted.instructions[name]:12,.0f}{known.instructions[name]:12,.0f}"
        lines.append(f"{name:44}{counts}{change:>+18.1%}")
    return lines


_ACCEPT = "To accept what is counted now: python -m benchmarks.instructions --accept"
