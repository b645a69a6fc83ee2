"""From what a caller asks to the request that a stage receives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pipeline.errors import InvalidRequest
from pipeline.headers import Headers
from pipeline.request import Request
from pipeline.testing.scenario import Ask
from pipeline.testing.subject import Subject
from pipeline.wellknown import NOTES, ORIGINAL

STREAMED = frozenset({"chat", "completion"})


class Unfit(BaseException):
    """An example that is none, and nobody's fault: settings that the stage refuses, a request that no client sends.

    Not an `Exception`: laws catch those, as failures of the stage.
    """


class KitNotes:
    """Implements `pipeline.Notes`: the access line of a request, as one list."""

    def __init__(self) -> None:
        self.facts: list[tuple[str, Any]] = []

    def note(self, facts: Mapping[str, Any], /) -> None:
        self.facts.extend(facts.items())


def request_of(ask: Ask, subject: Subject, *, notes: KitNotes | None = None, id: str = "kit-request") -> Request:
    """The request as the engine hands it to a chain, with the slots that were written before this stage.

    Raises `Unfit` for what the dialect refuses before any stage sees it.
    """
    payload = {**ask.payload, "stream": ask.stream} if ask.operation in STREAMED else dict(ask.payload)
    dialect = subject.dialects[ask.dialect]
    has_body = any(route.method == "POST" for route in dialect.routes if route.operation == ask.operation)
    body = msgspec.json.encode(payload) if has_body else b""
    try:
        asked = dialect.decode_request(ask.operation, body, str(payload.get("model", "")))
    except InvalidRequest as error:
        raise Unfit(str(error)) from error
    headers = Headers({} if ask.key is None else {"authorization": f"Bearer {ask.key}"})
    request = Request(
        ask.operation,
        model=asked.model,
        payload=asked.payload,
        dialect=ask.dialect,
        headers=headers,
        stream=ask.stream,
        id=id,
    )
    request = request.with_slot(NOTES, notes if notes is not None else KitNotes())
    request = request.with_slot(ORIGINAL, request)
    for slot, value in ask.slots:
        if slot is not ORIGINAL:
            request = request.with_slot(slot, value)
    return request
