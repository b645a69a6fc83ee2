"""`pipeline` is the only door: its list of names is exact, sorted, and enough for writing stages and dialects."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Iterator
from types import ModuleType

import pytest

import pipeline
from pipeline import (
    Catalogue,
    Decoder,
    Dialect,
    Encoder,
    Event,
    Host,
    KeyStore,
    Notes,
    Outcome,
    Request,
    Reservation,
    Response,
    Row,
    Source,
    Stage,
    StageSpec,
    Transport,
    Upstream,
)

# What somebody meets who writes a stage, a dialect, a transport or a resource.
FOR_AUTHORS = (
    *(Catalogue, Decoder, Dialect, Encoder, Event, Host, KeyStore, Notes, Outcome, Request, Reservation, Response),
    *(Row, Source, Stage, StageSpec, Transport, Upstream),
)


def sort_key(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def test_the_names_are_sorted_and_not_repeated() -> None:
    assert pipeline.__all__ == sorted(set(pipeline.__all__), key=sort_key)


@pytest.mark.parametrize("name", pipeline.__all__)
def test_every_name_can_be_imported(name: str) -> None:
    assert getattr(pipeline, name) is not None


def test_nothing_of_ours_lies_behind_the_door_unlisted() -> None:
    found = {
        name
        for name, value in vars(pipeline).items()
        # A submodule becomes an attribute of its package and is not meant by that.
        if not name.startswith("_") and not isinstance(value, ModuleType)
        if str(getattr(value, "__module__", type(value).__module__)).startswith("pipeline")
    }
    assert len(found) > 50
    assert found <= set(pipeline.__all__)


def test_a_name_that_is_not_there_is_told_like_any_other() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Pipelime'"):
        pipeline.Pipelime  # noqa: B018  # looking is the test


@pytest.mark.parametrize("name", pipeline.__all__)
def test_every_public_class_and_function_is_documented(name: str) -> None:
    value = getattr(pipeline, name)
    if (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__.startswith("pipeline"):
        doc = inspect.getdoc(value) or ""
        assert doc.strip()
        assert not doc.startswith(f"{name}("), "a dataclass writes a docstring of its own where there is none"


def named_in(annotation: object) -> Iterator[type]:
    """The classes that an annotation names, however deep."""
    if inspect.isclass(annotation):
        yield annotation
    for part in typing.get_args(annotation):
        yield from named_in(list(part) if isinstance(part, tuple) else part)
        if isinstance(part, list):
            for inner in part:
                yield from named_in(inner)


def met_by(cls: type) -> Iterator[tuple[str, type]]:
    """Every class of ours in the public signatures and fields of `cls`."""
    called = ("__init__", "__call__")
    for member in [cls, *(value for name, value in vars(cls).items() if name in called or name[0] != "_")]:
        function = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        try:
            hints = typing.get_type_hints(function)
        except TypeError:
            continue
        for hint in hints.values():
            for named in named_in(hint):
                if named.__module__.startswith("pipeline"):
                    yield getattr(function, "__qualname__", str(function)), named


@pytest.mark.parametrize("cls", FOR_AUTHORS, ids=lambda cls: cls.__name__)
def test_whatever_an_author_meets_in_a_signature_is_public(cls: type) -> None:
    assert [(where, named) for where, named in met_by(cls) if named.__name__ not in pipeline.__all__] == []


def test_the_search_through_signatures_finds_something() -> None:
    assert {("Dialect.encoder", Encoder), ("Dialect.encoder", Request)} <= set(met_by(Dialect))
    assert Response in {named for _, named in met_by(Stage)}


def test_the_toy_protocol_of_these_tests_needs_nothing_else() -> None:
    from tests.pipeline import fakes

    source = inspect.getsource(fakes)
    assert re.findall(r"^from (pipeline\S*) import", source, re.M) == ["pipeline"]
