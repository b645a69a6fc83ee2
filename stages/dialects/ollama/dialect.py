"""The Ollama dialect: which module does what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256

from pipeline import (
    Answered,
    Asked,
    Clock,
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
    ParameterRules,
    Payload,
    Request,
    Route,
    Target,
    Translated,
    UpstreamCall,
)
from stages.dialects.ollama import errors, models, names, parameters, read, requests, write
from stages.dialects.ollama.answers import EMBEDDING, Answers, Writer
from stages.dialects.ollama.complete import Completer
from stages.dialects.ollama.embeddings import EmbeddingCompleter
from stages.dialects.ollama.stream import StreamDecoder, StreamEncoder
from stages.dialects.ollama.whole import AliveEncoder, WholeDecoder, WholeEncoder
from stages.dialects.renaming import FrameRenamer, rename
from stages.dialects.wire import encode, media_type

_STREAMED = frozenset({"chat", "completion", "manage.pull", "manage.push", "manage.create"})


class Ollama:
    """The API of Ollama (protocol.md section 1). Implements `pipeline.Dialect`; one instance, which holds no state.

    A request to load or unload a model is answered by one JSON object although it asks for a stream (1.4). Its client
    gets that object as a stream of one line: official clients read lines wherever they asked for a stream.
    """

    name = "ollama"
    content_types: frozenset[str] | None = None  # the original never looks (protocol.md 1.1)
    conformance = "stages.dialects.ollama.conformance:OllamaConformance"
    forwarded = frozenset({"models.show"})
    patience_seconds = 330.0  # a model is loaded before the first byte; the server itself gives up after five minutes
    profiles: Sequence[str] = ("ollama",)
    routes: Sequence[Route] = (
        Route("GET", "/", "alive"),
        Route("HEAD", "/", "alive"),
        Route("POST", "/api/chat", "chat"),
        Route("POST", "/api/generate", "completion"),
        Route("POST", "/api/embed", "embedding"),
        Route("POST", "/api/embeddings", "embedding.single"),
        Route("GET", "/api/tags", "models.list"),
        Route("HEAD", "/api/tags", "models.list"),
        Route("POST", "/api/show", "models.show"),
        Route("GET", "/api/ps", "models.running"),
        Route("GET", "/api/version", "version"),
        Route("HEAD", "/api/version", "version"),
        Route("POST", "/api/pull", "manage.pull"),
        Route("POST", "/api/push", "manage.push"),
        Route("POST", "/api/create", "manage.create"),
        Route("POST", "/api/copy", "manage.copy"),
        Route("DELETE", "/api/delete", "manage.delete"),
        Route("HEAD", "/api/blobs/{model}", "manage.blob.check"),
        Route("POST", "/api/blobs/{model}", "manage.blob.push"),
    )

    def decode_request(self, operation: str, body: bytes, path_model: str) -> Asked:
        return requests.decode_request(operation, body, path_model)

    def encoder(self, request: Request) -> Encoder:
        if request.operation == "alive":
            return AliveEncoder()
        writer = Writer(request)
        if request.stream and request.operation in _STREAMED:
            return StreamEncoder(writer.render, writer.fold)
        return WholeEncoder(writer.fold)

    def error_reply(self, error: GatewayError, model: str = "") -> ErrorReply:
        return errors.error_reply(error, model)

    def encode_request(self, request: Request) -> UpstreamCall:
        return requests.encode_request(request)

    def decoder(self, request: Request, headers: Headers) -> Decoder:
        """By what the upstream sends, not by what was asked: a load is answered by one object although it streams."""
        content_type = media_type(headers.get("content-type"))
        answers = Answers(request.operation)
        streams = request.operation in _STREAMED
        if streams and (
            content_type == "application/x-ndjson" or (request.stream and content_type != "application/json")
        ):
            return StreamDecoder(answers)
        return WholeDecoder(answers)

    def decode_error(self, status: int, headers: Headers, body: bytes) -> GatewayError:
        return errors.decode_error(status, headers, body)

    def discovery(self, known: Sequence[ModelCard]) -> Discovery:
        return models.discovery(known)

    def model_names(self, model: str) -> Sequence[str]:
        return names.lookup_names(model)

    def rename(self, request: Request, model: str) -> Payload:
        return requests.rename(request, model)

    def read(self, request: Request, losses: Losses) -> NeutralRequest | Answered:
        return read.read(request, losses)

    def write(self, asked: NeutralRequest, target: Target, losses: Losses, *, profile: str) -> Sequence[Translated]:
        return write.write(asked, target, losses, profile=profile)

    def with_parameters(self, request: Request, rules: ParameterRules) -> Payload:
        return parameters.with_parameters(request, rules)

    def completer(
        self, request: Request, *, model: str, id: str, clock: Clock, reasoning_fields: Sequence[str] = ()
    ) -> Callable[[Event], tuple[Event, ...]]:
        """This protocol has its own field for reasoning, so `reasoning_fields` say nothing here."""
        if request.operation in EMBEDDING:
            return EmbeddingCompleter(request, model=model, clock=clock)
        numbers = iter(range(1 << 30))

        def new_call_id() -> str:
            digest = sha256(id.encode()).hexdigest()
            return "call_" + sha256(f"{digest}/{next(numbers)}".encode()).hexdigest()[:24]

        return Completer(request, model=model, clock=clock, new_call_id=new_call_id)

    def renamer(self, request: Request, model: str) -> Callable[[bytes], bytes]:
        name = encode(model)
        return FrameRenamer(name, lambda frame: rename(frame, name))
