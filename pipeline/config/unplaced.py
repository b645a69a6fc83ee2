"""Text -> tree for formats whose library keeps no positions: TOML, and JSON that the YAML reader cannot take.

Values get a mark with a file and no line; the path in each problem has to do. Syntax errors still have a position.
"""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

from pipeline.config.problems import Problem
from pipeline.config.tree import Loc, Mark, Node, Unresolved, dotted
from pipeline.config.yaml12 import MAX_DEPTH, parse_yaml

_TOML_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def parse_toml(text: str, file: str, problems: list[Problem]) -> Node | None:
    """A TOML document. Dates and times are refused: no setting takes one, and the other formats have none."""
    try:
        data = tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, or a number with too many digits
        position = _TOML_POSITION.search(str(error))
        line, column = position.groups() if position else (None, None)
        mark = Mark(file, int(line), int(column)) if line and column else Mark(file)
        problems.append(Problem("syntax", mark, "", _TOML_POSITION.sub("", str(error))))
        return None
    except RecursionError:
        problems.append(_too_deep(file))
        return None
    return _tree(data, (), file, problems)


def parse_json(text: str, file: str, problems: list[Problem]) -> Node | None:
    """A JSON document, with positions when the YAML reader understands it too.

    Strict JSON is decided first, by the JSON parser, so that a `.json` file never quietly holds YAML. The YAML reader
    then supplies the marks; it cannot read everything JSON allows (escaped surrogate pairs, keys over 1024 characters).
    """
    repeated: list[str] = []

    def entries(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                repeated.append(key)
            found.setdefault(key, value)
        return found

    try:
        data = json.loads(text, object_pairs_hook=entries, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        problems.append(Problem("syntax", Mark(file, error.lineno, error.colno), "", error.msg))
        return None
    except ValueError as error:  # a constant JSON does not have, or a number with too many digits
        problems.append(Problem("syntax", Mark(file), "", str(error)))
        return None
    except RecursionError:
        problems.append(_too_deep(file))
        return None

    found: list[Problem] = []
    node = parse_yaml(text, file, found)
    if not any(problem.code == "syntax" for problem in found):
        problems.extend(found)
        return node
    problems.extend(Problem("duplicate-key", Mark(file), "", f"{key!r} is set twice in one object") for key in repeated)
    return _tree(data, (), file, problems)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _too_deep(file: str, loc: Loc = ()) -> Problem:
    return Problem("too-deep", Mark(file), dotted(loc), f"nested deeper than {MAX_DEPTH} levels")


def _tree(data: Any, loc: Loc, file: str, problems: list[Problem]) -> Node:
    mark = Mark(file)
    if len(loc) > MAX_DEPTH:
        problems.append(_too_deep(file, loc))
        return Node(Unresolved(), mark)
    match data:
        case dict():
            entries = {key: _tree(value, (*loc, key), file, problems) for key, value in data.items()}
            return Node(entries, mark, dict.fromkeys(entries, mark))
        case list():
            return Node([_tree(item, (*loc, i), file, problems) for i, item in enumerate(data)], mark)
        case str() | int() | float() | None:
            return Node(data, mark)
        case _:
            problems.append(Problem("invalid-value", mark, dotted(loc), "dates and times are not supported: use text"))
            return Node(Unresolved(), mark)
