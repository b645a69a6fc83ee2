"""Files: suffixes, encodings, and the two formats beside YAML."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config import Node, Problem, find, plain
from pipeline.config.read import MAX_BYTES, read_tree
from pipeline.config.unplaced import parse_json, parse_toml


def read(folder: Path, name: str, content: str | bytes) -> tuple[Node | None, list[Problem]]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    problems: list[Problem] = []
    return read_tree(path, problems), problems


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("c.yaml", "a: {b: [1, x]}"),
        ("c.yml", "a: {b: [1, x]}"),
        ("C.YAML", "a: {b: [1, x]}"),
        ("c.yaml", b"\xef\xbb\xbfa: {b: [1, x]}"),
        ("c.yaml", "a:\r\n  b:\r\n    - 1\r\n    - x\r\n"),
        ("c.json", '{"a": {"b": [1, "x"]}}'),
        ("c.json", '{\n\t"a": {\n\t\t"b": [\n\t\t\t1,\n\t\t\t"x"\n\t\t]\n\t}\n}\n'),
        ("c.toml", '[a]\nb = [1, "x"]\n'),
    ],
)
def test_every_format_gives_the_same_tree(tmp_path: Path, name: str, content: str | bytes) -> None:
    node, problems = read(tmp_path, name, content)
    assert problems == []
    assert node is not None
    assert plain(node) == {"a": {"b": [1, "x"]}}


@pytest.mark.parametrize(
    ("name", "content", "code", "line", "column"),
    [
        ("c.ini", "a=1", "file-suffix", None, None),
        ("c", "a: 1", "file-suffix", None, None),
        ("c.yaml", "", "wrong-type", 1, 1),
        ("c.yaml", "# nothing\n", "wrong-type", 1, 1),
        ("c.yaml", "\n- a\n", "wrong-type", 2, 1),
        ("c.yaml", "just text", "wrong-type", 1, 1),
        ("c.yaml", b"a: 1\nb: \xff\n", "file-encoding", 2, 4),
        ("c.yaml", b"\xff\xfea\x00:\x00 \x001\x00", "file-encoding", 1, 1),
        ("c.yaml", "#" * (MAX_BYTES + 1), "too-large", None, None),
        ("c.json", "#" * (MAX_BYTES + 1), "too-large", None, None),
        ("c.json", "", "syntax", 1, 1),
        ("c.json", "[1]", "wrong-type", 1, 1),
        ("c.json", '{\n  "a": 1,\n}', "syntax", 3, 1),
        ("c.json", "{a: 1}", "syntax", 1, 2),
        ("c.json", '{"a": NaN}', "syntax", None, None),
        ("c.json", f'{{"a": {"9" * 5000}}}', "syntax", None, None),
        ("c.json", '{"a": 1,\n "a": 2}', "duplicate-key", 2, 2),
        ("c.json", f'{{"a": {"[" * 65}{"]" * 65}}}', "too-deep", 1, 71),
        ("c.json", f'{{"a": {"[" * 200_000}{"]" * 200_000}}}', "too-deep", None, None),
        ("c.toml", "a = 1\nb = = 2\n", "syntax", 2, 5),
        ("c.toml", "a = [", "syntax", None, None),
        ("c.toml", "a = 1\na = 2\n", "syntax", 2, 6),
        ("c.toml", f"a = {'9' * 5000}", "syntax", None, None),
        ("c.toml", "[a]\nb = 2024-01-01\n", "invalid-value", None, None),
        ("c.toml", "a = 12:30:00\n", "invalid-value", None, None),
        ("c.toml", f"a = {'[' * 100}{']' * 100}", "too-deep", None, None),
        ("c.toml", f"a = {'[' * 50_000}{']' * 50_000}", "too-deep", None, None),
    ],
)
def test_refused(
    tmp_path: Path, name: str, content: str | bytes, code: str, line: int | None, column: int | None
) -> None:
    _, problems = read(tmp_path, name, content)
    assert [(p.code, p.mark.line, p.mark.column) for p in problems] == [(code, line, column)]
    assert problems[0].mark.file == str(tmp_path / name)


def test_the_deepest_allowed_without_marks(tmp_path: Path) -> None:
    node, problems = read(tmp_path, "c.toml", f"a = {'[' * 64}{']' * 64}")
    assert (node is not None, problems) == (True, [])
    _, problems = read(tmp_path, "c.toml", f"a = {'[' * 65}{']' * 65}")
    assert [problem.code for problem in problems] == ["too-deep"]


def test_a_misspelt_suffix_gets_a_suggestion(tmp_path: Path) -> None:
    _, (problem,) = read(tmp_path, "c.yalm", "a: 1")
    assert problem.hint == ".yaml"


def test_a_missing_file(tmp_path: Path) -> None:
    problems: list[Problem] = []
    assert read_tree(tmp_path / "none.yaml", problems) is None
    assert [str(problem) for problem in problems] == [f"{tmp_path / 'none.yaml'}: no such file"]
    assert problems[0].code == "file-missing"


@pytest.mark.parametrize("name", ["folder.yaml", "nul\0.yaml"])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.yaml").mkdir()
    problems: list[Problem] = []
    assert read_tree(tmp_path / name, problems) is None
    assert [problem.code for problem in problems] == ["file-unreadable"]


def test_toml_problems_have_a_path_in_place_of_a_line(tmp_path: Path) -> None:
    _, (problem,) = read(tmp_path, "c.toml", "[[a.b]]\nc = 1\n[[a.b]]\nc = 2024-01-01\n")
    assert str(problem).startswith(f"{tmp_path / 'c.toml'} a.b[1].c: ")


def test_json_has_marks_when_yaml_can_read_it(tmp_path: Path) -> None:
    node, _ = read(tmp_path, "c.json", '{\n\t"a": {"b": [1, "x"]}\n}')
    assert node is not None
    mark = find(node, ("a", "b", 1))
    assert (mark.line, mark.column) == (2, 17)


@pytest.mark.parametrize(
    ("content", "data"),
    [
        ('{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),
        ('{"a"\n:\n1}', {"a": 1}),
        (json.dumps({"k" * 2000: 1}), {"k" * 2000: 1}),
        ('{"a": "x\u2028y"}', {"a": "x\u2028y"}),
    ],
)
def test_json_that_yaml_cannot_read_is_read_without_marks(tmp_path: Path, content: str, data: object) -> None:
    node, problems = read(tmp_path, "c.json", content)
    assert problems == []
    assert node is not None
    assert plain(node) == data


def test_json_that_yaml_cannot_read_still_has_no_duplicates(tmp_path: Path) -> None:
    _, problems = read(tmp_path, "c.json", '{"a": "\\ud83d\\ude00", "b": {"c": 1, "c": 2}}')
    assert [(p.code, p.mark.line, "'c'" in p.message) for p in problems] == [("duplicate-key", None, True)]


DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None)
@given(DATA, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_any_json_reads_back_equal(data: object, indent: int | str | None, ascii_only: bool) -> None:
    problems: list[Problem] = []
    node = parse_json(json.dumps(data, indent=indent, ensure_ascii=ascii_only), "f.json", problems)
    assert problems == []
    assert node is not None
    assert plain(node) == data


@settings(deadline=None)
@given(st.text() | st.text('[]{}=".,#ab1\n\\'))
def test_any_text_is_either_read_or_explained(text: str) -> None:
    for parse in (parse_json, parse_toml):
        problems: list[Problem] = []
        assert parse(text, "f", problems) is not None or problems
