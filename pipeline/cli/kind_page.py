"""What a kind says about itself, set for a terminal. The documentation renders the same values as Markdown."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from pipeline.reference.described import SETTING, Described

LEAST = 30


def page(kind: Described, width: int) -> str:
    """All that is known of a kind, in lines of at most `width` where words allow it."""
    return "\n\n".join(_parts(kind, width))


def _parts(kind: Described, width: int) -> Iterator[str]:
    yield f"{kind.row.group} {kind.row.kind}, from {kind.row.source}" + (
        f" ({kind.row.target})" if kind.row.target else ""
    )
    if kind.doc:
        yield kind.doc
    if kind.promises:
        yield "\n".join(_bare(promise) for promise in kind.promises)
    if kind.profiles:
        yield f"Profiles: {', '.join(kind.profiles)}."
    if kind.routes:
        rows = [(route.method, route.path, route.operation) for route in kind.routes]
        yield _table(("method", "path", "operation"), rows, width)
    for at, model in enumerate(kind.settings):
        if at:
            yield "\n".join(textwrap.wrap(f"Each {model.name}: {model.summary}".rstrip(": "), width))
        yield _table(SETTING, model.rows, width) if model.rows else "No settings."


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> str:
    """Columns as wide as they need be; the last is wrapped within what is left."""
    bare = [[*map(_bare, row[:-1]), row[-1]] for row in rows]
    widths = [max(len(row[at]) for row in [head, *bare]) for at in range(len(head) - 1)]
    indent = sum(widths) + 2 * len(widths)
    lines: list[str] = []
    for row in [head, *bare]:
        cells = "".join(f"{cell:{wide}}  " for cell, wide in zip(row[:-1], widths, strict=True))
        last = textwrap.wrap(row[-1], max(width - indent, LEAST)) or [""]
        lines.append((cells + last[0]).rstrip())
        lines += [" " * indent + line for line in last[1:]]
    return "\n".join(lines)


def _bare(text: str) -> str:
    """Without the marks that only Markdown needs."""
    return text.replace("`", "")
