"""The laws of stages, in the order of their numbers; docs/laws.md is made of them."""

from __future__ import annotations

from pipeline.testing.law import Law
from pipeline.testing.laws.calls import calls_as_declared, discarded_is_closed, request_untouched
from pipeline.testing.laws.chunks import cut_anywhere, whole_is_collected_stream
from pipeline.testing.laws.concurrency import side_by_side
from pipeline.testing.laws.construction import construction_is_quiet
from pipeline.testing.laws.endings import closed_once, ends_in_order
from pipeline.testing.laws.events import events_one_to_one
from pipeline.testing.laws.failures import cancelled_anywhere, errors_pass_on
from pipeline.testing.laws.flow import first_out_first
from pipeline.testing.laws.lifecycle import any_order
from pipeline.testing.laws.secrets import nothing_told
from pipeline.testing.laws.settings import settings_round_trip
from pipeline.testing.laws.slots import declared_slots

LAWS: tuple[Law, ...] = (
    settings_round_trip,
    construction_is_quiet,
    calls_as_declared,
    request_untouched,
    declared_slots,
    events_one_to_one,
    cut_anywhere,
    closed_once,
    ends_in_order,
    discarded_is_closed,
    errors_pass_on,
    cancelled_anywhere,
    first_out_first,
    side_by_side,
    any_order,
    nothing_told,
    whole_is_collected_stream,
)


def law_of(id: str) -> Law:
    """The law of that id. Raises `KeyError`."""
    return {law.id: law for law in LAWS}[id]
