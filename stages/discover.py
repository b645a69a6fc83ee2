"""Answers questions about models from the catalogue, without an upstream call in the request's way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import fields, replace

from pydantic import Field

from pipeline import (
    END,
    TARGET,
    Body,
    Data,
    Event,
    GatewayError,
    Handler,
    Host,
    InvalidRequest,
    ModelCard,
    ModelNotFound,
    Request,
    Response,
    SettingsError,
    StageSettings,
    stage,
)

_PULLING = Event({"status": "pulling manifest"})
_PULLED = Event({"status": "success"})
_CHANGING = frozenset({"manage.pull", "manage.create", "manage.copy", "manage.delete"})


@stage("discover", reads=(TARGET,), calls_next="at_most_once")
class Discover:
    """`models.*`, `version` and `alive`; everything else passes. Put it behind `authenticate`: names are information.

    `models.show` passes too where the model's upstream speaks the caller's dialect and has more to say of it than a
    catalogue keeps. So does `manage.*` where there is such an upstream, and is refused where there is none: only to
    pull what is served already is answered with success, because clients pull before they ask.
    """

    class Settings(StageSettings):
        catalogue: str | None = Field(
            default=None, description="Name of a catalogue under resources.catalogues, or of an upstream. Required."
        )
        version: str | None = Field(
            default=None,
            description="The version to tell clients that ask which features there are. Default: that of the oldest "
            "upstream if all speak the caller's dialect, else one that has what the gateway offers.",
        )

    def __init__(self, settings: Settings, host: Host) -> None:
        if settings.catalogue is None:
            raise SettingsError("name a catalogue, or the upstream whose models are served", field="catalogue")
        self._host = host
        self._catalogue = host.catalogue(settings.catalogue)
        self._version = settings.version

    async def models(self) -> list[ModelCard]:
        """What is served here; used by the gateway's own discovery too."""
        return await self._catalogue.models()

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        operation = request.operation
        if operation == "models.list":
            return _answer({"models": [_neutral(card) for card in await self.models()]})
        if operation == "models.running":
            cards = await self._catalogue.models(fresh=True)
            return _answer({"models": [_neutral(card) for card in cards if card.loaded is not None]})
        if operation == "version":
            return _answer({"version": self._version or await self._oldest(request.dialect)})
        if operation == "alive":
            return _answer({})
        if operation == "models.show" and not self._knows_more(request):
            return _answer({"model": _neutral(await self._shown(request.model))})
        if operation.startswith("manage."):
            return await self._manage(request, call_next)
        return await call_next(request)

    async def _oldest(self, dialect: str) -> str | None:
        """The lowest version among the upstreams, if it means what the caller takes it for; None if it does not.

        An upstream that cannot be asked must not make the gateway look dead: clients ask for the version to see
        whether anybody is there.
        """
        try:
            cards = await self.models()
        except GatewayError:
            return None
        versions = {card.server_version for card in cards if card.dialect == dialect and card.server_version}
        if not versions or any(card.dialect != dialect for card in cards):
            return None
        return min(versions, key=_age)

    def _speaks(self, request: Request, upstream: str) -> bool:
        return self._host.upstream(upstream).dialect.name == request.dialect

    def _knows_more(self, request: Request) -> bool:
        target = request.slots.get(TARGET)
        if target is None or not self._speaks(request, target.upstream):
            return False
        return request.operation in self._host.upstream(target.upstream).dialect.forwarded

    async def _shown(self, model: str) -> ModelCard:
        """The card under the name that was asked for, whatever the upstream calls it."""
        for card in await self.models():
            if card.id == model:
                return card
        meant = (await self._catalogue.resolve(model)).targets[0].card if model else None
        if meant is None:
            raise ModelNotFound(f"The model `{model}` does not exist.", param="model")
        return replace(meant, id=model)

    async def _manage(self, request: Request, call_next: Handler) -> Response:
        target = request.slots.get(TARGET)
        ours = target is not None and self._speaks(request, target.upstream)
        if request.operation == "manage.pull":
            if await self._served_elsewhere(request, by_default=not ours):
                return Response(Body.of([_PULLING, _PULLED, END]))
            if not ours:
                return Response(Body.of(_no_such_manifest()))
        if not ours:
            raise InvalidRequest("not supported by this gateway", status=501, code="not_supported")
        response = await call_next(request)
        if request.operation in _CHANGING:
            response.body.on_end(lambda _: self._catalogue.changed())
        return response

    async def _served_elsewhere(self, request: Request, *, by_default: bool) -> bool:
        """Whether the model is one of an upstream that speaks otherwise, and so can neither be nor need be pulled.

        Where it could be pulled, a pattern or a default that would answer to any name says nothing. An upstream whose
        list is unknown holds nothing that we know of.
        """
        model = request.model
        try:
            if not by_default and all(card.id != model for card in await self.models()):
                return False
            target = (await self._catalogue.resolve(model)).targets[0]
        except GatewayError:
            return False
        return target.card is not None and not self._speaks(request, target.upstream)


async def _no_such_manifest() -> AsyncIterator[Event]:
    """A pull that fails as it does on the original: after its first line (protocol.md 1.8)."""
    yield _PULLING
    raise ModelNotFound("pull model manifest: file does not exist", param="model")


def _age(version: str) -> tuple[float, ...]:
    """For comparing versions by number. `0.0.0` is a development build, newer than all (protocol.md 5.1)."""
    numbers = tuple(int(part) if part.isdecimal() else 0 for part in version.partition("-")[0].split("."))
    return numbers if any(numbers) else (float("inf"),)


_FIELDS = [field.name for field in fields(ModelCard)]


def _neutral(card: ModelCard) -> Data:
    return {name: getattr(card, name) for name in _FIELDS}


def _answer(data: Data) -> Response:
    return Response(Body.of([Event(data), END]))
