"""Text for requests and answers: few letters, and the words that the stage's own settings are about.

A redactor of `secret` is hardly ever tried by random text. So the strings found in the settings are among the pieces
that text is put together from, whole and cut in two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel

from pipeline.testing.subject import Subject

_PLAIN = ["a", "b", " ", "é", "😀", "\n", '"']


def texts(subject: Subject, settings: Any = None) -> st.SearchStrategy[str]:
    """Pieces of text, none of them empty."""
    return _texts(tuple(sorted({word for word in strings_in(settings) if word})), subject.arrangement.texts)


@cache
def _texts(words: tuple[str, ...], own: Any) -> st.SearchStrategy[str]:
    halves = sorted({half for word in words for half in (word[: len(word) // 2], word[len(word) // 2 :]) if half})
    pieces: st.SearchStrategy[str] = st.sampled_from([*_PLAIN, *halves])
    if words:
        pieces |= st.sampled_from(words)  # as often as all else
    if own is not None:
        pieces |= own
    return st.lists(pieces, min_size=1, max_size=4).map("".join)


def strings_in(value: Any) -> Iterator[str]:
    """Every string in settings; secrets stay out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        yield from strings_in(value.__dict__)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from strings_in(key)
            yield from strings_in(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from strings_in(inner)
