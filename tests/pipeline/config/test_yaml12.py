"""The YAML reader: what scalars mean, what is refused and where, and that any JSON data comes back unchanged."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import Node, Problem, find, plain, yaml12
from pipeline.config.tree import walk


def read(text: str) -> tuple[Node | None, list[Problem]]:
    problems: list[Problem] = []
    return yaml12.parse_yaml(text, "f.yaml", problems), problems


SCALARS: dict[str, Any] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "nUll": "nUll",
    "true": True,
    "True": True,
    "TRUE": True,
    "tRue": "tRue",
    "false": False,
    "False": False,
    "FALSE": False,
    "yes": "yes",
    "no": "no",
    "on": "on",
    "off": "off",
    "y": "y",
    "N": "N",
    "0": 0,
    "-0": 0,
    "010": 10,
    "+7": 7,
    "-12": -12,
    "0o10": 8,
    "0o8": "0o8",
    "-0o10": "-0o10",
    "0x1F": 31,
    "0xG": "0xG",
    "0b11": "0b11",
    "1_000": "1_000",
    "12:30:45": "12:30:45",
    "1e3": 1000.0,
    "1E-2": 0.01,
    "+1.5": 1.5,
    "-.5": -0.5,
    ".5": 0.5,
    "5.": 5.0,
    ".": ".",
    ".e3": ".e3",
    "1.2.3": "1.2.3",
    ".inf": math.inf,
    ".Inf": math.inf,
    "+.INF": math.inf,
    "-.inf": -math.inf,
    "inf": "inf",
    "nan": "nan",
    "-.nan": "-.nan",
    "2024-01-01": "2024-01-01",
    "2024-01-01T00:00:00Z": "2024-01-01T00:00:00Z",
    "600/minute": "600/minute",
    "=": "=",
    "٣": "٣",
    "'5'": "5",
    '"true"': "true",
    "''": "",
    '"\\u00e9\\x41\\/"': "éA/",
    "|\n  no\n": "no\n",
    ">-\n  10\n": "10",
}


@pytest.mark.parametrize("loader", [yaml12._LOADER, yaml.SafeLoader])
@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_scalar(text: str, value: object, loader: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml12, "_LOADER", loader)
    node, problems = read(f"key: {text}")
    assert problems == []
    assert node is not None
    found = plain(node)["key"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize("text", [".nan", ".NaN", ".NAN"])
def test_not_a_number(text: str) -> None:
    node, _ = read(text)
    assert node is not None
    assert math.isnan(plain(node))


# Each problem stands at its §; the value is what the rest of the file still yields (None: nothing).
REFUSED: dict[str, tuple[str, list[str], Any]] = {
    "duplicate key": ("a: 1\nb: 2\n§a: 3\n", ["duplicate-key"], {"a": 1, "b": 2}),
    "each duplicate": ("{a: 1, §a: 2, §'a': 3}", ["duplicate-key", "duplicate-key"], {"a": 1}),
    "duplicate below": ("x:\n  - {a: 1, §a: 1}\n", ["duplicate-key"], {"x": [{"a": 1}]}),
    "same key on two levels is fine": ("a: {a: {a: 1}}", [], {"a": {"a": {"a": 1}}}),
    "number as key": ("§1: a\nb: c\n", ["non-string-key"], {"b": "c"}),
    "boolean as key": ("§true: a", ["non-string-key"], {}),
    "null as key": ("§~: a", ["non-string-key"], {}),
    "list as key": ("? §[a, b]\n: c\nd: e\n", ["non-string-key"], {"d": "e"}),
    "mapping as key": ("{§{a: b}: c}", ["non-string-key"], {}),
    "quoted number as key is fine": ("'1': a", [], {"1": "a"}),
    "no is text, also as key": ("no: a", [], {"no": "a"}),
    "tag on a scalar": ("a: §!!int '5'\nb: 1", ["explicit-tag"], None),
    "tag on a string": ("a: §!!str 5", ["explicit-tag"], None),
    "tag of one's own": ("a: §!secret x", ["explicit-tag"], None),
    "tag without a name": ("a: §! x", ["explicit-tag"], None),
    "python tag": ("a: §!!python/object/apply:os.system [x]", ["explicit-tag"], {"a": ["x"]}),
    "tag on a mapping": ("a: §!!map {b: 1, §b: 2}", ["explicit-tag", "duplicate-key"], {"a": {"b": 1}}),
    "tag on a key": ("§!!str a: 1", ["explicit-tag"], {}),
    "merge key": ("x: &x {a: 1}\ny:\n  §<<: *x\n  b: 2\n", ["merge-key"], {"x": {"a": 1}, "y": {"b": 2}}),
    "quoted merge key is a key": ("'<<': 1", [], {"<<": 1}),
    "alias": ("x: &x [1, {a: b}]\ny: *x\n", [], {"x": [1, {"a": "b"}], "y": [1, {"a": "b"}]}),
    "alias as a key": ("x: &x k\ny: {*x : 1}\n", [], {"x": "k", "y": {"k": 1}}),
    "anchor set anew": ("a: &x 1\nb: &x 2\nc: *x\n", [], {"a": 1, "b": 2, "c": 2}),
    "unknown alias": ("a: §*x\nb: 1\n", ["syntax"], None),
    "recursive list": ("a: &x [1, §*x]\n", ["recursive-alias"], None),
    "recursive mapping": ("a: &x\n  b: &y {c: §*x, d: §*y}\n", ["recursive-alias", "recursive-alias"], None),
    "second document": ("a: 1\n§---\nb: 2\n", ["many-documents"], {"a": 1}),
    "one marked document is fine": ("%YAML 1.2\n---\na: 1\n...\n", [], {"a": 1}),
    "unclosed list": ("a: [1, 2\n§", ["syntax"], None),
    "bad indentation": ("a: 1\n  b§: 2\n", ["syntax"], None),
    "tab for indentation": ("a:\n§\tb: 1\n", ["syntax"], None),
    "unclosed quote": ("a: 'b\n§", ["syntax"], None),
    "no such escape": ('a: "§\\q"', ["syntax"], None),
    "reserved character": ("a: §@b", ["syntax"], None),
    "reference in a flow mapping must be quoted": ("a: {b: $§{env:X}}", ["syntax"], None),
    "zero byte": ("a: b\nc: d§\0", ["syntax"], None),
    "line separator": ("a: 'é§\u2028'", ["syntax"], None),
    "next line": ("a: '§\x85'", ["syntax"], None),
    "deep": ("[" * 65 + "§[" + "]" * 66, ["too-deep"], None),
    "deep mappings": ("{a: " * 64 + "{§a: 1" + "}" * 65, ["too-deep"], None),
    "deep through aliases": (f"x: &x {'[' * 40}{']' * 40}\ny: {'[' * 40}§*x{']' * 40}", ["too-deep"], None),
    "number without end": (f"a: §{'9' * 5000}\nb: 1", ["invalid-value"], None),
    "alias limit": ("x: &x [1, 2, 3, 4]\ny: [" + "*x, " * 200 + "§*x]", ["alias-limit"], None),
}


@pytest.mark.parametrize(("text", "codes", "value"), REFUSED.values(), ids=REFUSED)
def test_refused(text: str, codes: list[str], value: object) -> None:
    marks = []
    while (at := text.find("§")) >= 0:
        marks.append((text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)))
        text = text[:at] + text[at + 1 :]
    node, problems = read(text)
    assert [(problem.code, problem.mark.line, problem.mark.column) for problem in problems] == [
        (code, *mark) for code, mark in zip(codes, marks, strict=True)
    ]
    if value is not None:
        assert node is not None
        assert plain(node) == value


def test_deepest_allowed() -> None:
    node, problems = read("[" * 65 + "]" * 65)
    assert (node is not None, problems) == (True, [])


def test_a_duplicate_names_both_places() -> None:
    _, (problem,) = read("a: 1\nb: 2\na: 3\n")
    assert str(problem) == "f.yaml:3:1 a: 'a' is already set at f.yaml:1:1"


def test_a_thousand_laughs_stay_cheap() -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 60)]
    node, problems = read("\n".join(lines))
    assert (node, [problem.code for problem in problems]) == (None, ["alias-limit"])


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n"])
def test_an_empty_file_is_null(text: str) -> None:
    node, problems = read(text)
    assert node is not None
    assert (node.value, problems) == (None, [])


def test_marks_count_characters_from_one() -> None:
    node, _ = read("ключ:\n  - {ä: 'öö', b: [1, two]}\n")
    assert node is not None
    marks = {
        (): (1, 1),
        ("ключ",): (2, 3),
        ("ключ", 0): (2, 5),
        ("ключ", 0, "ä"): (2, 9),
        ("ключ", 0, "b"): (2, 18),
        ("ключ", 0, "b", 1): (2, 22),
    }
    for loc, (line, column) in marks.items():
        mark = find(node, loc)
        assert (mark.file, mark.line, mark.column) == ("f.yaml", line, column), loc
    key = find(node, ("ключ", 0, "b"), key=True)
    assert (key.line, key.column) == (2, 15)


def test_an_alias_is_marked_where_its_value_is_written() -> None:
    node, _ = read("x: &x {a: 1}\ny: *x\n")
    assert node is not None
    assert find(node, ("y", "a")) == find(node, ("x", "a"))


# Escaped surrogate pairs and keys over 1024 characters are JSON and not YAML (`.json` files fall back: test_read.py).
TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=100)
DATA = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner)
)


@settings(deadline=None)
@given(DATA, st.sampled_from([None, 2, 0]))
def test_json_data_reads_back_equal_with_marks_inside_the_file(data: object, indent: int | None) -> None:
    text = json.dumps(data, indent=indent)
    node, problems = read(text)
    assert problems == []
    assert node is not None
    assert plain(node) == data
    lines = text.split("\n")
    for below in walk(node):
        for mark in (below.mark, *below.keys.values()):
            assert mark.line is not None
            assert mark.column is not None
            assert 1 <= mark.column <= len(lines[mark.line - 1])


@settings(deadline=None)
@given(st.text() | st.text("ab1:- \t\n[]{}&*#?|><\"'!,%@`~$.\\"))
def test_any_text_is_either_read_or_explained(text: str) -> None:
    node, problems = read(text)
    assert node is not None or problems
