"""Text for requests and answers: few letters, and the words that the stage's own settings are about.

A redactor of `secret` is hardly ever tried by random text. So the strings found in the settings are among the pieces
that text is put together from, whole and cut in two.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel

from pipeline.testing.subject import Subject

_PLAIN = ["a", "b", " ", "é", "😀", "\n", '"']

kept = lru_cache(maxsize=1000)
"""For functions that make strategies of what has been drawn. Making and validating one costs more than drawing from it,
and the same few settings are drawn again and again."""


def texts(subject: Subject, settings: Any = None) -> st.SearchStrategy[str]:
    """Pieces of text, none of them empty."""
    return texts_of(words_of(settings), subject.arrangement.texts)


@kept
def texts_of(words: tuple[str, ...], own: Any) -> st.SearchStrategy[str]:
    """The same for the words of some settings; `own` is the strategy of the stage's author, if any."""
    halves = sorted({half for word in words for half in (word[: len(word) // 2], word[len(word) // 2 :]) if half})
    pieces: st.SearchStrategy[str] = st.sampled_from([*_PLAIN, *halves])
    if words:
        pieces |= st.sampled_from(words)  # as often as all else
    if own is not None:
        pieces |= own
    return st.lists(pieces, min_size=1, max_size=4).map("".join)


def words_of(settings: Any) -> tuple[str, ...]:
    """Every string in settings, sorted, without the empty one."""
    return tuple(sorted({word for word in strings_in(settings) if word}))


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
