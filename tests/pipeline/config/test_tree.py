"""Finding places in a tree, writing them down, and hiding what came from outside the file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipeline.config import ConfigError, Mark, Node, Problem, SecretText, dotted, find, nearest, plain
from pipeline.config import problems as problems_module
from pipeline.config.tree import trace
from pipeline.config.yaml12 import parse_yaml

TEXT = "a:\n  b: [x, {c: 1}]\n  kind: http\n"


def tree() -> Node:
    node = parse_yaml(TEXT, "f.yaml", [])
    assert node is not None
    return node


@pytest.mark.parametrize(
    ("loc", "line", "column"),
    [
        ((), 1, 1),
        (("a",), 2, 3),
        (("a", "b"), 2, 6),
        (("a", "b", 1, "c"), 2, 14),
        (("a", "b", 1, "zzz"), 2, 10),
        (("a", "b", 9), 2, 6),
        (("a", "b", -1), 2, 6),
        (("zzz",), 1, 1),
        (("a", "http", "b"), 2, 6),
        (("a", "b", 0, "str"), 2, 7),
    ],
)
def test_find_gives_the_deepest_mark_there_is(loc: tuple[str | int, ...], line: int, column: int) -> None:
    assert find(tree(), loc) == Mark("f.yaml", line, column)


@pytest.mark.parametrize(
    ("loc", "line", "column"),
    [
        (("a",), 1, 1),
        (("a", "b"), 2, 3),
        (("a", "b", 1, "c"), 2, 11),
        (("a", "zzz"), 2, 3),
        (("a", "b", 0), 2, 7),
        ((), 1, 1),
    ],
)
def test_find_key_gives_the_keys_mark_or_else_the_values(loc: tuple[str | int, ...], line: int, column: int) -> None:
    assert find(tree(), loc, key=True) == Mark("f.yaml", line, column)


def test_trace_steps_over_what_is_not_there() -> None:
    real, node = trace(tree(), ("a", "function-after", "b", 1, "Model", "c"))
    assert (real, node.value) == (["a", "b", 1, "c"], 1)


@pytest.mark.parametrize(
    ("loc", "path"),
    [
        ((), ""),
        (("gateways", "edge", "chain", 1, "auth"), "gateways.edge.chain[1].auth"),
        ((0, "a"), "[0].a"),
        (("a-b", "c_d"), "a-b.c_d"),
        (("a", "gpt-4.1", "x y"), "a['gpt-4.1']['x y']"),
        (("a\nb",), "['a\\nb']"),
    ],
)
def test_dotted(loc: tuple[str | int, ...], path: str) -> None:
    assert dotted(loc) == path


def test_dotted_continues_a_path() -> None:
    assert dotted(("a", 0), "top[1]") == "top[1].a[0]"
    assert dotted((0,), "top") == "top[0]"
    assert dotted((), "top") == "top"


def test_plain_gives_ordinary_text() -> None:
    secret = Node({"k": Node([Node(SecretText("s3"), Mark("f"))], Mark("f"))}, Mark("f"))
    data = plain(secret)
    assert data == {"k": ["s3"]}
    assert type(data["k"][0]) is str


def test_reprs_say_where_and_not_what() -> None:
    assert repr(Node(SecretText("s3"), Mark("f", 1, 2))) == "Node(SecretText at f:1:2)"
    assert repr(Node("s3", Mark("f", 1, 2))) == "Node(str at f:1:2)"
    assert f"{SecretText('s3')!r}" == "'***'"


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("c", Mark("f.yaml", 3, 5), "a.b", "is bad"), "f.yaml:3:5 a.b: is bad"),
        (Problem("c", Mark("f.yaml", 3, 5), "a.b", "is bad", "abc"), "f.yaml:3:5 a.b: is bad (did you mean 'abc'?)"),
        (Problem("c", Mark("f.toml"), "a.b", "is bad"), "f.toml a.b: is bad"),
        (Problem("c", Mark("f.yaml", 3, 5), "", "is bad"), "f.yaml:3:5: is bad"),
        (Problem("c", Mark("f.yaml"), "", "is bad"), "f.yaml: is bad"),
    ],
)
def test_problem_as_text(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_an_error_sorts_by_place_and_drops_repeats() -> None:
    first, second, third = (
        Problem("c", Mark("f", line, column), "", "m") for line, column in ((2, 9), (10, 1), (10, 2))
    )
    nowhere, other = Problem("c", Mark("f"), "", "m"), Problem("c", Mark("g", 1, 1), "", "m")
    error = ConfigError([other, third, second, third, first, nowhere])
    assert error.problems == (nowhere, first, second, third, other)


@pytest.mark.parametrize(
    ("name", "candidates", "found"),
    [
        ("gatways", ["version", "gateways"], "gateways"),
        ("authentcate", ["authenticate", "attempt"], "authenticate"),
        ("zzz", ["version", "gateways"], None),
        ("x", [], None),
        ("hunter3", [SecretText("hunter2")], None),
    ],
)
def test_nearest(name: str, candidates: list[str], found: str | None) -> None:
    assert nearest(name, iter(candidates)) == found


def test_every_code_in_use_is_documented() -> None:
    folder = Path(problems_module.__file__).parent
    used = set()
    for source in folder.glob("*.py"):
        used |= set(re.findall(r'(?:Problem|report|_report|_stop)\(\s*"([a-z-]+)"', source.read_text("utf-8")))
    documented = set(
        re.findall(r"[a-z]+(?:-[a-z]+)+|syntax|missing|conflict", (problems_module.__doc__ or "").split("files", 1)[1])
    )
    assert used == documented
