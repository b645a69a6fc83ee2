"""From the model a caller names to the targets that serve it."""

from __future__ import annotations

from pydantic import Field

from pipeline import MODEL, TARGET, TARGETS, Handler, Host, Request, Response, SettingsError, StageSettings, note, stage


@stage("map_model", writes=(MODEL, TARGETS, TARGET), calls_next="at_most_once")
class MapModel:
    """Look the requested model up in the catalogue; 404 if it is not served here.

    `request.model` stays what the caller said, because that is what every answer must echo (protocol.md 3.0.2). The
    catalogue holds the rules and this stage only applies them, so access lists and limits see the same resolution.
    """

    class Settings(StageSettings):
        catalogue: str | None = Field(
            default=None, description="Name of a catalogue under resources.catalogues, or of an upstream. Required."
        )

    def __init__(self, settings: Settings, host: Host) -> None:
        if settings.catalogue is None:
            raise SettingsError("name a catalogue, or the upstream whose models are served", field="catalogue")
        self._catalogue = host.catalogue(settings.catalogue)

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        if not request.model:
            return await call_next(request)
        resolution = await self._catalogue.resolve(request.model)
        note(request, model_resolved=resolution.model)
        slots = (
            request.slots.with_(MODEL, resolution.model)
            .with_(TARGETS, resolution.targets)
            .with_(TARGET, resolution.targets[0])
        )
        return await call_next(request.evolve(slots=slots))
