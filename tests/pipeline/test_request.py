"""A request is frozen; `evolve` makes a changed copy, so that a retry sees the original again."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import Headers, Payload, Request, Slot, Slots

A: Slot[int] = Slot("a")

FULL: dict[str, Any] = {
    "model": "m",
    "payload": Payload({"x": 1}),
    "dialect": "line",
    "headers": Headers({"a": "b"}),
    "slots": Slots().with_(A, 1),
    "stream": True,
    "deadline": 5.0,
    "id": "r1",
}
CHANGES: dict[str, Any] = {
    "model": "n",
    "payload": Payload({"y": 2}),
    "dialect": "other",
    "headers": Headers({"c": "d"}),
    "slots": Slots(),
    "deadline": 6.0,
    "id": "r2",
    "operation": "completion",
}


def fields(request: Request) -> dict[str, Any]:
    return {name: getattr(request, name) for name in Request.__struct_fields__}


@pytest.mark.parametrize("name", Request.__struct_fields__)
def test_no_field_can_be_set_or_deleted(name: str) -> None:
    request = Request("chat", **FULL)
    with pytest.raises(AttributeError, match="frozen"):
        setattr(request, name, "other")
    with pytest.raises(AttributeError, match="frozen"):
        delattr(request, name)
    assert fields(request) == {"operation": "chat", **FULL}


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_evolve_changes_that_field_of_a_copy_and_no_other(name: str) -> None:
    request = Request("chat", **FULL)
    changed = request.evolve(**{name: CHANGES[name]})
    assert fields(changed) == {"operation": "chat", **FULL} | {name: CHANGES[name]}
    assert fields(request) == {"operation": "chat", **FULL}


@pytest.mark.parametrize("name", sorted({*Request.__struct_fields__} - {*CHANGES}))
def test_how_it_is_answered_never_changes_on_the_way(name: str) -> None:
    change: dict[str, Any] = {name: True}
    with pytest.raises(TypeError):
        Request("chat").evolve(**change)


def test_that_is_the_only_thing_which_does_not() -> None:
    assert {*Request.__struct_fields__} - {*CHANGES} == {"stream"}


def test_an_empty_text_is_a_change_too() -> None:
    assert Request("chat", model="m").evolve(model="").model == ""


def test_a_slot_is_written_into_a_copy() -> None:
    request = Request("chat")
    assert request.with_slot(A, 3).slots[A] == 3
    assert A not in request.slots


def test_defaults_are_empty_and_a_dict_becomes_a_payload() -> None:
    request = Request("chat", payload={"x": 1})
    assert request.payload["x"] == 1
    assert (request.model, request.stream, request.deadline, len(request.headers)) == ("", False, None, 0)
    assert len(Request("chat").payload) == 0


def test_neither_payload_nor_headers_are_printed() -> None:
    assert repr(Request("chat", **FULL)) == "Request(chat 'm' stream=True id=r1)"
