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
class Face:
    """A dialect and where its paths begin below the mount: "" or `/v1`."""

    dialect: Dialect
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Gateway:
    """Built once, immutable, shared by all requests. `mount` is "" or begins with a slash.

    `faces` are the dialects that clients may speak to it, the main one first; all of them share the one chain.
    """

    name: str
    faces: tuple[Face, ...]
    mount: str
    links: tuple[Link, ...]
    handler: Handler

    @property
    def dialect(self) -> Dialect:
        """The main dialect: what embedded use speaks, and what errors of no known path are worded in."""
        return self.faces[0].dialect

    def speaks(self, name: str) -> Dialect:
        """The dialect of that name if it is one of the faces', else the main one."""
        for face in self.faces:
            if face.dialect.name == name:
                return face.dialect
        return self.dialect

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
            "faces": {face.dialect.name: self.mount + face.prefix or "/" for face in self.faces},
            "operations": sorted({route.operation for face in self.faces for route in face.dialect.routes}),
        }
