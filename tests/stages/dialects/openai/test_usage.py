"""Token counts put right (protocol.md 2.4, 2.7; law 18)."""

from __future__ import annotations

from typing import Any

import pytest

from stages.dialects.openai import usage


@pytest.mark.parametrize("said", [None, [], 5, {}, {"cost": 1}])
def test_what_counts_nothing_is_none(said: Any) -> None:
    assert usage.complete(said) is None


@pytest.mark.parametrize(
    ("said", "counts"),
    [
        ({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}, (3, 4)),
        ({"prompt_tokens": 3, "completion_tokens": 4}, (3, 4)),
        ({"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 9}, (3, 4)),
        ({"prompt_tokens": 3}, (3, 0)),
        ({"completion_tokens": 4}, (0, 4)),
        ({"total_tokens": 9}, (0, 0)),
        ({"prompt_tokens": None, "completion_tokens": -1}, (0, 0)),
        ({"prompt_tokens": "3", "completion_tokens": True}, (0, 0)),
    ],
)
def test_every_count_is_there_and_the_total_is_their_sum(said: dict[str, Any], counts: tuple[int, int]) -> None:
    """What is not told, or is no count, is none: clients add these numbers up."""
    prompt, completion = counts
    more = {"cost": 1, "prompt_tokens_details": {"cached_tokens": 1}}
    told = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    assert usage.complete({**said, **more}) == {**told, **more}
    of_vectors = {**said, **more, "prompt_tokens": prompt, "total_tokens": prompt}
    assert usage.complete({**said, **more}, completion=False) == of_vectors
