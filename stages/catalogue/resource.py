"""The catalogue as a resource: its settings, its life, and the questions it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import anyio
from anyio.abc import TaskGroup
from pydantic import Field

from pipeline import Host, ModelCard, ModelNotFound, Resolution, StageSettings
from stages.catalogue.aliases import Alias, Aliases
from stages.catalogue.lookup import Lookup
from stages.catalogue.parameter_rules import ModelParameters, ParameterRule
from stages.catalogue.upstream_list import RETRY_SECONDS, Sleep, UpstreamList

_OLD_SECONDS = 30.0
_REMEMBERED = 1024  # behind a pattern or a default there are as many names as callers think of


class ModelCatalogue:
    """Which models there are, and by which names. Looks a name up as: alias, upstream's own name, alias behind a
    provider's prefix, name as the upstream's dialect understands it, wildcard alias (longest first), default.

    Implements `pipeline.Catalogue`.

    Once started it keeps the upstreams' lists up to date in the background, and requests never wait for that: a stale
    list is good enough. They wait where no list was ever fetched, and where a name would not be found: that asks
    again, at most every two seconds. An upstream that cannot be asked, or has no list, is sent what it is asked for
    and answers itself: a list that is unknown is not a list that is empty. No question makes a model generate.
    """

    class Settings(StageSettings):
        upstreams: list[str] = Field(description="Names of the upstreams, best first.", min_length=1)
        aliases: dict[str, str | Alias] = Field(
            default={}, description="Other names for models; `gpt-4*` matches all that begin so, `*` everything else."
        )
        default: str | Alias | None = Field(
            default=None, description="The model for names that nothing else answers to. Default: they are 404."
        )
        provider_prefixes: list[str] = Field(
            default=["openai/", "ollama/", "ollama_chat/"],
            description="What client libraries put before a name; looked through where the whole name is not known.",
        )
        parameters: dict[str, ParameterRule] = Field(
            default={}, description="Rules for the parameters of a model's requests, by its name or a pattern with `*`."
        )
        refresh_seconds: float | None = Field(
            default=30.0,
            description="How often the upstreams are asked for their lists. null: only when somebody asks for a name "
            "that is no alias, or for the list.",
            gt=0,
        )

    def __init__(self, settings: Settings, host: Host, name: str, *, sleep: Sleep = anyio.sleep) -> None:
        # What was resolved, for as long as no list has news: the same few names are asked for again and again.
        self._resolved: dict[str, Resolution] = {}
        news = self._resolved.clear
        self._lists = [UpstreamList(host.upstream(one), host.clock, host.log, news) for one in settings.upstreams]
        self._aliases = Aliases(settings.aliases, settings.default, settings.upstreams)
        self._lookup = Lookup(self._lists, self._aliases, settings.provider_prefixes)
        self._parameters = ModelParameters(settings.parameters)
        self._refresh_seconds = settings.refresh_seconds
        self._old_seconds = settings.refresh_seconds or _OLD_SECONDS
        self._dialects = {one.upstream.name: one.upstream.dialect for one in self._lists}
        self._sleep = sleep
        self._tasks: TaskGroup | None = None

    async def start(self) -> None:
        """Begin to look after the lists, in tasks of whoever starts the pipeline; waits for none of them."""
        if self._refresh_seconds is None or self._tasks is not None:
            return
        self._tasks = tasks = anyio.create_task_group()
        await tasks.__aenter__()
        for one in self._lists:
            one.attended = True
            tasks.start_soon(one.attend, self._refresh_seconds, self._sleep)

    async def stop(self) -> None:
        tasks, self._tasks = self._tasks, None
        if tasks is not None:
            for one in self._lists:
                one.attended = False
            self._resolved.clear()
            tasks.cancel_scope.cancel()
            await tasks.__aexit__(None, None, None)

    async def resolve(self, model: str) -> Resolution:
        resolution = self._resolved.get(model)
        if resolution is None:
            resolution = await self._resolve(model)
            if all(one.settled for one in self._lists_for(model)) and len(self._resolved) < _REMEMBERED:
                self._resolved[model] = resolution
        return resolution

    async def _resolve(self, model: str) -> Resolution:
        await self._need(self._lists_for(model))
        targets = self._lookup.find(model)
        if not targets:
            await self._refresh([one for one in self._lists if one.cards is not None], RETRY_SECONDS)
            targets = self._lookup.find(model)
        if not targets:
            raise ModelNotFound(f"The model `{model}` does not exist or you do not have access to it.", param="model")
        best = targets[0]
        rules = self._parameters.of({model, best.model}, self._dialects[best.upstream])
        return Resolution(best.model, targets, rules)

    async def models(self, *, fresh: bool = False) -> list[ModelCard]:
        """Raises the upstream's error if no list at all could be had."""
        if fresh:
            await self._refresh(self._lists, RETRY_SECONDS)
        else:
            await self._need(self._lists)
        failures = [one.failure for one in self._lists if one.failure is not None]
        if len(failures) == len(self._lists) and not self._aliases.exact:
            raise failures[0]
        # An alias comes first where `resolve` would take it first: it hides an upstream's model of the same name.
        cards = {name: self._alias_card(name, alias) for name, alias in self._aliases.exact.items()}
        for one in self._lists:
            for card in one.cards or ():
                cards.setdefault(card.id, card)
        return [*cards.values()]

    def upstreams(self) -> tuple[str, ...]:
        return tuple(self._dialects)

    def changed(self) -> None:
        for one in self._lists:
            one.outdate()

    def _alias_card(self, name: str, alias: Alias) -> ModelCard:
        card = self._lookup.behind(alias)[0].card
        return replace(card, id=name) if card is not None else ModelCard(name, owned_by="gatewright")

    def _lists_for(self, model: str) -> Sequence[UpstreamList]:
        """The lists without which `model` cannot be looked up."""
        alias = self._aliases.exact.get(model)
        if alias is None:
            return self._lists
        lists = self._lookup.lists_for(alias)
        return () if self._refresh_seconds is None and len(lists) == 1 else lists

    async def _need(self, lists: Sequence[UpstreamList]) -> None:
        for one in lists:
            await one.need(self._old_seconds)

    async def _refresh(self, lists: Sequence[UpstreamList], older_than_seconds: float) -> None:
        for one in lists:
            await one.refresh(older_than_seconds)
