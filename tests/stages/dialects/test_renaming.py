"""A renamed answer means what it meant, but for the name; and a usual frame is not read for it (laws 21, 49)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.dialects.renaming import FrameRenamer, rename

NAME = b'"asked"'
TEXTS = st.text(max_size=8) | st.sampled_from(["model", '"model":"x"', '{"model":', "\\", "a\nb", '\\"model'])
KEYS = TEXTS | st.sampled_from(["id", "object", "created", "choices", "xmodel"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
MEMBERS = st.lists(st.tuples(KEYS, VALUES), max_size=5)


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """An object as bytes: the name anywhere in it, once, twice or never, escaped or not, in any usual spelling."""
    members = draw(MEMBERS)
    for _ in range(draw(st.integers(0, 2))):
        members.insert(draw(st.integers(0, len(members))), ("model", draw(TEXTS)))
    ascii_only, comma, colon = (
        draw(st.booleans()),
        draw(st.sampled_from([",", ", ", ",\n "])),
        draw(st.sampled_from([":", ": "])),
    )
    said = [json.dumps(key) + colon + json.dumps(value, ensure_ascii=ascii_only) for key, value in members]
    text = draw(st.sampled_from(["", " "])) + "{" + comma.join(said) + "}" + draw(st.sampled_from(["", "\n"]))
    if draw(st.booleans()):
        text = text.replace('"model"', '"\\u006dodel"', 1)
    return text.encode("utf-8", "replace")


@given(data=objects())
def test_only_the_name_is_another(data: bytes) -> None:
    assert json.loads(rename(data, NAME)) == renamed(data)


@given(frames=st.lists(objects(), min_size=1, max_size=4).map(lambda made: [*made, *made]))
def test_so_it_is_for_each_frame_whatever_the_others_are(frames: list[bytes]) -> None:
    rename_frame = FrameRenamer(NAME, lambda frame: rename(frame, NAME))
    assert [json.loads(rename_frame(frame)) for frame in frames] == [renamed(frame) for frame in frames]


def renamed(data: bytes) -> dict[str, Any]:
    before: dict[str, Any] = json.loads(data)
    return {**before, "model": "asked"} if "model" in before and b'"model"' in data else before


def refuse(frame: bytes) -> bytes:
    raise AssertionError(f"read: {frame!r}")


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (b'data: {"id":"c","model":"m","choices":[{"a":"\\n"}]}\n\n', b'data: {"id":"c","model":"asked","choices"'),
        (b'{ "model": "m", "created_at": "2026", "done": false}\n', b'{ "model": "asked", "created_at": "2026"'),
        (b'{"model":"","n":123456789012345678901234567890}', b'{"model":"asked","n":123456789012345678901234567890}'),
    ],
)
def test_what_usually_comes_is_not_read(frame: bytes, expected: bytes) -> None:
    rename_frame = FrameRenamer(NAME, refuse)
    assert [rename_frame(frame), rename_frame(frame)] == [rename_frame(frame)] * 2
    assert rename_frame(frame).startswith(expected)


@pytest.mark.parametrize(
    "frame",
    [
        b'{"a":{"model":"m"}}',
        b'{"a":["model"],"model":"m"}',
        b'{"model":"m","x":{"model":"m"}}',
        b'{"a":"\\"","model":"m"}',
        b'[{"model":"m"}]',
        b'["model", {"model":"m"}]',
        b': {"model":"m"}\n\n',
        b'{"model":"m","\\u006dodel":"n"}',
        b'{"model":null}',
        b'["model"]',
    ],
)
def test_what_is_not_certain_is_read(frame: bytes) -> None:
    read: list[bytes] = []
    FrameRenamer(NAME, lambda given: read.append(given) or given)(frame)  # type: ignore[func-returns-value]  # None
    assert read == [frame]
