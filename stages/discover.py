"""Answers questions about models from the catalogue, without an upstream call in the request's way."""

from __future__ import annotations

from pydantic import Field

from pipeline import (
    END,
    Body,
    Data,
    Event,
    Handler,
    Host,
    ModelCard,
    ModelNotFound,
    Request,
    Response,
    SettingsError,
    StageSettings,
    stage,
)


@stage("discover", calls_next="at_most_once")
class Discover:
    """`models.list` and `models.show`; everything else passes. Put it behind `authenticate`: names are information."""

    class Settings(StageSettings):
        catalogue: str | None = Field(
            default=None, description="Name of a catalogue under resources.catalogues, or of an upstream. Required."
        )

    def __init__(self, settings: Settings, host: Host) -> None:
        if settings.catalogue is None:
            raise SettingsError("name a catalogue, or the upstream whose models are served", field="catalogue")
        self._catalogue = host.catalogue(settings.catalogue)

    async def models(self) -> list[ModelCard]:
        """What is served here; used by the gateway's own discovery too."""
        return await self._catalogue.models()

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        if request.operation == "models.list":
            return _answer({"models": [_neutral(card) for card in await self.models()]})
        if request.operation == "models.show":
            for card in await self.models():
                if card.id == request.model:
                    return _answer({"model": _neutral(card)})
            raise ModelNotFound(f"The model `{request.model}` does not exist.", param="model")
        return await call_next(request)


def _neutral(card: ModelCard) -> Data:
    return {"id": card.id, "created": card.created, "owned_by": card.owned_by, "extra": dict(card.extra)}


def _answer(data: Data) -> Response:
    return Response(Body.of([Event(data), END]))
