"""What a request asked of its answer that the model server was only asked for in words, or not at all.

Held to here, on the neutral events: a caller that demanded a tool call gets one or an error, never prose.
"""

from __future__ import annotations

from pipeline import Body, Data, Event, EventKind, Losses, NeutralRequest, Parameter, UpstreamGarbage


def keep_promises(body: Body, asked: NeutralRequest, losses: Losses) -> None:
    """Attach what this request needs; nothing for nearly all of them."""
    choice = asked.tool_choice
    if choice is not None and choice.mode == "required" and losses.emulates("tool_choice"):
        body.map(_CallDemanded())
    given = asked.parameters.get(Parameter.PARALLEL_TOOL_CALLS)
    if given is not None and given.value is False and losses.emulates("parallel_tool_calls"):
        body.map(_first_call_only)


class _CallDemanded:
    """Fails an answer of which a choice ends without a tool call (protocol.md 3.1, tool_choice).

    Before its finish reason goes out, which many a client takes for the end.
    """

    def __init__(self) -> None:
        self._called: set[int] = set()
        self._ended = False

    def __call__(self, event: Event) -> Event:
        for choice in event.data.get("choices") or () if event.kind is EventKind.DATA else ():
            index = choice.get("index") or 0
            if (choice.get("delta") or {}).get("tool_calls"):
                self._called.add(index)
            if choice.get("finish_reason"):
                self._ended = True
                self._check(index in self._called)
        if event.kind is EventKind.END and not self._ended:
            self._check(bool(self._called))
        return event

    def _check(self, called: bool) -> None:
        if not called:
            raise UpstreamGarbage("The model did not call a tool although the request demands it.", work_done="maybe")


def _first_call_only(event: Event) -> Event:
    """Drop every call but number 0 (protocol.md 3.1, parallel_tool_calls)."""
    choices = event.data.get("choices") if event.kind is EventKind.DATA else None
    if not any((choice.get("delta") or {}).get("tool_calls") for choice in choices or ()):
        return event
    return event.with_data({**event.data, "choices": [_trimmed(choice) for choice in choices or ()]})


def _trimmed(choice: Data) -> Data:
    delta = dict(choice.get("delta") or {})
    calls = [call for call in delta.pop("tool_calls", None) or () if not call.get("index")]
    return {**choice, "delta": {**delta, "tool_calls": calls} if calls else delta}
