"""What a stage gets from its host, and the notes it leaves on the access line."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest

from pipeline import NOTES, Host, Registry, Request, SystemClock, TransportOptions, UnknownName, note
from tests.pipeline.fakes import FakeClock, LineDialect

OBJECTS = {("upstreams", "a"): "an upstream", ("keys", "b"): "a key store", ("catalogues", "c"): "a catalogue"}


def find(group: str, name: str) -> Any:
    return OBJECTS[group, name]


def made(**options: Any) -> Host:
    kinds = Registry().with_("dialect", "line", LineDialect).with_("transport", "fake", lambda options: options)
    return Host(resource=find, implementation=kinds.load, **options)


def test_each_typed_accessor_asks_its_own_group() -> None:
    host = made()
    found: list[object] = [host.upstream("a"), host.key_store("b"), host.catalogue("c"), host.resource("keys", "b")]
    assert found == ["an upstream", "a key store", "a catalogue", "a key store"]


def test_dialects_and_transports_are_made_anew_from_their_kinds() -> None:
    host = made()
    assert host.dialect("line").name == "line"
    options = TransportOptions(max_connections=3)
    assert host.transport("fake", options) is options  # type: ignore[comparison-overlap]  # the fake gives it back
    with pytest.raises(UnknownName, match="dialect kind"):
        host.dialect("lime")


def test_clock_randomness_and_log_are_injected() -> None:
    clock = FakeClock(5.0)
    host = made(clock=clock, random_bytes=lambda count: b"r" * count, log="a log")
    assert (host.clock, host.random_bytes(2), host.log) == (clock, b"rr", "a log")


def test_without_injection_they_are_real() -> None:
    host = made()
    assert isinstance(host.clock, SystemClock)
    assert abs(host.clock.time() - time.time()) < 60
    assert host.clock.monotonic() <= host.clock.monotonic()
    assert len(host.random_bytes(16)) == 16
    assert host.log is host.log


class Book:
    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}

    def note(self, facts: Mapping[str, Any], /) -> None:
        self.facts.update(facts)


def test_a_note_goes_to_the_request_s_access_line() -> None:
    book = Book()
    note(Request("chat").with_slot(NOTES, book), colour="blue", count=2)
    assert book.facts == {"colour": "blue", "count": 2}


def test_without_an_access_line_a_note_is_nothing() -> None:
    note(Request("chat"), colour="blue")


def test_a_dialect_is_made_once() -> None:
    made: list[str] = []

    def implementation(group: str, kind: str) -> type:
        made.append(f"{group}/{kind}")
        return object

    host = Host(resource=lambda group, name: None, implementation=implementation)
    assert host.dialect("line") is host.dialect("line")
    assert made == ["dialect/line"]
