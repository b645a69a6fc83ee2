"""A tool's schema in the keywords that reach the model (protocol.md 1.4, pitfall 35)."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.dialects.ollama.tool_schemas import plain_schema

VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
REFS = st.sampled_from(["#", "#/$defs/a", "#/$defs/b", "#/properties/x", "#/nowhere", "https://example.com/s", "#a"])
NODES = st.recursive(
    st.fixed_dictionaries(
        {}, optional={"type": VALUES, "description": VALUES, "default": VALUES, "$ref": REFS | VALUES}
    ),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.sampled_from("xyz"), inner | VALUES) | VALUES,
            "items": inner | VALUES,
            "anyOf": st.lists(inner | VALUES, max_size=2) | VALUES,
            "oneOf": st.lists(inner, max_size=2),
            "allOf": st.lists(inner | VALUES, max_size=2),
            "$defs": st.dictionaries(st.sampled_from("ab"), inner),
            "$ref": REFS,
            "const": VALUES,
            "enum": VALUES,
            "required": st.lists(VALUES, max_size=2) | VALUES,
        },
    ),
    max_leaves=12,
)


def plain(**properties: Any) -> Any:
    definitions = properties.pop("defs", {})
    return plain_schema({"type": "object", "properties": properties, "$defs": definitions})["properties"]


@pytest.mark.parametrize("schema", [{}, {"type": None}, {"type": ""}, {"properties": None}, {"properties": []}])
def test_a_type_and_properties_are_always_there(schema: dict[str, Any]) -> None:
    assert plain_schema(schema) == {"type": "object", "properties": {}}


def test_what_reaches_the_model_is_left_alone() -> None:
    schema = {
        "type": "object",
        "required": ["a"],
        "properties": {
            "a": {"type": ["string", "null"], "description": "A", "enum": ["x"]},
            "b": {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}},
            "c": {"type": "object", "properties": {"d": {"type": "number"}}, "required": ["d"]},
        },
    }
    assert plain_schema(schema) == schema


@pytest.mark.parametrize(
    ("constraint", "words"),
    [
        ({"default": "é\u2028"}, 'default: "é\\u2028"'),
        ({"default": None}, "default: null"),
        ({"format": "date"}, 'format: "date"'),
        ({"pattern": "^a$"}, 'pattern: "^a$"'),
        ({"minimum": 0, "maximum": 1.5}, "minimum: 0; maximum: 1.5"),
        ({"maximum": 1, "exclusiveMinimum": 0}, "maximum: 1; exclusiveMinimum: 0"),
        ({"exclusiveMaximum": 9, "examples": [3]}, "exclusiveMaximum: 9; examples: [3]"),
        ({"minLength": 1, "maxLength": 2, "multipleOf": 3}, "multipleOf: 3; minLength: 1; maxLength: 2"),
        ({"minItems": 1, "maxItems": 2, "uniqueItems": True}, "minItems: 1; maxItems: 2; uniqueItems: true"),
    ],
)
def test_what_would_be_stripped_is_said_in_words(constraint: dict[str, Any], words: str) -> None:
    assert plain(x={**constraint}) == {"x": {**constraint, "description": words}}
    described = plain(x={"description": "An x", **constraint})
    assert described == {"x": {**constraint, "description": f"An x ({words})"}}
    deep = plain(a={"items": {"anyOf": [{"properties": {"x": constraint}}]}})
    assert deep["a"]["items"]["anyOf"][0]["properties"]["x"]["description"] == words


def test_the_words_are_bounded() -> None:
    long = plain(x={"default": "a" * 5_000})["x"]["description"]
    assert long == 'default: "' + "a" * 199 + "..."
    most = dict.fromkeys(("default", "format", "pattern", "minimum", "maximum"), "a" * 500)
    assert len(plain(x=most)["x"]["description"]) == 600


def test_a_constant_is_a_choice_of_one() -> None:
    assert plain(x={"const": None}) == {"x": {"const": None, "enum": [None]}}
    assert plain(x={"const": 1, "enum": [1, 2]})["x"]["enum"] == [1, 2]


def test_one_of_is_any_of() -> None:
    assert plain(x={"oneOf": [{"minimum": 1}]})["x"]["anyOf"] == [{"minimum": 1, "description": "minimum: 1"}]


def test_all_of_is_put_together() -> None:
    found = plain_schema(
        {
            "allOf": [
                {"properties": {"a": {"type": "string"}, "b": {}}, "required": ["a"], "description": "1"},
                {"properties": {"b": {"type": "number"}}, "required": ["b"], "type": "object"},
            ],
            "description": "own",
            "required": ["c"],
        }
    )
    assert found == {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "number"}},
        "required": ["a", "b", "c"],
        "description": "own",
    }


def test_references_are_put_in_place() -> None:
    defs = {"Place": {"type": "object", "properties": {"at": {"$ref": "#/$defs/a~1b~0c"}}}, "a/b~c": {"minimum": 1}}
    place = {"type": "object", "properties": {"at": {"minimum": 1, "description": "minimum: 1"}}}
    assert plain(x={"$ref": "#/$defs/Place", "description": "Own"}, defs=defs)["x"] == {**place, "description": "Own"}
    assert plain(x={"allOf": [{"$ref": "#/$defs/Place"}]}, defs=defs)["x"] == place
    assert "$defs" not in plain_schema({"$defs": defs, "definitions": {}})
    whole = plain_schema({"$ref": "#/$defs/Place", "$defs": defs})
    assert whole == place


@pytest.mark.parametrize("ref", ["https://example.com/s", "#/nowhere", "#/$defs/Text", 5, "#/$defs/Place/type/x"])
def test_a_reference_to_nothing_stays(ref: Any) -> None:
    assert plain(x={"$ref": ref}, defs={"Text": "no schema", "Place": {"type": "t"}}) == {"x": {"$ref": ref}}


def test_a_reference_to_itself_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
    assert plain(x={"$ref": "#/$defs/Node"}, defs={"Node": node})["x"] == node
    loop = {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}
    assert plain(x={"$ref": "#/$defs/a"}, defs=loop) == {"x": {"$ref": "#/$defs/a"}}


def test_a_few_references_cannot_stand_for_very_much() -> None:
    defs = {f"d{n}": {"properties": {x: {"$ref": f"#/$defs/d{n + 1}"} for x in "abcd"}} for n in range(20)}
    found = plain(x={"$ref": "#/$defs/d0"}, defs=defs)
    assert len(json.dumps(found)) < 200_000


def test_nesting_without_end_is_no_trap() -> None:
    deep: Any = {"default": 1}
    for _ in range(50_000):
        deep = {"items": deep}
    found = plain(x=deep)["x"]
    for _ in range(100):
        found = found["items"]
    assert "items" in found
    value: Any = []
    for _ in range(50_000):
        value = [value]
    assert list(plain(x={"default": value, "minimum": 1})["x"]) == ["default", "minimum", "description"]


@given(NODES)
def test_any_schema_becomes_one_and_stays_what_it_was(schema: dict[str, Any]) -> None:
    before = copy.deepcopy(schema)
    found = plain_schema(schema)
    assert schema == before
    assert plain_schema(schema) == found
    assert found["type"]
    assert isinstance(found["properties"], dict)
    json.dumps(found)
