"""Pydantic's complaints, turned into problems at the right place (each `§`) with the nearest valid key."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipeline.config import Problem, validate
from pipeline.config.yaml12 import parse_yaml


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limit(Strict):
    requests: int
    per: Literal["key", "model"] = "key"


class Cat(Strict):
    kind: Literal["cat"] = "cat"
    meows: int = 0


class Dog(Strict):
    kind: Literal["dog"] = "dog"
    barks: int = 0


class Settings(Strict):
    base_url: str = "x"
    timeout: float = Field(default=1.0, gt=0)
    limits: list[Limit] = []
    named: dict[str, Limit] = {}
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    either: int | Limit | None = None
    written: str = Field(default="", alias="from")
    ports: dict[Annotated[str, Field(pattern="^p")], int] = {}
    pair: tuple[int, Limit] | None = None

    @field_validator("base_url")
    @classmethod
    def _has_no_space(cls, value: str) -> str:
        if " " in value:
            raise ValueError("must not contain spaces")
        return value


# text -> code, path, hint of each problem
FAULTS: dict[str, tuple[str, list[tuple[str, str, str | None]]]] = {
    "misspelt key": ("§base_ulr: x", [("unknown-key", "base_ulr", "base_url")]),
    "unknown key": ("§qqqq: {a: 1}", [("unknown-key", "qqqq", None)]),
    "misspelt alias": ("§form: x", [("unknown-key", "form", "from")]),
    "field name in place of its alias": ("§written: x", [("unknown-key", "written", None)]),
    "misspelt key in a list": ("limits: [{requests: 1, §pre: key}]", [("unknown-key", "limits[0].pre", "per")]),
    "misspelt key in a mapping": ("named: {per: {requests: 1, §pre: x}}", [("unknown-key", "named.per.pre", "per")]),
    "misspelt key in a tuple": ("pair: [1, {§pre: key, requests: 1}]", [("unknown-key", "pair[1].pre", "per")]),
    "misspelt required key is one fault": (
        "limits: [{§request: 1}]",
        [("unknown-key", "limits[0].request", "requests")],
    ),
    "misspelt key in a tagged union": ("pet: {kind: dog, §bark: 1}", [("unknown-key", "pet.bark", "barks")]),
    "key of another member": ("pet: {kind: dog, §meow: 1}", [("unknown-key", "pet.meow", None)]),
    "missing key": ("limits:\n  - §{}\n", [("missing", "limits[0].requests", None)]),
    "wrong type": ("timeout: §[1]", [("invalid-value", "timeout", None)]),
    "wrong type in a union's member": ("pet: {kind: cat, meows: §x}", [("invalid-value", "pet.meows", None)]),
    "unknown tag": ("pet: §{kind: cow}", [("invalid-value", "pet", None)]),
    "out of range": ("timeout: §0", [("invalid-value", "timeout", None)]),
    "not one of": ("limits: [{requests: 1, per: §user}]", [("invalid-value", "limits[0].per", None)]),
    "a validator's own": ("base_url: §'a b'", [("invalid-value", "base_url", None)]),
    "bad key": ("ports: {§x: 1}", [("invalid-value", "ports.x", None)]),
    "all at once": (
        "timeout: §x\nlimits: [§{}, {requests: §y}]\n§zzzz: 1\n",
        [
            ("invalid-value", "timeout", None),
            ("missing", "limits[0].requests", None),
            ("invalid-value", "limits[1].requests", None),
            ("unknown-key", "zzzz", None),
        ],
    ),
}


@pytest.mark.parametrize(("text", "expected"), FAULTS.values(), ids=FAULTS)
def test_fault_is_reported_at_its_place(text: str, expected: list[tuple[str, str, str | None]]) -> None:
    marks = []
    while (at := text.find("§")) >= 0:
        marks.append((text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)))
        text = text[:at] + text[at + 1 :]
    problems: list[Problem] = []
    node = parse_yaml(text, "f.yaml", problems)
    assert node is not None
    assert validate(node, Settings, path="top", problems=problems) is None
    assert [(p.code, p.path, p.hint, p.mark.line, p.mark.column) for p in problems] == [
        (code, f"top.{path}", hint, *mark) for (code, path, hint), mark in zip(expected, marks, strict=True)
    ]


def test_a_valid_tree_becomes_the_model() -> None:
    problems: list[Problem] = []
    node = parse_yaml("{base_url: y, limits: [{requests: '5'}], from: z}", "f.yaml", problems)
    assert node is not None
    settings = validate(node, Settings, path="p", problems=problems)
    assert problems == []
    assert settings == Settings.model_validate({"base_url": "y", "limits": [Limit(requests=5)], "from": "z"})


def test_a_plain_union_reports_each_way_it_failed_at_one_place() -> None:
    problems: list[Problem] = []
    node = parse_yaml("either: {requests: x}", "f.yaml", problems)
    assert node is not None
    assert validate(node, Settings, path="p", problems=problems) is None
    assert [(p.path, p.mark.column) for p in problems] == [("p.either", 9), ("p.either.requests", 20)]


def test_the_input_is_never_quoted() -> None:
    problems: list[Problem] = []
    node = parse_yaml("{timeout: hunter2, limits: hunter2, pet: {kind: cat, meows: hunter2}}", "f.yaml", problems)
    assert node is not None
    validate(node, Settings, path="p", problems=problems)
    assert len(problems) == 3
    assert "hunter2" not in repr(problems)


def test_a_missing_or_unknown_key_is_named() -> None:
    problems: list[Problem] = []
    node = parse_yaml("{limits: [{per: key}], zzzz: 1}", "f.yaml", problems)
    assert node is not None
    validate(node, Settings, path="p", problems=problems)
    assert [problem.message for problem in problems] == ["'requests' is required", "unknown key 'zzzz'"]


def test_the_message_is_pydantics_without_its_prefix() -> None:
    problems: list[Problem] = []
    node = parse_yaml("base_url: a b", "f.yaml", problems)
    assert node is not None
    validate(node, Settings, path="resources.upstreams.x", problems=problems)
    assert str(problems[0]) == "f.yaml:1:11 resources.upstreams.x.base_url: must not contain spaces"
