"""The oracles themselves: what the laws are measured with must hold before anything is measured."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.often import often
from tests.laws.translated import KITS

DIALECTS = list(KITS)
OPERATIONS = ["chat", "completion"]


@often
@given(data=st.data())
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_stream_is_a_whole_answer_cut_up(dialect: str, operation: str, data: st.DataObject) -> None:
    kit = KITS[dialect]
    items = data.draw(kit.streams(operation))
    assert kit.heard(operation, kit.fold(operation, items)) is not None
    parsed_done = kit.encode(items)
    assert parsed_done.count(b"\n") >= len(items)
    assert json.loads(json.dumps(items)) == items


@often
@given(data=st.data())
@pytest.mark.parametrize("dialect", DIALECTS)
def test_law_3_the_normal_form_is_a_fixed_point(dialect: str, data: st.DataObject) -> None:
    kit = KITS[dialect]
    request = data.draw(kit.common_requests())
    before = json.dumps(request)
    normal = kit.normal(request)
    assert kit.normal(normal) == normal
    assert json.dumps(request) == before, "and pure"
