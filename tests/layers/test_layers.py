"""Who may import whom, as a table of rules run over every source file.

Why: the engine stays replaceable only while nobody takes a short cut. `pipeline` must not know which stages exist, a
stage must not lean on another stage, a dialect must stay a pure function of bytes, and one event loop's names must stay
at the edges, or the trio lane is lost. Such promises rot silently, so each is a row of `RULES`.

The trap: a checker that never fires passes for ever. Below the table stand planted sources, one for each way to break a
rule and one for each neighbouring thing that is allowed, and they run first.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Where code that belongs to one event loop, one server or one store may live; everything else goes through anyio.
LOOP_BOUND = (
    *("pipeline/adapters/", "pipeline/cli/", "pipeline/deadline.py", "pipeline/testing/wire/"),
    *("stages/upstreams/", "stages/limits/"),
)
SERVER = ("pipeline/adapters/", "pipeline/cli/")
FOLDERS = ("adapters", "cli", "config", "testing")
IMPURE = (
    *("asyncio", "anyio", "trio", "threading", "subprocess", "socket", "ssl", "select", "selectors"),
    *("os", "pathlib", "httptools", "httpx2", "logging", "structlog", "time", "datetime", "random"),
)


def under(module: str, *roots: str) -> bool:
    """Is `module` one of `roots` or inside one? (`httpx2` is not under `httpx`.)"""
    return any(module == root or module.startswith(root + ".") for root in roots)


def is_foreign_to_stage(path: str, module: str) -> bool:
    """A stage sees the engine's public door, the dialects and, if it is in a subpackage, its own siblings."""
    if under(module, "pipeline"):
        return module != "pipeline"
    own = ".".join(Path(path).parts[:2]) if path.count("/") > 1 else "stages.dialects"
    return under(module, "stages") and not under(module, "stages.dialects", own)


def is_conformance(path: str) -> bool:
    """Is it what a dialect brings for its laws: `conformance*.py` in a dialect's folder, or shared by several?"""
    return re.fullmatch(r"stages/dialects/([a-z]+/)?conformance\w*\.py", path) is not None


# name -> (files it holds for, does this import break it?)
RULES: dict[str, tuple[Callable[[str], bool], Callable[[str, str], bool]]] = {
    "the engine does not know the stages": (
        lambda path: path.startswith("pipeline/"),
        lambda _, module: under(module, "stages"),
    ),
    "a stage imports the public door, the dialects and its own siblings": (
        lambda path: path.startswith("stages/"),
        is_foreign_to_stage,
    ),
    "a dialect touches no I/O and no clock": (
        lambda path: path.startswith("stages/dialects/"),
        lambda _, module: under(module, *IMPURE),
    ),
    "one event loop's names stay at the edges": (
        lambda path: not path.startswith(LOOP_BOUND),
        lambda _, module: under(module, "asyncio", "uvloop", "uvicorn", "redis"),
    ),
    "only the adapters and the command line know the server": (
        # The public door opens onto the ASGI application too, on first use.
        lambda path: not path.startswith(SERVER) and path != "pipeline/__init__.py",
        lambda _, module: under(module, "uvicorn", "pipeline.adapters"),
    ),
    "test libraries are for the conformance kit": (
        lambda path: not path.startswith("pipeline/testing/") and not is_conformance(path),
        lambda _, module: under(module, "hypothesis", "pytest"),
    ),
    "a dialect's conformance may use one test library": (
        is_conformance,
        lambda _, module: under(module, "pytest"),
    ),
    "only tests load a dialect's conformance": (
        lambda path: not is_conformance(path),
        lambda _, module: re.match(r"stages\.dialects\.(\w+\.)?conformance", module) is not None,
    ),
    "httpx is not used, httpx2 is": (
        lambda _: True,
        lambda _, module: under(module, "httpx", "httpcore"),
    ),
}


