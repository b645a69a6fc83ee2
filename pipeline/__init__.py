"""gatewright's engine: a declarative pipeline of stages, used as an LLM gateway.

This is the only public door. Stages, dialects and embedders import from `pipeline` and from nowhere below it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pipeline.body import Body
from pipeline.chain import compose
from pipeline.clock import Clock, SystemClock
from pipeline.codec import Decoder, Encoder, Usage
from pipeline.conversation import AnswerFormat, Audio, Image, Message, Part, Text, Tool, ToolCall, ToolChoice
from pipeline.deadline import running_on_asyncio
from pipeline.dialect import Asked, Dialect, Discovery, ErrorReply, ParameterRules, Reply, Route
from pipeline.errors import (
    BodyTooLarge,
    CallerError,
    DeadlineExceeded,
    GatewayError,
    GatewayFault,
    InternalError,
    InvalidRequest,
    MethodNotAllowed,
    ModelNotFound,
    NotFound,
    NotStarted,
    Overloaded,
    PermissionDenied,
    RateLimited,
    Unauthenticated,
    UnsupportedMediaType,
    UpstreamError,
    UpstreamGarbage,
    UpstreamInterrupted,
    UpstreamRefusedUs,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from pipeline.events import END, Data, Event, EventKind
from pipeline.gateway import Face, Gateway, Link
from pipeline.headers import Headers
from pipeline.host import Host, SettingsError, UnknownName
from pipeline.losses import IfLost, Losses, TranslationRules
from pipeline.model_card import ModelCard
from pipeline.neutral_request import Answered, Given, NeutralRequest, Parameter, Translated
from pipeline.outcome import Outcome, OutcomeKind
from pipeline.payload import Payload
from pipeline.registry import Registry, Row
from pipeline.request import Request, RequestChanges
from pipeline.resources import Catalogue, KeyStore, Resolution, Upstream
from pipeline.response import Response, ResponseChanges
from pipeline.runtime import Pipeline
from pipeline.slots import Slot, Slots
from pipeline.source import Source
from pipeline.stage import Handler, Stage, StageSettings, StageSpec, spec_of, stage
from pipeline.strict import StageFault, compose_strict
from pipeline.transport import Transport, TransportOptions, UpstreamAnswer, UpstreamCall
from pipeline.wellknown import (
    CHOICE,
    HEAD_SECONDS,
    MODEL,
    NOTES,
    ORIGINAL,
    PRINCIPAL,
    RESERVATION,
    TARGET,
    TARGET_USED,
    TARGETS,
    Notes,
    Principal,
    Reservation,
    Target,
    note,
)

if TYPE_CHECKING:
    from pipeline.adapters.asgi import GatewayApp
    from pipeline.config import ConfigError
    from pipeline.conformance import Conformance, Heard, HeardCall, Parsed, conformance_of

__all__ = [
    "CHOICE",
    "END",
    "HEAD_SECONDS",
    "MODEL",
    "NOTES",
    "ORIGINAL",
    "PRINCIPAL",
    "RESERVATION",
    "TARGET",
    "TARGETS",
    "TARGET_USED",
    "AnswerFormat",
    "Answered",
    "Asked",
    "Audio",
    "Body",
    "BodyTooLarge",
    "CallerError",
    "Catalogue",
    "Clock",
    "ConfigError",
    "Conformance",
    "Data",
    "DeadlineExceeded",
    "Decoder",
    "Dialect",
    "Discovery",
    "Encoder",
    "ErrorReply",
    "Event",
    "EventKind",
    "Face",
    "Gateway",
    "GatewayApp",
    "GatewayError",
    "GatewayFault",
    "Given",
    "Handler",
    "Headers",
    "Heard",
    "HeardCall",
    "Host",
    "IfLost",
    "Image",
    "InternalError",
    "InvalidRequest",
    "KeyStore",
    "Link",
    "Losses",
    "Message",
    "MethodNotAllowed",
    "ModelCard",
    "ModelNotFound",
    "NeutralRequest",
    "NotFound",
    "NotStarted",
    "Notes",
    "Outcome",
    "OutcomeKind",
    "Overloaded",
    "Parameter",
    "ParameterRules",
    "Parsed",
    "Part",
    "Payload",
    "PermissionDenied",
    "Pipeline",
    "Principal",
    "RateLimited",
    "Registry",
    "Reply",
    "Request",
    "RequestChanges",
    "Reservation",
    "Resolution",
    "Response",
    "ResponseChanges",
    "Route",
    "Row",
    "SettingsError",
    "Slot",
    "Slots",
    "Source",
    "Stage",
    "StageFault",
    "StageSettings",
    "StageSpec",
    "SystemClock",
    "Target",
    "Text",
    "Tool",
    "ToolCall",
    "ToolChoice",
    "Translated",
    "TranslationRules",
    "Transport",
    "TransportOptions",
    "Unauthenticated",
    "UnknownName",
    "UnsupportedMediaType",
    "Upstream",
    "UpstreamAnswer",
    "UpstreamCall",
    "UpstreamError",
    "UpstreamGarbage",
    "UpstreamInterrupted",
    "UpstreamRefusedUs",
    "UpstreamRejected",
    "UpstreamTimeout",
    "UpstreamUnavailable",
    "Usage",
    "compose",
    "compose_strict",
    "conformance_of",
    "note",
    "running_on_asyncio",
    "spec_of",
    "stage",
]

# Behind the door too, but not loaded by it: an embedder of one stage needs neither the loader nor the adapter nor laws.
_ON_FIRST_USE = {
    "ConfigError": "pipeline.config",
    "GatewayApp": "pipeline.adapters.asgi",
    **dict.fromkeys(("Conformance", "Heard", "HeardCall", "Parsed", "conformance_of"), "pipeline.conformance"),
}


def __getattr__(name: str) -> Any:
    if name in _ON_FIRST_USE:
        return getattr(import_module(_ON_FIRST_USE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
