"""What a kind says about itself, as values: the Markdown of the documentation and the terminal render the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from pipeline.dialect import Route
from pipeline.reference.wording import default_of, doc, summary, type_of
from pipeline.registry import Row
from pipeline.slots import Slot
from pipeline.stage import StageSpec

SETTING = ("setting", "type", "default", "what it is")


@dataclass(frozen=True, slots=True)
class Settings:
    """One table of settings, a row for each as `SETTING` heads them; `name` and `summary` are those of its model."""

    name: str
    summary: str
    rows: Sequence[tuple[str, str, str, str]]


@dataclass(frozen=True, slots=True)
class Described:
    """A kind. `settings` begins with its own, followed by the models that those hold; empty if it has no `Settings`.

    `routes` are those of a dialect's face, `profiles` its variants.
    """

    row: Row
    doc: str
    summary: str
    promises: Sequence[str]
    settings: Sequence[Settings]
    routes: Sequence[Route]
    profiles: Sequence[str]


def describe(row: Row, implementation: Any) -> Described:
    """Read a kind's class. It is somebody else's: what it lacks is left out. Nothing is built."""
    spec = getattr(implementation, "spec", None)
    model = getattr(implementation, "Settings", None)
    return Described(
        row,
        doc(implementation),
        summary(implementation),
        _promises(spec) if isinstance(spec, StageSpec) else (),
        tuple(_settings(model)),
        tuple(getattr(implementation, "routes", ())),
        tuple(getattr(implementation, "profiles", ())),
    )


def _promises(spec: StageSpec) -> Sequence[str]:
    """What the stage declares, a sentence each."""
    said = [f"Calls next: {spec.calls_next.replace('_', ' ')}."]
    for label, slots in (
        ("Reads", spec.reads),
        ("Reads if it is there", spec.may_read),
        ("Writes", spec.writes),
        ("Reads on the way up", spec.response_reads),
        ("Writes on the way up", spec.response_writes),
    ):
        if slots:
            said.append(f"{label}: {_names(slots)}.")
    if spec.expands:
        said.append("May turn one event into several.")
    return said


def _names(slots: Iterable[Slot[Any]]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(slot.name for slot in slots))


def _settings(model: Any) -> Iterator[Settings]:
    """The model, then those it holds, however deep; each once, as a model may hold itself. Nothing if it is none."""
    seen: dict[type[BaseModel], None] = {}
    for own in _models_in(model):
        _gather(own, seen)
    for each in seen:
        rows = [
            (f"`{name}`", type_of(field), default_of(field), field.description or "")
            for name, field in each.model_fields.items()
        ]
        yield Settings(each.__name__, summary(each), rows)


def _gather(model: type[BaseModel], seen: dict[type[BaseModel], None]) -> None:
    if model not in seen:
        seen[model] = None
        for field in model.model_fields.values():
            for inner in _models_in(field.annotation):
                _gather(inner, seen)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if _is_model(annotation):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _is_model(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, BaseModel)
