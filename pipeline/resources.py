"""The shared, named objects that stages use: what they must be able to do, whoever implements them."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

from pipeline.dialect import Dialect, ParameterRules
from pipeline.model_card import ModelCard
from pipeline.transport import UpstreamAnswer, UpstreamCall
from pipeline.wellknown import Principal, Target


class Upstream(Protocol):
    """A named model server: its dialect, the `profile` of it, and a way to call it. Raises what a `Transport` does."""

    name: str
    dialect: Dialect
    profile: str

    def send(self, call: UpstreamCall) -> Awaitable[UpstreamAnswer]: ...


class KeyStore(Protocol):
    """Turns a presented key into a principal, or None. Takes the same time for an unknown id and a wrong secret."""

    def check(self, key: str) -> Principal | None: ...


@dataclass(frozen=True, slots=True)
class Resolution:
    """What a requested model name means here: the name that access lists see, where it may be served, and with what."""

    model: str
    targets: tuple[Target, ...]
    parameters: ParameterRules | None = None


class Catalogue(Protocol):
    """The models that a gateway serves: aliases, wildcards, and the upstreams' own lists."""

    async def resolve(self, model: str) -> Resolution:
        """Raises `ModelNotFound` naming `model` and nothing of what else is served."""
        ...

    async def models(self, *, fresh: bool = False) -> list[ModelCard]:
        """Everything that `resolve` would accept by exact name, without duplicates.

        `fresh` waits for what the upstreams say now, for a question whose answer changes with every request.
        """
        ...

    def upstreams(self) -> tuple[str, ...]:
        """The names of the upstreams behind it, best first: where an operation goes that is about no known model."""
        ...

    def changed(self) -> None:
        """A caller has added or removed a model of an upstream: whoever asks next is told the news."""
        ...
