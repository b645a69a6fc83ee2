"""A response's head is changed by making another over the same body."""

from __future__ import annotations

from pipeline import Body, Headers, Response, Slot

A: Slot[int] = Slot("a")


def test_changing_the_head_hands_the_same_body_on() -> None:
    first = Response(Body.of(()), headers=Headers({"x": "1"}))
    last = first.evolve(status=201).with_slot(A, 3).with_header("Y", "2")
    assert last.body is first.body
    assert (last.status, last.slots[A], list(last.headers)) == (201, 3, [("x", "1"), ("y", "2")])
    assert (first.status, A in first.slots, list(first.headers)) == (200, False, [("x", "1")])


def test_a_header_is_added_and_replaces_none() -> None:
    response = Response(Body.of(())).with_header("set", "1").with_header("set", "2")
    assert response.headers.all("set") == ["1", "2"]


def test_headers_and_slots_can_be_replaced_whole() -> None:
    response = Response(Body.of(())).with_slot(A, 1).with_header("x", "1")
    assert len(response.evolve(headers=Headers()).headers) == 0
    assert response.evolve(slots=Response(Body.of(())).slots).slots.get(A) is None
    assert repr(response) == "Response(200)"
