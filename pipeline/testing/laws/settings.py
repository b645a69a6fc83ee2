"""L1: what a stage's settings promise their reader."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel, SecretBytes, SecretStr, ValidationError

from pipeline.testing.law import law
from pipeline.testing.strategies import scenarios
from pipeline.testing.world import World


@law(
    "L1",
    "Settings survive a round trip, and every field is described",
    scenarios=scenarios,
)
async def settings_round_trip(world: World) -> None:
    """`Settings` is what users write: the reference, the schema and the lints are made of it. So every field has a
    description, unknown keys are refused, an instance cannot be changed, and what is dumped reads back as the same.
    """
    settings = world.scenario.settings
    cls: Any = type(settings)
    undescribed = _undescribed(cls)
    assert not undescribed, f"no description: {', '.join(undescribed)}"
    assert cls.model_validate(settings.model_dump()) == settings, "what is dumped does not read back as the same"
    if not _holds_secret(settings):
        assert cls.model_validate_json(settings.model_dump_json()) == settings, "as JSON it does not read back the same"
    _refuses_what_it_must(cls, settings)


@cache
def _undescribed(cls: type[BaseModel]) -> list[str]:
    """Fields without a description. Raises what making a schema of it does."""
    cls.model_json_schema()
    return [f"{owner.__qualname__}.{name}" for owner, name in _fields(cls) if not _description(owner, name)]


def _refuses_what_it_must(cls: type[BaseModel], settings: BaseModel) -> None:
    assert cls.model_config.get("frozen"), "an instance can be changed: derive Settings from StageSettings"
    try:
        cls.model_validate({**settings.model_dump(), "kit_unknown": 1})
    except ValidationError:
        return
    raise AssertionError("unknown keys are accepted, so a misspelt setting is ignored: derive it from StageSettings")


def _fields(cls: type[BaseModel], seen: frozenset[type] = frozenset()) -> Iterator[tuple[type[BaseModel], str]]:
    for name, field in cls.model_fields.items():
        yield cls, name
        for inner in _models_in(field.annotation):
            if inner not in seen:
                yield from _fields(inner, seen | {cls, inner})


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models_in(inner)


def _description(cls: type[BaseModel], name: str) -> str | None:
    return (cls.model_fields[name].description or "").strip() or None


def _holds_secret(value: Any) -> bool:
    if isinstance(value, SecretStr | SecretBytes):
        return True
    if isinstance(value, BaseModel):
        return any(map(_holds_secret, value.__dict__.values()))
    if isinstance(value, dict):
        return any(map(_holds_secret, value.values()))
    return isinstance(value, list | tuple) and any(map(_holds_secret, value))
