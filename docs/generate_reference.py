"""Writes the reference tables of the documentation from the code they describe.

    python -m docs.generate_reference

A table stands between `<!-- generated: NAME -->` and `<!-- end generated -->`; what is between is replaced, the rest of
the page is left alone. Why not at build time: a reader of the repository must see the tables too. So that they cannot
go stale, a test renders them again and compares.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from docs import compatibility
from docs.markdown import table
from pipeline import GatewayError, Row
from pipeline.config import configs_dir, plain
from pipeline.config.read import read_tree
from pipeline.reference.described import SETTING, describe
from pipeline.reference.wording import as_config, default_of, type_of
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
                parts += _kind(row)
    return "\n".join(parts)


def process() -> str:
    """The settings of the process."""
    rows = [
        (f"`GATEWRIGHT_{name.upper()}`", type_of(field), default_of(field), field.description or "")
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
            (
                f"`{name}`",
                f"`{as_config(given['default'])}`" if "default" in given else "required",
                given["description"],
            )
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


def _kind(row: Row) -> list[str]:
    kind = describe(row, row.load())
    parts = [f"#### `{row.kind}`\n", f"{kind.summary}\n"]
    if kind.promises:
        parts.append(" ".join(kind.promises) + "\n")
    own, *inner = kind.settings
    parts.append(table(SETTING, own.rows) if own.rows else "No settings.\n")
    for model in inner:
        parts += [f"Each `{model.name}`: {model.summary}\n", table(SETTING, model.rows)]
    return parts


def _leaves(cls: type[GatewayError]) -> Iterator[type[GatewayError]]:
    """The errors that are raised: those without children of their own, and those that say something themselves."""
    for child in _children(cls):
        if not _children(child) or child.__name__ == "NotFound":
            yield child
        yield from _leaves(child)


def _children(cls: type[GatewayError]) -> list[type[GatewayError]]:
    """Those of the public tree: what some module derives for itself depends on what has been imported."""
    return [child for child in cls.__subclasses__() if child.__module__ == "pipeline.errors"]


if __name__ == "__main__":
    for page in pages():
        page.write_text(render(page.read_text("utf-8")), "utf-8")
