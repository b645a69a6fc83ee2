"""Frames of a stream that are alike but for their texts: what was made of one is made of all.

To complete or translate a chunk is to decode, walk and encode it, and nearly every chunk of a stream differs from the
one before in its text alone. So that long way is gone once more with marks in place of the texts, and in the frames
that follow the texts are put where the marks came out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from secrets import token_hex

import msgspec

from pipeline import Data, Event
from stages.dialects.wire import as_dict, as_list, on_one_line

Make = Callable[[Event], bytes | None]

_encode = msgspec.json.Encoder().encode
_as_text = msgspec.json.Decoder(str).decode
_MARK = b"gatewright: text %b " % token_hex(16).encode()  # which nobody else can say
_MARKED = re.compile(rb'"%b(\d+);"' % _MARK)  # with an end, for the long way may join digits to it
_LESSONS = 3
_STATEFUL = ("finish_reason", "logprobs", "tool_calls", "function_call")


OWN = f"{_MARK.decode()}0;"
"""What whoever uses this puts where a text of its own belongs; those of the frame are numbered from 1."""


class Alike:
    """Of one stream: the frame that went the long way last, and what was made of it, both without their texts.

    The law: what `made_of` says is what the long way would make of the frame. It holds because a frame must be that
    last one with other JSON strings where its event has `texts`, and none of them empty, and because no state changes
    between: `forget` before an event goes the long way, and `learn` after it from one that changed nothing.
    """

    __slots__ = ("_after", "_before", "_between", "_learnt", "_lessons", "_made", "_places")

    def __init__(self) -> None:
        self._lessons = _LESSONS
        self._learnt = False
        self._before = self._after = b""
        self._between: list[bytes] = []
        self._made: list[bytes] = []
        self._places: list[tuple[int, int]] = []

    def forget(self) -> None:
        self._learnt = False

    def made_of(self, frame: bytes, own: Callable[[], bytes] | None = None) -> bytes | None:
        """What is made of `frame`; None if it must go the long way. `own` makes the JSON string to put at `OWN`."""
        at, end = len(self._before), len(frame) - len(self._after)
        if not self._learnt or at > end or not (frame.startswith(self._before) and frame.endswith(self._after)):
            return None
        texts = [b""]
        try:
            for between in self._between:
                found = frame.index(between, at, end)
                texts.append(_again(frame[at:found]))
                at = found + len(between)
            texts.append(_again(frame[at:end]))
        except ValueError:
            return None
        if own is not None:
            texts[0] = own()
        made = self._made
        for place, number in self._places:
            made[place] = texts[number]
        self._lessons = _LESSONS
        return b"".join(made)

    def learn(self, event: Event, make: Make) -> None:
        """Have `make` go the long way with marks, if the event is fit for it.

        Some streams have no two frames that are alike: after a few lessons in vain there are no more.
        """
        frame, texts = event.frame, event.texts
        if not self._lessons or frame is None or texts is None or not _only_says(event.data):
            return
        self._lessons -= 1
        around = _around(texts, frame)
        marked = b"".join([around[0], *(b'"%b%d;"%b' % (_MARK, at, around[at]) for at in range(1, len(around)))])
        told = make(Event(frame=marked, dialect=event.dialect, decode=event.decode)) if len(around) > 1 else None
        made = _MARKED.split(told) if told is not None else [_MARK]
        if any(_MARK in part for part in made[::2]):
            return  # nothing to tell, or a text that was joined to another
        self._learnt = True
        self._before, *self._between, self._after = around
        self._made, self._places = made, [(place, int(made[place])) for place in range(1, len(made), 2)]


def _around(texts: re.Pattern[bytes], frame: bytes) -> list[bytes]:
    """What is before, between and after the texts."""
    spans = [found.span(1) for found in texts.finditer(frame)]
    begins, ends = [0, *(end for _, end in spans)], [*(begin for begin, _ in spans), len(frame)]
    return [frame[begin:end] for begin, end in zip(begins, ends, strict=True)]


def _again(text: bytes) -> bytes:
    """A JSON string as we write it. Raises `ValueError` for what is none, and for an empty one, which may mean null."""
    said = _as_text(text)
    again = _encode(said)
    if again != text and not (text.startswith(b'"') and text.endswith(b'"')):
        raise ValueError("space around it, which may be the end of a line")
    if not said:
        raise ValueError("empty")
    return again if again.isascii() else on_one_line(again)


def _only_says(data: Data) -> bool:
    """Whether an event says a text and nothing else: said twice it would change nothing for what comes after it."""
    choices = as_list(data.get("choices"))
    if len(choices) != 1 or data.get("usage") is not None:
        return False
    choice = as_dict(choices[0])
    delta = as_dict(choice.get("delta"))
    return not any(choice.get(key) or delta.get(key) for key in _STATEFUL)