def imports(path: str, source: str) -> Iterator[tuple[int, str]]:
    """Each absolute module name that `source` imports, with its line: anywhere, under `if TYPE_CHECKING` too.

    `from pipeline import x` counts as `pipeline` unless x is one of its folders: x is a name behind the door (`stage`
    is a function there and a file too). Everywhere else x may be a submodule and is spelled out. A literal
    `import_module("...")` counts as well.
    """
    package = list(Path(path).parent.parts)
    for node in ast.walk(ast.parse(source, path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                behind_the_door = module == "pipeline" and not node.level and alias.name not in FOLDERS
                yield node.lineno, module if behind_the_door else f"{module}.{alias.name}"
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in ("import_module", "__import__") and isinstance(node.args[0].value, str):
                yield node.lineno, node.args[0].value


def violations(path: str, source: str) -> list[str]:
    """`file:line imports module: rule` for every broken rule."""
    return [
        f"{path}:{line} imports {module}: {rule}"
        for line, module in imports(path, source)
        for rule, (holds_for, broken_by) in RULES.items()
        if holds_for(path) and broken_by(path, module)
    ]


def provider_names(path: str, text: str) -> list[str]:
    """Lines that name a provider; the engine may not, or its design has leaked into it."""
    found = [(n, re.search("openai|ollama", line, re.I)) for n, line in enumerate(text.splitlines(), 1)]
    return [f"{path}:{n} names {match[0]}: the engine knows no provider" for n, match in found if match]


BROKEN = [
    ("pipeline/chain.py", "import stages", "does not know the stages"),
    ("pipeline/cli/main.py", "from stages.dispatch import Dispatch", "does not know the stages"),
    ("pipeline/chain.py", "import importlib\nimportlib.import_module('stages.dispatch')", "does not know the stages"),
    ("stages/attempt.py", "from pipeline.body import Body", "public door"),
    ("stages/attempt.py", "import pipeline.errors as e", "public door"),
    ("stages/attempt.py", "from pipeline import testing", "public door"),
    ("stages/attempt.py", "from stages.dispatch import Dispatch", "public door"),
    ("stages/attempt.py", "from . import dispatch", "public door"),
    ("stages/attempt.py", "from .upstreams.h1 import Pool", "public door"),
    ("stages/attempt.py", "if TYPE_CHECKING:\n    from stages.limits import store", "public door"),
    ("stages/limits/memory.py", "from ..upstreams import h1", "public door"),
    ("stages/dialects/sse.py", "from stages.limits import window", "public door"),
    *[("stages/dialects/sse.py", f"def f():\n    import {module}", "no I/O and no clock") for module in IMPURE],
    ("stages/dialects/deep/er.py", "from os.path import join", "no I/O and no clock"),
    ("pipeline/runtime.py", "import asyncio", "one event loop"),
    ("pipeline/deadline_two.py", "from asyncio import timeout", "one event loop"),
    ("stages/dispatch.py", "import uvloop", "one event loop"),
    ("stages/rate_limit.py", "from redis.asyncio import Redis", "one event loop"),
    ("stages/upstreams/h1.py", "import uvicorn", "know the server"),
    ("pipeline/runtime.py", "from pipeline.adapters.asgi import App", "know the server"),
    ("pipeline/runtime.py", "from .adapters import asgi", "know the server"),
    ("pipeline/runtime.py", "from pipeline import adapters", "know the server"),
    ("pipeline/build.py", "from . import adapters", "know the server"),
    ("pipeline/strategies.py", "from hypothesis import strategies", "conformance kit"),
    ("stages/dialects/kit.py", "import hypothesis.strategies as st", "conformance kit"),
    ("pipeline/build.py", "import pytest", "conformance kit"),
    ("pipeline/conformance.py", "import hypothesis", "conformance kit"),
    ("stages/conformance.py", "import hypothesis", "conformance kit"),
    ("stages/dialects/any/deep/conformance.py", "import hypothesis", "conformance kit"),
    ("stages/dialects/any/read_conformance.py", "import hypothesis", "conformance kit"),
    ("stages/dialects/any/conformance.py", "import pytest", "one test library"),
    ("stages/dialects/any/conformance.py", "import time", "no I/O and no clock"),
    ("stages/dialects/any/dialect.py", "from stages.dialects.any import conformance", "only tests load"),
    ("stages/dispatch.py", "import stages.dialects.any.conformance_folds", "only tests load"),
    ("stages/dialects/any/read.py", "from stages.dialects.conformance_values import texts", "only tests load"),
    ("stages/upstreams/any.py", "import httpx", "httpx2 is"),
    ("pipeline/testing/fake.py", "from httpx import Client", "httpx2 is"),
]

ALLOWED = [
    ("pipeline/chain.py", "from .request import Request\nfrom pipeline import errors\nimport anyio"),
    ("pipeline/deadline.py", "import asyncio"),
    ("pipeline/adapters/asgi.py", "import asyncio\nfrom pipeline.adapters import watch\nfrom . import paths"),
    ("pipeline/cli/serve.py", "import uvicorn, uvloop\nfrom pipeline.adapters import asgi"),
    ("pipeline/testing/strategies.py", "import hypothesis, pytest"),
    ("stages/dialects/any/conformance.py", "from hypothesis import strategies\nfrom . import conformance_folds"),
    ("stages/dialects/conformance_values.py", "from hypothesis import strategies"),
    ("stages/dialects/any/dialect.py", "conformance = 'stages.dialects.any.conformance:Any'"),
    ("stages/attempt.py", "from pipeline import Request, stage\nfrom stages.dialects import neutral\nimport time"),
    ("stages/attempt.py", "from .dialects.neutral import Chat"),
    ("stages/limits/memory.py", "import redis\nfrom .window import W\nfrom stages.limits import gcra"),
    ("stages/upstreams/h1.py", "import asyncio, httpx2, httptools\nfrom . import pool"),
    ("stages/dialects/openai/chat.py", "from ..sse import frames\nfrom stages.dialects import ndjson\nimport json"),
]

SOURCES = sorted(p.relative_to(ROOT).as_posix() for top in ("pipeline", "stages") for p in (ROOT / top).rglob("*.py"))
ENGINE_FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "pipeline").rglob("*")
    if path.is_file() and not {"__pycache__", "_configs"} & set(path.parts)
)


@pytest.mark.parametrize(("path", "source", "rule"), BROKEN)
def test_planted_violation_is_found(path: str, source: str, rule: str) -> None:
    assert any(rule in found for found in violations(path, source))


@pytest.mark.parametrize(("path", "source"), ALLOWED)
def test_allowed_neighbour_is_left_alone(path: str, source: str) -> None:
    assert violations(path, source) == []


def test_every_rule_has_a_planted_violation() -> None:
    assert [rule for rule in RULES if not any(planted in rule for *_, planted in BROKEN)] == []


def test_planted_provider_name_is_found_with_its_line() -> None:
    assert provider_names("pipeline/x.py", '"""A gateway."""\nNAME = "OpenAI"\n') == [
        "pipeline/x.py:2 names OpenAI: the engine knows no provider"
    ]


@pytest.mark.parametrize("path", SOURCES)
def test_file_keeps_its_layer(path: str) -> None:
    assert violations(path, (ROOT / path).read_text("utf-8")) == []


@pytest.mark.parametrize("path", ENGINE_FILES)
def test_engine_names_no_provider(path: str) -> None:
    assert provider_names(path, (ROOT / path).read_text("utf-8")) == []
