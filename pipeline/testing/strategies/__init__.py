"""Hypothesis strategies for everything a stage meets; each shrinks towards the plainest thing of its sort."""

from pipeline.testing.strategies.answers import answers, events, faults, said, splits, spoken
from pipeline.testing.strategies.asks import asks, payloads, requests
from pipeline.testing.strategies.scenarios import neutrally_streamed, scenarios, streamed
from pipeline.testing.strategies.settings import from_settings
from pipeline.testing.strategies.texts import texts

__all__ = [
    "answers",
    "asks",
    "events",
    "faults",
    "from_settings",
    "neutrally_streamed",
    "payloads",
    "requests",
    "said",
    "scenarios",
    "splits",
    "spoken",
    "streamed",
    "texts",
]
