"""Any config, built without its surroundings: no network, no secrets, one key known.

Each kind of resource keeps its class, its settings and its checks; only what would reach out is replaced. So a mistake
in the config is found as always. A catalogue that has `upstreams` in its settings asks those, which are scripted, and
resolves as it does when it serves; any other serves every model.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from pipeline.model_card import ModelCard
from pipeline.registry import Registry
from pipeline.resources import Resolution
from pipeline.testing.kit_host import KEY
from pipeline.transport import UpstreamAnswer, UpstreamCall
from pipeline.wellknown import Principal, Target

Answering = Callable[[Any, UpstreamCall], UpstreamAnswer]


class AnyVariable(dict[str, str]):
    """An environment in which every variable is set, to what passes for an address and for a key."""

    def __missing__(self, name: str) -> str:
        return "http://127.0.0.1:1/v1"

    def __contains__(self, name: object) -> bool:
        return True

    def get(self, name: str, default: Any = None) -> Any:
        return self[name]


async def _nothing(self: object) -> None:
    return None


def with_shared_transports(registry: Registry) -> Registry:
    """Each transport is made once for the same options: that checks them, costs many milliseconds where there is TLS,
    and nothing is ever sent through it.
    """
    for kind in registry.kinds("transport"):
        registry = registry.with_("transport", kind, cache(registry.load("transport", kind)))
    return registry


def with_stand_ins(registry: Registry, answer: Answering, passed: Callable[[str], Any]) -> Registry:
    """`answer` is asked for each call of an upstream; `passed` gives the await for a named point."""

    async def send(self: Any, call: UpstreamCall) -> UpstreamAnswer:
        await passed("send")
        return answer(self, call)

    async def resolve(self: Any, model: str) -> Resolution:
        await passed("resolve")
        return Resolution(model, (Target(self.upstreams()[0], f"{model}-there"),))

    async def models(self: Any, *, fresh: bool = False) -> list[ModelCard]:
        await passed("models")
        return [ModelCard("a"), ModelCard("b", loaded={})]

    def check(self: Any, key: str) -> Principal | None:
        return Principal("kit-caller") if key == KEY else None

    # Without its background work a catalogue asks when it is asked: the same, whichever loop it is on.
    quiet = {"start": _nothing, "stop": _nothing}
    replaced: dict[str, dict[str, Any]] = {
        "upstreams": {**quiet, "send": send},
        "catalogues": {**quiet, "resolve": resolve, "models": models, "changed": lambda self: None},
        "keys": {"check": check},
    }
    for group, methods in replaced.items():
        for kind in registry.kinds(group):
            cls = registry.load(group, kind)
            ours = quiet if group == "catalogues" and "upstreams" in cls.Settings.model_fields else methods
            registry = registry.with_(group, kind, type(cls.__name__, (cls,), ours))
    return registry
