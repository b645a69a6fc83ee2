"""What a body may be called."""

from __future__ import annotations

import pytest

from pipeline import UnsupportedMediaType
from pipeline.adapters import body_reader
from pipeline.adapters.body_reader import check_content_type

READ = frozenset({"application/json"})


@pytest.mark.parametrize("value", [b"application/json", b"Application/JSON ; charset=utf-8", b"", b"; charset=utf-8"])
@pytest.mark.parametrize("padding", [0, 1000])
def test_what_is_read_passes(value: bytes, padding: int) -> None:
    check_content_type({b"content-type": value + b";" + b" " * padding}, READ)


@pytest.mark.parametrize("padding", [0, 1_000_000])
def test_another_type_is_refused(padding: int) -> None:
    with pytest.raises(UnsupportedMediaType):
        check_content_type({b"content-type": b"text/plain" + b"x" * padding}, READ)


def test_no_stranger_says_what_is_kept_in_memory() -> None:
    """Only what is short is remembered; this is looked at before anybody is asked for a key."""
    before = body_reader._remembered.cache_info()
    for number in range(100):
        with pytest.raises(UnsupportedMediaType):
            check_content_type({b"content-type": b"text/plain; %d " % number + b"x" * 1000}, READ)
    assert body_reader._remembered.cache_info() == before
