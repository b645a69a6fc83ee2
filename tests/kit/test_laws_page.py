"""docs/laws.md is made of the laws, and the kit's door opens on everything it lists."""

from __future__ import annotations

from pathlib import Path

import pytest

import pipeline.testing
from pipeline.testing import LAWS
from pipeline.testing.laws_page import page

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_fresh() -> None:
    written = (ROOT / "docs" / "laws.md").read_text("utf-8")
    assert written == page().rstrip() + "\n", "run: python -m pipeline.testing.laws_page > docs/laws.md"


def test_the_laws_are_numbered_in_order_and_told() -> None:
    assert [law.id for law in LAWS] == [f"L{number}" for number in range(1, 18)]
    assert all(len(law.text.split()) > 20 for law in LAWS)


@pytest.mark.parametrize("name", pipeline.testing.__all__)
def test_every_name_behind_the_door_can_be_imported(name: str) -> None:
    assert getattr(pipeline.testing, name) is not None


def test_any_other_name_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        pipeline.testing.nothing  # noqa: B018 - the look is what is tested
