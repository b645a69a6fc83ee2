"""From what is answered further in to the body that a stage receives, or the bytes that an upstream sends."""

from __future__ import annotations

from typing import Any

import msgspec

from pipeline.errors import UpstreamInterrupted, UpstreamTimeout
from pipeline.events import END, Event
from pipeline.testing.asking import STREAMED
from pipeline.testing.scenario import Answer
from pipeline.testing.scripted import Stall, cut
from pipeline.testing.subject import Subject


def steps_of(answer: Answer, subject: Subject, *, stream: bool) -> list[Any]:
    """The script of a source: pieces, and the trouble in its place."""
    fault = answer.fault
    at = fault.at if fault is not None else 0
    if not answer.dialect:
        pieces: list[Any] = [[Event(data)] for data in answer.items] + [[END]]
    else:
        data = _written(answer, subject, stream=stream)
        if fault is not None and fault.what == "cut":
            return [*cut(data[: min(at * 9, len(data) - 1)], answer.cuts)]
        pieces = [*cut(data, answer.cuts)]
    match fault.what if fault is not None else "":
        case "reset" | "cut":
            return [*pieces[:at], UpstreamInterrupted("kit: the connection was reset")]
        case "silent":
            return [*pieces[:at], Stall(60.0), UpstreamTimeout("kit: the upstream is silent")]
        case "crash":
            return [*pieces[:at], RuntimeError("kit: a bug further in")]
        case "reported" if answer.dialect and stream:
            kit = subject.kits[answer.dialect]
            return [kit.encode(answer.items[:at], done=False) + kit.failed("kit: the model failed")]
        case "reported":
            return [*pieces[:at], UpstreamInterrupted("kit: the model failed")]
    return pieces


def _written(answer: Answer, subject: Subject, *, stream: bool) -> bytes:
    kit = subject.kits[answer.dialect]
    if answer.operation not in STREAMED:
        return msgspec.json.encode(answer.items[0])
    if stream:
        return kit.encode(answer.items)
    return msgspec.json.encode(kit.fold(answer.operation, answer.items))


PLAIN = (
    {"choices": [{"index": 0, "delta": {"content": "kit"}, "finish_reason": None}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
)
"""What is answered to a request that the stage has made into another operation than the answer was drawn for."""


def answer_to(operation: str, answer: Answer) -> Answer:
    if operation == answer.operation:
        return answer
    return Answer(operation, PLAIN, "", (), answer.fault)
