"""One upstream's models: fetched when somebody needs them, and kept up to date in the background."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio

from pipeline import Clock, GatewayError, InternalError, ModelCard, Upstream
from stages.catalogue.discovery import discover

RETRY_SECONDS = 2.0
Sleep = Callable[[float], Awaitable[object]]


class UpstreamList:
    """A list, fetched by one caller at a time while the others wait for it.

    `cards` None says that the list is unknown, which is not the same as empty. A list that was known stays so when its
    upstream can no longer be asked: it may be back before anybody wants what is new. While `attended` a stale list is
    as good as a fresh one, because somebody is already looking after it. `news` is called whenever it may say something
    else than before.
    """

    def __init__(self, upstream: Upstream, clock: Clock, log: Any, news: Callable[[], object]) -> None:
        self.upstream = upstream
        self.cards: list[ModelCard] | None = None
        self.attended = False
        self._by_id: dict[str, ModelCard] = {}
        self._by_key: dict[str, ModelCard] = {}
        self._clock = clock
        self._log = log
        self._news = news
        self._asked_at: float | None = None
        self._failure: GatewayError | None = None
        self._misses = 0
        self._outdated = False
        self._lock = anyio.Lock()

    @property
    def failure(self) -> GatewayError | None:
        """Why there is no list."""
        return self._failure if self.cards is None else None

    def named(self, model: str) -> ModelCard | None:
        """The model of exactly that name."""
        return self._by_id.get(model)

    def meant(self, model: str) -> ModelCard | None:
        """The model that the upstream's dialect takes `model` for."""
        keys = self.upstream.dialect.model_names(model)
        return next((self._by_key[key] for key in keys if key in self._by_key), None)

    @property
    def settled(self) -> bool:
        """Whether nobody need wait for it, and will not until `news` is called."""
        return self.attended and self._asked_at is not None and not self._outdated

    def outdate(self) -> None:
        """The upstream's models have changed: whoever asks next waits for the news."""
        self._outdated = True
        self._news()

    async def need(self, older_than_seconds: float) -> None:
        """See that there is a list not older than that, or that it is at least attended to. Never raises."""
        if not self.settled:
            await self.refresh(older_than_seconds)

    async def refresh(self, older_than_seconds: float) -> None:
        """Fetch the list if it is older than that. Never raises: see `failure`."""
        if self._fresh(older_than_seconds):
            return
        async with self._lock:
            if self._fresh(older_than_seconds):
                return
            self._outdated = False
            await self._fetch()
            self._asked_at = self._clock.monotonic()
            self._news()

    async def attend(self, every_seconds: float, sleep: Sleep) -> None:
        """Keep the list up to date until cancelled. Never raises.

        After a failure it asks again soon, then less and less often, so that a model server that comes back is noticed
        without a request.
        """
        while True:
            pause = self._pause(every_seconds)
            wait = 0.0 if self._asked_at is None else self._asked_at + pause - self._clock.monotonic()
            if wait > 0:
                await sleep(wait)
            else:
                await self.refresh(pause)

    def _pause(self, every_seconds: float) -> float:
        if not self._misses:
            return every_seconds
        return min(RETRY_SECONDS * 2.0 ** min(self._misses - 1, 30), every_seconds)

    def _fresh(self, older_than_seconds: float) -> bool:
        if self._asked_at is None or self._outdated:
            return False
        limit = min(older_than_seconds, RETRY_SECONDS) if self.cards is None else older_than_seconds
        return self._asked_at + limit > self._clock.monotonic()

    async def _fetch(self) -> None:
        try:
            cards = await discover(self.upstream, self.cards or ())
        except GatewayError as error:
            self._failed(error)
        except Exception as error:
            # Somebody's dialect or transport is broken. That must not end the refreshing, nor the host around it.
            self._log.error("model list failed", upstream=self.upstream.name, exc_info=error)
            self._failed(InternalError("The gateway failed to list the models.", detail=type(error).__name__))
        else:
            self._misses, self._failure = 0, None
            self.cards = cards
            self._by_id = {card.id: card for card in reversed(cards)}
            names = self.upstream.dialect.model_names
            self._by_key = {names(card.id)[0]: card for card in reversed(cards)}

    def _failed(self, error: GatewayError) -> None:
        self._failure = error
        self._misses += 1
