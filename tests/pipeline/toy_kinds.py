"""Stages and resources for tests of the builder, and a folder in which to write configs that use them.

A `§` in a config stands at each place where a problem must be reported, in reading order.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from pipeline import (
    END,
    NOTES,
    Body,
    Handler,
    Host,
    Pipeline,
    Registry,
    Request,
    Response,
    Route,
    Row,
    SettingsError,
    Slot,
    StageSettings,
    spec_of,
    stage,
)
from pipeline.config import ConfigError, Problem
from tests.pipeline.fakes import LineDialect, words

FACT: Slot[str] = Slot("fact", "Written on the way down.")
NEWS: Slot[str] = Slot("news", "Written on the way up.")


class Passive:
    """The body of every toy stage: it lets everything pass."""

    class Settings(StageSettings):
        needs: str | None = Field(default=None, description="An upstream to ask for.")
        level: int = Field(default=0, description="Must not be 13.", ge=0)

    def __init__(self, settings: Any, host: Host) -> None:
        if settings.needs is not None:
            host.upstream(settings.needs)
        if settings.level == 13:
            raise SettingsError("level 13 cannot work", field="level")
        if settings.level == 14:
            raise SettingsError("nothing can work today")

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        return await call_next(request)


@stage("passes")
class Passes(Passive):
    """Reads and writes no slot."""


@stage("writes", writes=(FACT,))
class Writes(Passive):
    """Writes FACT on the way down."""


@stage("reads", reads=(FACT,))
class Reads(Passive):
    """Needs FACT."""


@stage("hears", response_reads=(NEWS,))
class Hears(Passive):
    """Needs NEWS on the way up."""


@stage("tells", response_writes=(NEWS,))
class Tells(Passive):
    """Writes NEWS on the way up."""


@stage("jots", reads=(NOTES,))
class Jots(Passive):
    """Reads the one slot that the engine writes."""


@stage("end", calls_next="never")
class End(Passive):
    """Answers by itself."""

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        return Response(Body.of([*words("hi"), END]))


class Thing:
    """A resource that may need another one; keeps the order in which things were built, started and stopped."""

    log: list[str] = []  # noqa: RUF012  # shared on purpose: it is the order across all things that matters

    class Settings(StageSettings):
        needs: str | None = Field(default=None, description="Another upstream.")
        size: int = Field(default=1, description="Must be positive.", gt=0)
        transport: str | None = Field(default=None, description="A transport kind to load.")

    def __init__(self, settings: Settings, host: Host, name: str) -> None:
        self.name = name
        if settings.needs is not None:
            host.upstream(settings.needs)
        if settings.transport is not None:
            host.transport(settings.transport, Any)  # type: ignore[arg-type]  # it fails before it looks
        if settings.size == 13:
            raise SettingsError("size 13 cannot work", field="size")
        self.log.append(f"build {name}")

    async def start(self) -> None:
        self.log.append(f"start {self.name}")

    async def stop(self) -> None:
        self.log.append(f"stop {self.name}")


class Models:
    """What is implied by an upstream: a catalogue of its own name."""

    class Settings(StageSettings):
        upstreams: list[str] = Field(description="Names.")

    def __init__(self, settings: Settings, host: Host, name: str) -> None:
        self.upstreams = [host.upstream(upstream) for upstream in settings.upstreams]


def registry() -> Registry:
    """Every toy kind, and one of each group whose import fails."""
    made = Registry(
        [
            Row("stage", "ghost", "no_such_module:Ghost"),
            Row("dialect", "ghost", "no_such_module:Ghost"),
            Row("upstreams", "ghost", "no_such_module:Ghost"),
            Row("transport", "ghost", "no_such_module:Ghost"),
        ]
    )
    for cls in (Passes, Writes, Reads, Hears, Tells, Jots, End):
        made = made.with_("stage", spec_of(cls).kind, cls)
    made = made.with_("upstreams", "http", Thing).with_("catalogues", "models", Models)
    for dialect in (LineDialect, OtherDialect, TwinDialect, ShyDialect):
        made = made.with_("dialect", dialect.name, dialect)
    return made


class OtherDialect(LineDialect):
    """The toy protocol on paths of its own."""

    name = "other"
    routes = (Route("POST", "/talk", "chat"),)


class TwinDialect(LineDialect):
    """The toy protocol on the same paths under another name."""

    name = "twin"


class ShyDialect(LineDialect):
    """The toy protocol without any path."""

    name = "shy"
    routes = ()


class Configs:
    """A folder of configs."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "gateway.yaml"
        Thing.log.clear()

    def build(self, text: str, **options: Any) -> Pipeline:
        self.path.write_text(text, "utf-8")
        return Pipeline.from_config(self.path, registry=registry(), environ={}, **options)

    def problems(self, text: str) -> Sequence[Problem]:
        with pytest.raises(ConfigError) as caught:
            self.build(text)
        return caught.value.problems

    def expect(self, text: str, *expected: str) -> Sequence[Problem]:
        """Exactly these problems, each `code` or `code hint`, one at each `§`."""
        marks: list[tuple[int, int]] = []
        while (at := text.find("§")) >= 0:
            marks.append((text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)))
            text = text[:at] + text[at + 1 :]
        problems = self.problems(text)
        found = [(p.mark.line, p.mark.column, p.code, p.hint) for p in problems]
        wanted = [(*mark, *said.partition(" ")[::2]) for mark, said in zip(marks, expected, strict=True)]
        hoped = [(line, column, code, hint or None) for line, column, code, hint in wanted]
        assert found == hoped, f"{found} instead of {hoped}"
        assert all(str(problem).startswith(f"{self.path}:{problem.mark.line}:") for problem in problems)
        return problems


def chain(*stages: str, dialect: str = "line", resources: str = "") -> str:
    """A config of one gateway with that chain, a stage a line."""
    lines = "".join(f"      - {each}\n" for each in stages)
    return f"version: 1\n{resources}gateways:\n  edge:\n    dialect: {dialect}\n    mount: /v1\n    chain:\n{lines}"
