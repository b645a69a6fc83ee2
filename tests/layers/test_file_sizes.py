"""A file holds one idea, and its name says which.

Why: a reader opens one file to understand one thing. A long file has stopped being that, and a file called `utils`
never was. The cap is far above the length to aim at (about 120), so that it forces a split and never a squeeze.
"""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(p.relative_to(ROOT).as_posix() for top in ("pipeline", "stages") for p in (ROOT / top).rglob("*.py"))

MOST_LINES = 300
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "manager", "common", "base", "misc"}


def complaints(path: str, text: str) -> list[str]:
    """What is wrong with the file's length or with any part of its path."""
    lines = len(text.splitlines())
    too_long = [f"{path} has {lines} lines, more than {MOST_LINES}: split it by idea"] if lines > MOST_LINES else []
    empty = sorted(NAMES_THAT_SAY_NOTHING & set(Path(path).with_suffix("").parts))
    return too_long + [f"{path}: the name `{name}` says nothing about what is inside" for name in empty]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pipeline/chain.py", "x\n" * (MOST_LINES + 1)),
        *((f"stages/{name}.py", "") for name in sorted(NAMES_THAT_SAY_NOTHING)),
        ("pipeline/common/clock.py", ""),
    ],
)
def test_planted_fault_is_found(path: str, text: str) -> None:
    assert len(complaints(path, text)) == 1


def test_a_full_file_with_a_good_name_is_left_alone() -> None:
    assert complaints("stages/limits/base_rate.py", "x\n" * MOST_LINES) == []


@pytest.mark.parametrize("path", SOURCES)
def test_file_is_one_idea(path: str) -> None:
    assert complaints(path, (ROOT / path).read_text("utf-8")) == []
