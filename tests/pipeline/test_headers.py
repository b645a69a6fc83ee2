"""Header fields keep their order and their repetitions, ignore case, and are never printed with a value."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline import Headers

PAIRS = st.lists(st.tuples(st.sampled_from(["X-A", "x-a", "X-B", "Host"]), st.text(max_size=5)), max_size=6)


@given(pairs=PAIRS)
def test_names_are_compared_without_case_and_nothing_is_lost(pairs: list[tuple[str, str]]) -> None:
    headers = Headers(pairs)
    assert list(headers) == [(name.lower(), value) for name, value in pairs]
    assert len(headers) == len(pairs)
    for name in ("X-A", "x-a", "X-a"):
        values = [value for given_name, value in pairs if given_name.lower() == "x-a"]
        assert headers.all(name) == values
        assert headers.get(name) == (values[0] if values else None)
        assert (name in headers) == bool(values)


@given(value=st.binary(max_size=20))
def test_any_bytes_of_a_scope_survive(value: bytes) -> None:
    headers = Headers.from_raw([(b"x-first", b"1"), (b"x-odd", value), (b"x-odd", b"2")])
    assert headers.get("X-Odd") == value.decode("latin-1")
    assert headers.get("x-none") is None
    assert len(headers) == 3
    assert headers.all("x-odd") == [value.decode("latin-1"), "2"]
    assert headers.all("x-odd")[0].encode("latin-1") == value


def test_a_mapping_and_a_default_will_do() -> None:
    assert Headers({"Accept": "text/plain"}).get("accept") == "text/plain"
    assert Headers().get("accept", "*/*") == "*/*"


def test_an_empty_value_is_present() -> None:
    assert "x-empty" in Headers({"X-Empty": ""})


def test_equality_is_by_content_and_order() -> None:
    one, other = Headers([("A", "1"), ("B", "2")]), Headers([("a", "1"), ("b", "2")])
    assert one == other
    assert hash(one) == hash(other)
    assert one != Headers([("b", "2"), ("a", "1")])
    assert one != [("a", "1"), ("b", "2")]


def test_no_value_is_printed() -> None:
    assert repr(Headers({"Authorization": "Bearer s3cr3t", "Host": "h"})) == "Headers(authorization, host)"
