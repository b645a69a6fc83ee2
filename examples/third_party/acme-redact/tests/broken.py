"""`acme.redact` with one mistake each, as people make them. `LAWS` says which law of the conformance kit each breaks.

Kept to prove that they are found: by the kit, and here by what goes wrong.
"""

from __future__ import annotations

from typing import Any

from pipeline import EventKind, Handler, Host, Request, Response, stage

from acme_redact import Redact
from acme_redact.answer import RedactedAnswer
from acme_redact.phrases import Phrases


@stage("broken.by_piece")
class ByPiece(Redact):
    """Looks at each piece alone."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await call_next(request)
        response.body.map(lambda event: event.map_text(lambda index, text: self._phrases.replace(text, last=True)[0]))
        return response


class _OneLetterHeld(Phrases):
    def _held_from(self, text: str, at: int) -> int:
        return super()._held_from(text, max(at, len(text) - 1))


@stage("broken.one_letter_held", expands=True)
class OneLetterHeld(Redact):
    """Holds back too little: a phrase in three pieces is missed."""

    def __init__(self, settings: Any, host: Host) -> None:
        super().__init__(settings, host)
        self._phrases = _OneLetterHeld(settings.phrases, settings.replacement)


@stage("broken.skips_wholes", expands=True)
class SkipsWholes(Redact):
    """Is for streams only, as if a whole answer were somebody else's business."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        return await (super().__call__(request, call_next) if request.stream else call_next(request))


@stage("broken.shared_state", expands=True)
class SharedState(Redact):
    """Holds the beginning of one caller's phrase for the next caller."""

    def __init__(self, settings: Any, host: Host) -> None:
        super().__init__(settings, host)
        self._answer = RedactedAnswer(self._phrases)

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await call_next(request)
        response.body.expand(self._answer)
        return response


@stage("broken.drops_empty")
class DropsEmpty(Redact):
    """Takes an event without text for one that nobody needs, such as that of a finish reason."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await super().__call__(request, call_next)
        response.body.map(lambda event: event if event.text or event.kind is EventKind.END else None)
        return response


@stage("broken.in_place", expands=True)
class InPlace(Redact):
    """Redacts the prompt too, in the list that a retry will see again."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        for message in request.payload.get("messages") or ():
            if isinstance(message.get("content"), str):
                message["content"] = self._phrases.replace(message["content"], last=True)[0]
        return await super().__call__(request, call_next)


LAWS = {
    ByPiece: "L7",
    OneLetterHeld: "L7",
    SkipsWholes: "L17",
    SharedState: "L14",
    DropsEmpty: "L6",
    InPlace: "L4",
}
