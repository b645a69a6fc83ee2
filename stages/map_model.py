"""From the model a caller names to the targets that serve it."""

from __future__ import annotations

from pydantic import Field

from pipeline import (
    MODEL,
    TARGET,
    TARGETS,
    Handler,
    Host,
    Request,
    Response,
    SettingsError,
    Slots,
    StageSettings,
    Target,
    note,
    stage,
)

_WITH_PARAMETERS = frozenset({"chat", "completion", "embedding", "embedding.single"})


@stage("map_model", writes=(MODEL, TARGETS, TARGET), calls_next="at_most_once")
class MapModel:
    """Look the requested model up in the catalogue; 404 if it is not served here.

    `request.model` stays what the caller said, because that is what every answer must echo (protocol.md 3.0.2). The
    catalogue holds the rules and this stage only applies them, so access lists and limits see the same resolution. Its
    rules for parameters are written into the request, in the caller's dialect.

    What is about a model server's own store (`manage.*`) goes to the first upstream that speaks the caller's dialect,
    with the name as it is: a name that is to be created is in no catalogue.
    """

    class Settings(StageSettings):
        catalogue: str | None = Field(
            default=None, description="Name of a catalogue under resources.catalogues, or of an upstream. Required."
        )

    def __init__(self, settings: Settings, host: Host) -> None:
        if settings.catalogue is None:
            raise SettingsError("name a catalogue, or the upstream whose models are served", field="catalogue")
        self._host = host
        self._catalogue = host.catalogue(settings.catalogue)

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        if request.operation.startswith("manage."):
            return await call_next(self._managing(request))
        if not request.model:
            return await call_next(request)
        resolution = await self._catalogue.resolve(request.model)
        note(request, model_resolved=resolution.model)
        slots = _resolved(request.slots, resolution.model, resolution.targets)
        payload = request.payload
        if resolution.parameters is not None and request.operation in _WITH_PARAMETERS:
            payload = self._host.dialect(request.dialect).with_parameters(request, resolution.parameters)
        return await call_next(request.evolve(slots=slots, payload=payload))

    def _managing(self, request: Request) -> Request:
        """The request with a target if there is one; without, whoever needs it says so."""
        for name in self._catalogue.upstreams():
            if self._host.upstream(name).dialect.name == request.dialect:
                target = Target(name, request.model)
                return request.evolve(slots=_resolved(request.slots, request.model, (target,)))
        return request


def _resolved(slots: Slots, model: str, targets: tuple[Target, ...]) -> Slots:
    return slots.overlay(Slots({MODEL: model, TARGETS: targets, TARGET: targets[0]}))
