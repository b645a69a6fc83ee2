"""For each law of dialects some that break it, each a mistake that people make. What is right in them is OpenAI's."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from pipeline import (
    Asked,
    Clock,
    Data,
    Decoder,
    Discovery,
    Encoder,
    Event,
    EventKind,
    GatewayError,
    Headers,
    Losses,
    ModelCard,
    NeutralRequest,
    Payload,
    Request,
    UpstreamCall,
    UpstreamUnavailable,
)
from stages.dialects.openai.dialect import OpenAI
from stages.dialects.openai.stream import DONE, StreamDecoder, StreamEncoder
from stages.dialects.openai.whole import WholeEncoder
from stages.dialects.sse import SseFramer


class SaysTheFirstHalf(OpenAI):
    """D1: of a whole answer."""

    def encoder(self, request: Request) -> Encoder:
        encoder = super().encoder(request)
        return encoder if request.stream else WholeEncoder(lambda events: encoder.fold(events[: len(events) // 2]))


class StreamsWithoutARole(OpenAI):
    """D1: which its clients require."""

    def completer(
        self, request: Request, *, model: str, id: str, clock: Clock, reasoning_fields: Sequence[str] = ()
    ) -> Callable[[Event], tuple[Event, ...]]:
        complete = super().completer(request, model=model, id=id, clock=clock, reasoning_fields=reasoning_fields)
        if not request.stream:
            return complete
        return lambda event: tuple(_without_role(each) for each in complete(event))


def _without_role(event: Event) -> Event:
    choices = event.data.get("choices")
    if event.kind is not EventKind.DATA or not choices or "delta" not in choices[0]:
        return event
    delta = {key: value for key, value in choices[0]["delta"].items() if key != "role"}
    return event.with_data({**event.data, "choices": [{**choices[0], "delta": delta}]})


class _DecodesStreams(OpenAI):
    decodes: type[StreamDecoder]

    def decoder(self, request: Request, headers: Headers) -> Decoder:
        return self.decodes() if request.stream else super().decoder(request, headers)


class _Rounding(StreamDecoder):
    def finish(self) -> list[bytes]:
        cut = not self.finished
        return super().finish() + ([b'data: {"choices": [{"index": 0, "delta": {"content": "..."}}]}\n\n'] * cut)


class RoundsAnswersOff(_DecodesStreams):
    """D2: with three dots, where the upstream has died."""

    decodes = _Rounding


class _Ending(StreamDecoder):
    def finish(self) -> list[bytes]:
        frames = super().finish()
        if self.finished:
            return frames
        self.finished, self.failure = True, None
        return [*frames, DONE]


class TakesTheEofForTheEnd(_DecodesStreams):
    """D3: and tells its client of a success."""

    decodes = _Ending


class _Deaf(StreamDecoder):
    def look(self, frames: list[bytes]) -> list[bytes]:
        return super().look([frame for frame in frames if b'"error"' not in frame])


class PassesErrorsOver(_DecodesStreams):
    """D3: those that the upstream tells of in its stream."""

    decodes = _Deaf


class EndsAfterAnError(OpenAI):
    """D3: as if the answer were complete."""

    def encoder(self, request: Request) -> Encoder:
        encoder = super().encoder(request)
        return _EndingAnyway(encoder.fold) if request.stream else encoder


class _EndingAnyway(StreamEncoder):
    def encode(self, event: Event) -> bytes:
        return super().encode(event) + (DONE if event.kind is EventKind.ERROR else b"")


class _Forgetful(StreamDecoder):
    def feed(self, piece: bytes) -> list[bytes]:
        framer = SseFramer()
        return self.look([*framer.feed(piece), *framer.finish()])


class TakesAReadForAFrame(_DecodesStreams):
    """D4: which it is, on the machine of whoever wrote it."""

    decodes = _Forgetful


class _Trusting(StreamDecoder):
    def events(self, frame: bytes) -> Sequence[Event]:
        if frame.startswith(b"data: [DONE]"):
            return super().events(frame)
        return (Event(json.loads(frame.removeprefix(b"data:")), frame=frame, dialect=self.dialect),)


class TrustsItsUpstream(_DecodesStreams):
    """D5: to send JSON."""

    decodes = _Trusting


class TrustsErrors(OpenAI):
    """D5: to be shaped as its documentation says."""

    def decode_error(self, status: int, headers: Headers, body: bytes) -> GatewayError:
        return UpstreamUnavailable(json.loads(body)["error"]["message"])


class TrustsLists(OpenAI):
    """D5: of models."""

    def discovery(self, known: Sequence[ModelCard]) -> Discovery:
        reply = yield UpstreamCall("GET", "/models", b"", ())
        models: list[Data] = json.loads(reply.body)["data"]
        return [ModelCard(model["id"]) for model in models]


class TrustsItsClients(OpenAI):
    """D6: to name a model."""

    def decode_request(self, operation: str, body: bytes, path_model: str) -> Asked:
        if operation.startswith("models."):
            return super().decode_request(operation, body, path_model)
        payload = Payload.parse(body)
        return Asked(payload["model"], payload, bool(payload.get("stream")))


class ReadsWithoutLooking(OpenAI):
    """D6: every message has a content that can be asked for its length."""

    def read(self, request: Request, losses: Losses) -> NeutralRequest:
        read = super().read(request, losses)
        assert isinstance(read, NeutralRequest)
        if sum(len(message["content"]) for message in request.payload.get("messages") or ()) > 1_000_000:
            losses.change("messages")
        return read


class RefusesWhatIsValid(OpenAI):
    """D6: a limit of tokens, which not all clients set."""

    def decode_request(self, operation: str, body: bytes, path_model: str) -> Asked:
        read = super().decode_request(operation, body, path_model)
        if operation == "chat":
            read.payload["max_tokens"]
        return read


DIALECT_MUTANTS: tuple[tuple[str, type[OpenAI]], ...] = (
    ("D1", SaysTheFirstHalf),
    ("D1", StreamsWithoutARole),
    ("D2", RoundsAnswersOff),
    ("D3", TakesTheEofForTheEnd),
    ("D3", PassesErrorsOver),
    ("D3", EndsAfterAnError),
    ("D4", TakesAReadForAFrame),
    ("D5", TrustsItsUpstream),
    ("D5", TrustsErrors),
    ("D5", TrustsLists),
    ("D6", TrustsItsClients),
    ("D6", ReadsWithoutLooking),
    ("D6", RefusesWhatIsValid),
)
