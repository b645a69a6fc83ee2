"""The OpenAI dialect: which module does what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pipeline import (
    Answered,
    Asked,
    Clock,
    Data,
    Decoder,
    Discovery,
    Encoder,
    ErrorReply,
    Event,
    GatewayError,
    Headers,
    Losses,
    ModelCard,
    NeutralRequest,
    NotFound,
    ParameterRules,
    Payload,
    Request,
    Route,
    Target,
    Translated,
    UpstreamCall,
)
from stages.dialects.openai import chat, embeddings, errors, models, requests, text
from stages.dialects.openai.complete import ChatCompleter, TextCompleter
from stages.dialects.openai.parameters import with_parameters
from stages.dialects.openai.profiles import PROFILES
from stages.dialects.openai.read import read
from stages.dialects.openai.stream import StreamDecoder, StreamEncoder
from stages.dialects.openai.whole import WholeDecoder, WholeEncoder
from stages.dialects.openai.write import write
from stages.dialects.renaming import FrameRenamer, rename
from stages.dialects.sse import replace_data
from stages.dialects.wire import encode, media_type

_PATHS = {"chat": "/chat/completions", "completion": "/completions", "embedding": "/embeddings"}
_NEUTRAL: Mapping[str, Callable[[Data], Data]] = {"chat": chat.neutral, "completion": text.neutral}


def _models(events: Sequence[Event]) -> Data:
    return models.encode_answer(embeddings.fold(events))


_FOLD: Mapping[str, Callable[[Sequence[Event]], Data]] = {
    "chat": chat.fold,
    "completion": text.fold,
    "models.list": _models,
    "models.running": _models,
    "models.show": _models,
}
_JSON = (("content-type", "application/json"),)


class OpenAI:
    """The API of OpenAI (protocol.md section 2). Implements `pipeline.Dialect`; one instance, which holds no state."""

    name = "openai"
    # The second is what curl says of any `-d`, and what is in it is JSON all the same.
    content_types: frozenset[str] | None = frozenset({"application/json", "application/x-www-form-urlencoded"})
    forwarded: frozenset[str] = frozenset()
    patience_seconds = 60.0
    profiles: Sequence[str] = tuple(PROFILES)
    conformance = "stages.dialects.openai.conformance:OpenAIConformance"
    routes: Sequence[Route] = (
        *(Route("POST", path, operation) for operation, path in _PATHS.items()),
        Route("GET", "/models", "models.list"),
        Route("GET", "/models/{model}", "models.show"),
    )

    def decode_request(self, operation: str, body: bytes, path_model: str) -> Asked:
        return requests.decode_request(operation, body, path_model)

    def encoder(self, request: Request) -> Encoder:
        fold = _FOLD.get(request.operation, embeddings.fold)
        return StreamEncoder(fold) if request.stream else WholeEncoder(fold)

    def error_reply(self, error: GatewayError, model: str = "") -> ErrorReply:
        return ErrorReply(error.status, errors.encode_error(error, model))

    def encode_request(self, request: Request) -> UpstreamCall:
        accept = "text/event-stream" if request.stream else "application/json"
        payload = request.payload
        if request.stream and payload.get("stream") is not True:
            payload = payload.with_(stream=True)  # an embedder says it on the request alone
        path = _PATHS.get(request.operation)
        if path is None:
            raise NotFound(f"A model server is not asked for {request.operation}.")
        return UpstreamCall("POST", path, payload.encode(), (*_JSON, ("accept", accept)))

    def decoder(self, request: Request, headers: Headers) -> Decoder:
        """By what the upstream sends, not by what was asked: some stream unasked, some answer a stream whole."""
        content_type = media_type(headers.get("content-type"))
        if content_type == "text/event-stream" or (request.stream and content_type != "application/json"):
            return StreamDecoder()
        return WholeDecoder(_NEUTRAL.get(request.operation))

    def decode_error(self, status: int, headers: Headers, body: bytes) -> GatewayError:
        return errors.decode_error(status, headers, body)

    def discovery(self, known: Sequence[ModelCard]) -> Discovery:
        return models.discovery()

    def model_names(self, model: str) -> Sequence[str]:
        """The name as it is; a provider's prefix is what some clients put before it (protocol.md 5.2)."""
        return (model, model.removeprefix("openai/"))

    def rename(self, request: Request, model: str) -> Payload:
        return request.payload.with_(model=model)

    def read(self, request: Request, losses: Losses) -> NeutralRequest | Answered:
        return read(request, losses)

    def write(self, asked: NeutralRequest, target: Target, losses: Losses, *, profile: str) -> Sequence[Translated]:
        return write(asked, target, losses, profile)

    def with_parameters(self, request: Request, rules: ParameterRules) -> Payload:
        return with_parameters(request, rules)

    def completer(
        self, request: Request, *, model: str, id: str, clock: Clock, reasoning_fields: Sequence[str] = ()
    ) -> Callable[[Event], tuple[Event, ...]]:
        created = int(clock.time())
        if request.operation == "chat":
            return ChatCompleter(request, model=model, id=id, created=created, reasoning_fields=reasoning_fields)
        if request.operation == "completion":
            return TextCompleter(request, model=model, id=id, created=created)
        return embeddings.EmbeddingCompleter(request, model=model)

    def renamer(self, request: Request, model: str) -> Callable[[bytes], bytes]:
        name = encode(model)
        if request.stream:
            return FrameRenamer(name, lambda frame: replace_data(frame, lambda data: rename(data, name)))
        return FrameRenamer(name, lambda answer: rename(answer, name))
