"""Writes the reference tables of the documentation from the code they describe.

    python -m docs.generate_reference

A table stands between `<!-- generated: NAME -->` and `<!-- end generated -->`; what is between is replaced, the rest of
the page is left alone. Why not at build time: a reader of the repository must see the tables too. So that they cannot
go stale, a test renders them again and compares.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from docs import compatibility
from docs.markdown import table
from pipeline import GatewayError, StageSpec
from pipeline.config import configs_dir, plain
from pipeline.config.read import read_tree
from pipeline.settings import ProcessSettings
from stages import TABLE
from stages.dialects.ollama.dialect import Ollama
from stages.dialects.openai.dialect import OpenAI

PAGES = Path(__file__).resolve().parent
_BLOCK = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end generated -->)", re.DOTALL)
_GROUPS = {
    "stage": "Stages",
    "upstreams": "`resources.upstreams`",
    "keys": "`resources.keys`",
    "catalogues": "`resources.catalogues`",
}


def kinds() -> str:
    """Every built-in stage and resource kind with its settings."""
    parts: list[str] = []
    for group, title in _GROUPS.items():
        parts.append(f"### {title}\n")
        for row in TABLE:
            if row.group == group:
                parts += _kind(row.kind, row.load())
    return "\n".join(parts)


def process() -> str:
    """The settings of the process."""
    rows = [
        (f"`GATEWRIGHT_{name.upper()}`", _type(field), _default(field), field.description or "")
        for name, field in ProcessSettings.model_fields.items()
    ]
    return table(("variable", "type", "default", "what it is"), rows)


def bundles() -> str:
    """Every bundle that comes with the project, with its parameters."""
    parts: list[str] = []
    for path in sorted((configs_dir() / "bundles").glob("*.yaml")):
        node = read_tree(path, [])
        assert node is not None, f"{path} cannot be read"
        bundle = plain(node)["bundle"]
        stages = " -> ".join(str(stage["id"]) for stage in bundle["chain"])
        rows = [
            (f"`{name}`", f"`{_yaml(given['default'])}`" if "default" in given else "required", given["description"])
            for name, given in bundle["parameters"].items()
        ]
        parts.append(f"### `{path.stem}`\n")
        faces = "".join(f", and `{dialect}` at `{prefix}`" for dialect, prefix in (bundle.get("faces") or {}).items())
        parts.append(f"Dialect `{bundle['dialect']}`, mounted on `{bundle['mount']}`{faces}. Stage ids: `{stages}`.\n")
        parts.append(table(("parameter", "default", "what it is"), rows))
    return "\n".join(parts)


def errors() -> str:
    """The tree of errors, as the caller sees it."""
    rows = [
        (f"`{cls.__name__}`", str(cls.status), f"`{cls.type}`", f"`{cls.code}`" if cls.code else "", cls.origin)
        for cls in _leaves(GatewayError)
    ]
    return table(("error", "status", "`type`", "`code`", "whose fault"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "kinds": kinds,
    "process": process,
    "bundles": bundles,
    "errors": errors,
    "openai-routes": lambda: compatibility.routes_of(OpenAI(), "/v1"),
    "ollama-routes": lambda: compatibility.routes_of(Ollama(), ""),
    "to-ollama": compatibility.to_ollama,
    "to-openai": compatibility.to_openai,
    "errors-of-ollama": compatibility.errors_of_ollama,
    "errors-as-ollama": lambda: compatibility.errors_as_ollama(lambda: _leaves(GatewayError)),
}


def render(page: str) -> str:
    """The text of a page with every generated table written anew."""
    return _BLOCK.sub(lambda block: f"{block[1]}\n{TABLES[block['name']]().strip()}\n\n{block[3]}", page)


def pages() -> list[Path]:
    """The pages that hold a generated table."""
    return [path for path in sorted(PAGES.rglob("*.md")) if _BLOCK.search(path.read_text("utf-8"))]


def _kind(kind: str, cls: Any) -> list[str]:
    parts = [f"#### `{kind}`\n", _summary(cls) + "\n"]
    spec = getattr(cls, "spec", None)
    if isinstance(spec, StageSpec):
        parts.append(_promises(spec) + "\n")
    return [*parts, *_settings(cls.Settings)]


def _promises(spec: StageSpec) -> str:
    said = [f"Calls next: {spec.calls_next.replace('_', ' ')}."]
    for label, slots in (
        ("Reads", spec.reads),
        ("Writes", spec.writes),
        ("Reads on the way up", spec.response_reads),
        ("Writes on the way up", spec.response_writes),
    ):
        if slots:
            said.append(f"{label}: {', '.join(f'`{name}`' for name in sorted(slot.name for slot in slots))}.")
    return " ".join(said)


def _settings(model: type[BaseModel]) -> list[str]:
    if not model.model_fields:
        return ["No settings.\n"]
    rows = [
        (f"`{name}`", _type(field), _default(field), field.description or "")
        for name, field in model.model_fields.items()
    ]
    parts = [table(("setting", "type", "default", "what it is"), rows)]
    for inner in dict.fromkeys(_models(model)):
        parts += [f"Each `{inner.__name__}`: {_summary(inner)}\n", *_settings(inner)]
    return parts


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for field in model.model_fields.values():
        yield from _models_in(field.annotation)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _leaves(cls: type[GatewayError]) -> Iterator[type[GatewayError]]:
    """The errors that are raised: those without children of their own, and those that say something themselves."""
    for child in _children(cls):
        if not _children(child) or child.__name__ == "NotFound":
            yield child
        yield from _leaves(child)


def _children(cls: type[GatewayError]) -> list[type[GatewayError]]:
    """Those of the public tree: what some module derives for itself depends on what has been imported."""
    return [child for child in cls.__subclasses__() if child.__module__ == "pipeline.errors"]


def _summary(cls: type) -> str:
    """The first paragraph of the docstring, on one line."""
    return " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())


def _type(field: FieldInfo) -> str:
    return _type_name(field.annotation)


def _type_name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " | ".join(_type_name(one) for one in arguments if one is not type(None))
    if origin is list:
        return f"list of {_type_name(arguments[0])}"
    if origin is dict:
        return f"mapping to {_type_name(arguments[1])}"
    names = {str: "text", bool: "boolean", int: "integer", float: "number", SecretStr: "secret text"}
    return names.get(annotation) or f"`{annotation.__name__}`"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    return "none" if field.default in (None, "") else f"`{_yaml(field.default)}`"


def _yaml(value: Any) -> str:
    """A default as it would be written in a config."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"[{', '.join(map(_yaml, value))}]" if isinstance(value, list) else str(value)


if __name__ == "__main__":
    for page in pages():
        page.write_text(render(page.read_text("utf-8")), "utf-8")
