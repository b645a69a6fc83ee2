"""Two toy wire protocols with a translation between them, as small as a translation can be.

`Asks` is what clients write: `{"model", "say": [texts], "hint", "colour", "shade", "shout", "local"}`. Each text is a
prompt of its own, `hint` is harmless, `colour` is reported when lost and `shade` refused, `shout` arrives as another
word, and `local` needs no model server. `Tells` is what the model server understands: `{"prompt": text}`, one a call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline import (
    Answered,
    Clock,
    Event,
    IfLost,
    Losses,
    NeutralRequest,
    Request,
    Target,
    Text,
    Translated,
)
from tests.pipeline.fakes import LineDialect


class Asks(LineDialect):
    """The client's protocol."""

    name = "asks"
    profiles: Sequence[str] = ("asks",)

    def read(self, request: Request, losses: Losses) -> NeutralRequest | Answered:
        payload = request.payload
        if payload.get("local"):
            return Answered({"choices": [{"index": 0, "delta": {"content": "here"}}]})
        for name, if_lost in (("hint", IfLost.DROP), ("colour", IfLost.WARN), ("shade", IfLost.REJECT)):
            if name in payload:
                losses.drop(name, if_lost)
        if "shout" in payload:
            losses.change("shout")
        return NeutralRequest(
            "chat", request.stream, prompts=tuple(Text(text, f"say[{at}]") for at, text in enumerate(payload["say"]))
        )

    def completer(
        self, request: Request, *, model: str, id: str, clock: Clock, reasoning_fields: Sequence[str] = ()
    ) -> Callable[[Event], tuple[Event, ...]]:
        """Marks each event, so that a test sees who completed it and with what."""
        mark = {"model": model, "id": id, "asked": request.operation, "reasoning": list(reasoning_fields)}
        return lambda event: (event.with_data({**event.data, "completed": mark}) if event.data else event,)


class Tells(LineDialect):
    """The model server's protocol, in two profiles: only `wide` knows the length of an answer."""

    name = "tells"
    profiles: Sequence[str] = ("narrow", "wide")

    def write(self, asked: NeutralRequest, target: Target, losses: Losses, *, profile: str) -> Sequence[Translated]:
        more = {"length": 7} if profile == "wide" else {}
        manner = "chanted" if losses.emulates("chat_template") else "spoken"
        return [Translated(manner, {"model": target.model, "prompt": text.text, **more}) for text in asked.prompts]
