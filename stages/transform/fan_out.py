"""Several calls for one request: several prompts or choices, of a model server that takes one at a time.

One after the other: a model server that takes one prompt at a time has one place to compute, and a queue of our own
before its queue would only hold more connections. The answers come as one body, choice by choice; the counts are the
sums of what the server counted, a prompt that several choices share being counted once (protocol.md 3.1, n).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from pipeline import CHOICE, END, Body, Data, Event, EventKind, Handler, Outcome, Request, Response, Usage

_COUNTED = ("prompt_tokens", "completion_tokens")


async def fan_out(requests: Sequence[Request], again: Sequence[bool], call_next: Handler) -> Response:
    """Send all of them; returns at the head of the first answer. Each later one is asked when the one before ended.

    `again` says of each whether it has the prompt of the one before. Each call is told which choice it is for: what
    depends on the choice, such as an echo of its prompt, is done inside.
    """
    requests = [request.with_slot(CHOICE, at) for at, request in enumerate(requests)]
    first = await call_next(requests[0])
    answers = _Answers(first, requests[1:], again, call_next)
    body = Body.of(answers.events(), usage=answers.usage)
    # Not a `finally` of the generator: that of one which was never begun does not run.
    body.on_close(answers.aclose)
    return Response(body, status=first.status, headers=first.headers, slots=first.slots)


class _Answers:
    """The answers in turn. Whatever ends the reading closes the one that is open."""

    def __init__(self, first: Response, rest: Sequence[Request], again: Sequence[bool], call_next: Handler) -> None:
        self._body = first.body
        self._rest = rest
        self._again = again
        self._at = 0
        self._call_next = call_next
        self._used: list[Usage] = []
        self._last = Event({})
        self._total: Data = {}

    async def events(self) -> AsyncIterator[Event]:
        for at, request in enumerate((None, *self._rest)):
            self._at = at
            if request is not None:
                self._body = (await self._call_next(request)).body
            self._body.on_end(self._count)
            async for event in self._body:
                if event.kind is EventKind.DATA and (numbered := self._numbered(event)) is not None:
                    yield numbered
        if self._total:
            yield self._last.with_data({**self._last.data, "choices": [], "usage": self._total})
        yield END

    async def aclose(self) -> None:
        await self._body.aclose()

    def usage(self) -> Usage | None:
        """The sums so far; an unknown count is not a zero."""
        if not self._used:
            return None
        inputs = [used.input_tokens for used in self._used if used.input_tokens is not None]
        outputs = [used.output_tokens for used in self._used if used.output_tokens is not None]
        return Usage(sum(inputs) if inputs else None, sum(outputs) if outputs else None)

    def _count(self, outcome: Outcome) -> None:
        used = outcome.usage
        if used is not None:
            self._used.append(Usage(0, used.output_tokens) if self._again[self._at] else used)

    def _numbered(self, event: Event) -> Event | None:
        """The event as part of the whole: its choice has the number of its call, and its counts wait for the end."""
        data = event.data
        usage = data.get("usage")
        if isinstance(usage, dict):
            self._add(usage)
            data = {key: value for key, value in data.items() if key != "usage"}
        choices = data.get("choices") or ()
        if not choices:
            self._last = event.with_data(data)
            return None
        return event.with_data({**data, "choices": [{**choice, "index": self._at} for choice in choices]})

    def _add(self, usage: Data) -> None:
        total = self._total
        for name in _COUNTED:
            if isinstance(usage.get(name), int) and not (name == "prompt_tokens" and self._again[self._at]):
                total[name] = total.get(name, 0) + usage[name]
        total["total_tokens"] = sum(total.get(name, 0) for name in _COUNTED)
