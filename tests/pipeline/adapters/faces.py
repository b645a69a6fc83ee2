"""Two toy dialects on one gateway, told apart by how they word things: `talk` shouts, `tell` whispers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline import (
    END,
    Body,
    ErrorReply,
    Event,
    GatewayApp,
    GatewayError,
    Handler,
    Host,
    Pipeline,
    Registry,
    Request,
    Response,
    Route,
    StageSettings,
    stage,
)
from tests.pipeline.fakes import LineDialect, LineEncoder


class Shouting(LineEncoder):
    def encode(self, event: Event) -> bytes:
        return super().encode(event).upper()

    def finish(self) -> bytes:
        return super().finish().upper()


class Talk(LineDialect):
    name = "talk"
    routes: Sequence[Route] = (
        Route("POST", "/say", "chat"),
        Route("GET", "/", "alive"),
        Route("HEAD", "/", "alive"),
        Route("HEAD", "/lost", "lost"),
        Route("GET", "/lost", "lost"),
    )

    def encoder(self, request: Request) -> LineEncoder:
        return Shouting(whole=not request.stream)

    def error_reply(self, error: GatewayError, model: str = "") -> ErrorReply:
        return ErrorReply(error.status + 10, f"TALK {model} {error.message}".encode(), "text/loud")


class Tell(LineDialect):
    name = "tell"
    routes: Sequence[Route] = (Route("POST", "/say", "chat"), Route("GET", "/deep/{model}", "models.show"))

    def error_reply(self, error: GatewayError, model: str = "") -> ErrorReply:
        return ErrorReply(error.status, f"tell {model} {error.message}".encode(), "text/quiet")


@stage("test.says", calls_next="never")
class Says:
    """Answers with the operation and the dialect, or fails."""

    class Settings(StageSettings):
        pass

    def __init__(self, settings: Settings, host: Host) -> None:
        pass

    async def models(self) -> list[Any]:
        return []

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        if request.operation == "lost" or request.model == "lost":
            raise GatewayError("all is lost", status=500)
        told = Event({"choices": [{"index": 0, "delta": {"content": f"{request.operation} in {request.dialect}"}}]})
        return Response(Body.of([told, END]))


def pipeline(tmp_path: Path, text: str) -> Pipeline:
    registry = Registry.default().with_("dialect", "talk", Talk).with_("dialect", "tell", Tell)
    path = tmp_path / "gateway.yaml"
    path.write_text(text)
    return Pipeline.from_config(path, registry=registry.with_("stage", "test.says", Says), environ={})


def app(tmp_path: Path, text: str) -> tuple[Pipeline, GatewayApp]:
    built = pipeline(tmp_path, text)
    return built, GatewayApp(built)
