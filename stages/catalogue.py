"""The model catalogue: aliases, wildcards, and the upstreams' own lists."""

from __future__ import annotations

import re
from collections.abc import Iterator

import anyio
from pydantic import Field

from pipeline import (
    Clock,
    GatewayError,
    Host,
    ModelCard,
    ModelNotFound,
    Reply,
    Resolution,
    SettingsError,
    StageSettings,
    Target,
    Upstream,
    UpstreamCall,
)

_RETRY_SECONDS = 2.0
_MAX_LIST_BYTES = 8 * 1024 * 1024


class Alias(StageSettings):
    """Where a name leads, when the upstream must be said too."""

    model: str = Field(description="The model's name at the upstream.")
    upstream: str | None = Field(default=None, description="The upstream; default: whichever lists the model.")


class ModelCatalogue:
    """Implements `pipeline.Catalogue`. Looks a name up as: alias, upstream's own name, wildcard alias (longest first).

    The upstreams' lists are fetched when somebody asks and they are older than `refresh_seconds`; a name that is not
    found asks again, at most every two seconds. An upstream that cannot be asked, or has no list, is sent what it is
    asked for and answers itself: a list that is unknown is not a list that is empty.
    """

    class Settings(StageSettings):
        upstreams: list[str] = Field(description="Names of the upstreams, best first.", min_length=1)
        aliases: dict[str, str | Alias] = Field(
            default={}, description="Other names for models; `gpt-4*` matches all that begin so, `*` everything else."
        )
        refresh_seconds: float = Field(default=30.0, description="How old an upstream's list may be.", gt=0)

    def __init__(self, settings: Settings, host: Host, name: str) -> None:
        self._lists = [_UpstreamList(host.upstream(one), host.clock) for one in settings.upstreams]
        self._refresh_seconds = settings.refresh_seconds
        self._exact: dict[str, Alias] = {}
        self._wild: list[tuple[re.Pattern[str], Alias]] = []
        # Longest first. Only `*` is special: brackets and question marks occur in names.
        for pattern, given in sorted(settings.aliases.items(), key=lambda item: -len(item[0])):
            alias = given if isinstance(given, Alias) else Alias(model=given)
            if alias.upstream is not None and alias.upstream not in settings.upstreams:
                raise SettingsError(
                    f"alias {pattern!r} names {alias.upstream!r}, not one of `upstreams`", field="aliases"
                )
            if "*" in pattern:
                self._wild.append((_wildcard(pattern), alias))
            else:
                self._exact[pattern] = alias

    async def resolve(self, model: str) -> Resolution:
        alias = self._exact.get(model)
        if alias is not None:
            return Resolution(alias.model, await self._targets(alias.model, alias.upstream))
        targets = await self._listed(model)
        if targets:
            return Resolution(model, targets)
        for pattern, wild in self._wild:
            if pattern.fullmatch(model):
                return Resolution(wild.model, await self._targets(wild.model, wild.upstream))
        unknown = tuple(Target(one.upstream.name, model) for one in self._lists if one.cards is None)
        if unknown:
            return Resolution(model, unknown)
        raise ModelNotFound(f"The model `{model}` does not exist or you do not have access to it.", param="model")

    async def models(self) -> list[ModelCard]:
        """Raises the upstream's error if no list at all could be had."""
        failures = [error for one in self._lists if (error := await one.refresh(self._refresh_seconds))]
        if len(failures) == len(self._lists) and not self._exact:
            raise failures[0]
        cards = {card.id: card for card in self._listed_cards()}
        for name in self._exact:
            cards.setdefault(name, ModelCard(name, 0, "gatewright"))
        return list(cards.values())

    def upstreams(self) -> tuple[str, ...]:
        return tuple(one.upstream.name for one in self._lists)

    def _listed_cards(self) -> Iterator[ModelCard]:
        for one in reversed(self._lists):
            yield from one.cards or ()

    async def _targets(self, model: str, upstream: str | None) -> tuple[Target, ...]:
        if upstream is not None:
            return (Target(upstream, model),)
        found = await self._listed(model) if len(self._lists) > 1 else ()
        return found or (Target(self._lists[0].upstream.name, model),)

    async def _listed(self, model: str) -> tuple[Target, ...]:
        for older_than in (self._refresh_seconds, _RETRY_SECONDS):
            for one in self._lists:
                await one.refresh(older_than)
            found = tuple(Target(one.upstream.name, model) for one in self._lists if model in one.ids)
            if found:
                return found
        return ()


def _wildcard(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


class _UpstreamList:
    """One upstream's list, fetched by one caller at a time while the others wait for it."""

    def __init__(self, upstream: Upstream, clock: Clock) -> None:
        self.upstream = upstream
        self.cards: list[ModelCard] | None = None
        self.ids: frozenset[str] = frozenset()
        self._clock = clock
        self._asked_at: float | None = None
        self._failure: GatewayError | None = None
        self._lock = anyio.Lock()

    async def refresh(self, older_than_seconds: float) -> GatewayError | None:
        """Fetch the list if it is older than that; the error, if there is no list and none could be had."""
        if self._fresh(older_than_seconds):
            return self._failure
        async with self._lock:
            if self._fresh(older_than_seconds):
                return self._failure
            try:
                cards = await self._fetch()
            except GatewayError as error:
                # An old list is better than none: the upstream may be back before anybody asks for what is new.
                self._failure = error if self.cards is None else None
            else:
                self.cards, self._failure = cards, None
                self.ids = frozenset(card.id for card in cards)
            self._asked_at = self._clock.monotonic()
        return self._failure

    def _fresh(self, older_than_seconds: float) -> bool:
        if self._asked_at is None:
            return False
        limit = min(older_than_seconds, _RETRY_SECONDS) if self._failure is not None else older_than_seconds
        return self._clock.monotonic() - self._asked_at < limit

    async def _fetch(self) -> list[ModelCard]:
        steps = self.upstream.dialect.discovery(self.cards or ())
        try:
            call = next(steps)
            while True:
                call = steps.send(await self._ask(call))
        except StopIteration as done:
            cards: list[ModelCard] = done.value
            return cards
        finally:
            steps.close()

    async def _ask(self, call: UpstreamCall) -> Reply:
        answer = await self.upstream.send(call)
        pieces: list[bytes] = []
        size = 0
        try:
            while size < _MAX_LIST_BYTES and (piece := await answer.source.next()) is not None:
                pieces.append(piece)
                size += len(piece)
        finally:
            with anyio.CancelScope(shield=True, deadline=anyio.current_time() + 2):
                await answer.source.aclose()
        return Reply(answer.status, answer.headers, b"".join(pieces))
