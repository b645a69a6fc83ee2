"""One answer on its way through: what is held of which choice, and when it is let go."""

from __future__ import annotations

from pipeline import Data, Event, EventKind

from acme_redact.phrases import Phrases

# Where a choice has text that somebody reads: in its delta, or in the choice itself (text completions).
_IN_DELTA = ("content", "reasoning", "refusal")
_IN_CHOICE = ("text", "reasoning")

# What an event says of the whole answer. A made event has it too, but no counts and durations: those are told once.
_HEAD = ("id", "object", "created", "created_at", "model")

Place = tuple[int, bool, str]  # the choice's index, whether in its delta, the field


class RedactedAnswer:
    """A function for `Body.expand`, with the state of one body.

    What was held leaves in an event of its own before the one that ends its choice: after the finish reason it would be
    too late for most clients. That event has the head of the one the text came in, which is what the caller's protocol
    wants beside the text.
    """

    def __init__(self, phrases: Phrases) -> None:
        self._phrases = phrases
        self._held: dict[Place, tuple[str, Data]] = {}

    def __call__(self, event: Event) -> tuple[Event, ...]:
        if event.kind is EventKind.END:
            return (*self._let_go(list(self._held)), event)
        choices = event.data.get("choices")
        if not choices:
            return (event,)
        ended = {_index(choice) for choice in choices if choice.get("finish_reason")}
        # Text that comes with the end is joined to what is held of its field; then only silent fields hold something.
        changed = [self._choice(choice, event.data, last=_index(choice) in ended) for choice in choices]
        late = self._let_go([place for place in self._held if place[0] in ended])
        if all(new is old for new, old in zip(changed, choices, strict=True)):
            return (*late, event)
        return (*late, event.with_data({**event.data, "choices": changed}))

    def _choice(self, choice: Data, around: Data, *, last: bool) -> Data:
        new = self._fields(choice, choice, around, _IN_CHOICE, in_delta=False, last=last)
        delta = choice.get("delta")
        if isinstance(delta, dict):
            changed = self._fields(delta, choice, around, _IN_DELTA, in_delta=True, last=last)
            new = new if changed is delta else {**new, "delta": changed}
        return {**new, "logprobs": None} if choice.get("logprobs") else new

    def _fields(
        self, of: Data, choice: Data, around: Data, names: tuple[str, ...], *, in_delta: bool, last: bool
    ) -> Data:
        new = of
        for name in names:
            text = of.get(name)
            if isinstance(text, str):
                place = (_index(choice), in_delta, name)
                before, _ = self._held.pop(place, ("", around))
                said, rest = self._phrases.replace(before + text, last=last)
                if rest:
                    self._held[place] = (rest, {name: around[name] for name in _HEAD if name in around})
                if said != text:
                    new = {**new, name: said}
        return new

    def _let_go(self, places: list[Place]) -> list[Event]:
        return [self._alone(place, *self._held.pop(place)) for place in places]

    def _alone(self, place: Place, text: str, head: Data) -> Event:
        """What was held of one field, as an event without anything else to tell."""
        index, in_delta, name = place
        said, _ = self._phrases.replace(text, last=True)
        told = {"delta": {name: said}} if in_delta else {name: said}
        return Event({**head, "choices": [{"index": index, **told, "finish_reason": None, "logprobs": None}]})


def _index(choice: Data) -> int:
    return choice.get("index") or 0
