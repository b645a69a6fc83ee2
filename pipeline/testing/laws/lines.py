"""Answers of numbered lines, for laws that ask what became of each. No setting that the kit draws is about their words.

Each is a sentence and a line of its own, so a stage that waits for the end of either need not wait long.
"""

from __future__ import annotations

from pipeline.events import Data
from pipeline.testing.strategies import said


def word_of(at: int) -> str:
    return f"w{at:02}"


def line(operation: str, at: int) -> Data:
    """The data of the event that says the line `at`."""
    return said(operation, f" {word_of(at)}.\n")
