"""A config file -> a located tree, by its suffix."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.config.problems import Problem, nearest
from pipeline.config.tree import Mark, Node
from pipeline.config.unplaced import parse_json, parse_toml
from pipeline.config.yaml12 import parse_yaml

MAX_BYTES = 1 << 20

_PARSERS: dict[str, Callable[[str, str, list[Problem]], Node | None]] = {
    ".yaml": parse_yaml,
    ".yml": parse_yaml,
    ".json": parse_json,
    ".toml": parse_toml,
}


def read_tree(path: Path, problems: list[Problem]) -> Node | None:
    """The file's top-level mapping, or None when there is nothing to go on; what is wrong is added to `problems`."""
    file = str(path)
    start = Mark(file)
    parse = _PARSERS.get(path.suffix.lower())
    if parse is None:
        message = f"a config file ends in {', '.join(_PARSERS)}, not {path.suffix!r}"
        problems.append(Problem("file-suffix", start, "", message, nearest(path.suffix, _PARSERS)))
        return None
    text = _read_text(path, problems)
    if text is None:
        return None
    node = parse(text, file, problems)
    if node is None or isinstance(node.value, dict):
        return node
    message = "the file is empty" if node.value is None else "the top level must be a mapping"
    problems.append(Problem("wrong-type", node.mark, "", message))
    return None


def _read_text(path: Path, problems: list[Problem]) -> str | None:
    start = Mark(str(path))
    try:
        with path.open("rb") as source:
            data = source.read(MAX_BYTES + 1)
    except FileNotFoundError:
        problems.append(Problem("file-missing", start, "", "no such file"))
        return None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        problems.append(Problem("file-unreadable", start, "", f"cannot be read: {reason}"))
        return None
    if len(data) > MAX_BYTES:
        problems.append(Problem("too-large", start, "", f"larger than {MAX_BYTES} bytes"))
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        mark = Mark(str(path), before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
        problems.append(Problem("file-encoding", mark, "", "not UTF-8 text"))
        return None
