"""A gateway: a folded chain, the dialect it speaks to clients, and the path it is mounted on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.dialect import Dialect
from pipeline.errors import GatewayError
from pipeline.log import NAME
from pipeline.stage import Handler, Stage


@dataclass(frozen=True, slots=True)
class Link:
    """One stage of a chain, with the id by which edits and errors name it."""

    id: str
    kind: str
    stage: Stage


@dataclass(frozen=True, slots=True)
class Gateway:
    """Built once, immutable, shared by all requests. `mount` is "" or begins with a slash."""

    name: str
    dialect: Dialect
    mount: str
    links: tuple[Link, ...]
    handler: Handler

    async def models(self) -> list[str]:
        """The names of the models served here; empty when they cannot be had: discovery must not fail."""
        for link in self.links:
            list_models = getattr(link.stage, "models", None)
            if list_models is not None:
                try:
                    return [card.id for card in await list_models()]
                except GatewayError:
                    return []
                except Exception as error:
                    logging.getLogger(NAME).error("gateway %s cannot list its models", self.name, exc_info=error)
                    return []
        return []

    def stage_where(self, error: BaseException) -> str | None:
        """The id of the innermost stage that `error` came through, or None. Looked up only when something failed."""
        ids = {id(link.stage): link.id for link in self.links}
        found = None
        at = error.__traceback__
        while at is not None:
            found = ids.get(id(at.tb_frame.f_locals.get("self")), found)
            at = at.tb_next
        return found

    def describe(self) -> Mapping[str, object]:
        """What discovery shows of this gateway; no settings, since they may hold secrets."""
        return {
            "name": self.name,
            "dialect": self.dialect.name,
            "mount": self.mount or "/",
            "operations": sorted({route.operation for route in self.dialect.routes}),
        }
