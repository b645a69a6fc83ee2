"""Phrases are found wherever the text is cut, and no more is held back than may become one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acme_redact.phrases import Phrases


def in_pieces(phrases: Phrases, pieces: list[str]) -> str:
    said, held = [], ""
    for piece in pieces:
        new, held = phrases.replace(held + piece)
        said.append(new)
    return "".join([*said, phrases.replace(held, last=True)[0]])


@pytest.mark.parametrize(
    ("text", "said", "held"),
    [
        ("nothing here", "nothing here", ""),
        ("a secret here", "a * here", ""),
        ("a sec", "a ", "sec"),
        ("a secr s", "a secr ", "s"),
        ("secrets", "*", "s"),
        ("secretsecre", "*", "secre"),
        ("sse", "s", "se"),
    ],
)
def test_only_what_may_become_a_phrase_is_held(text: str, said: str, held: str) -> None:
    assert Phrases(["secret"], "*").replace(text) == (said, held)


def test_the_longest_phrase_counts_even_if_a_shorter_one_is_complete() -> None:
    phrases = Phrases(["night", "nightfall"], "*")
    assert phrases.replace("night") == ("", "night")
    assert phrases.replace("nightf") == ("", "nightf")
    assert phrases.replace("nights") == ("*s", "")
    assert phrases.replace("nightfall") == ("*", "")
    assert phrases.replace("night", last=True) == ("*", "")


def test_a_phrase_that_began_first_hides_one_that_overlaps_it() -> None:
    phrases = Phrases(["ab", "bcd"], "*")
    assert in_pieces(phrases, ["a", "b", "c", "d"]) == "*cd"


short = st.text("ab", min_size=1, max_size=4)


@given(st.lists(short, min_size=1, max_size=4), st.lists(st.text("abc", max_size=4), max_size=8))
def test_the_cuts_do_not_show(words: list[str], pieces: list[str]) -> None:
    whole = re.sub("|".join(sorted(words, key=len, reverse=True)), "*", "".join(pieces))
    assert in_pieces(Phrases(words, "*"), pieces) == whole
