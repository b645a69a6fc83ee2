"""A folder to load configs from, where a `§` in a file stands at each place a problem must be reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pipeline.config import ConfigError, Document, Problem, load_document

MAIN = "gateway.yaml"


class Workspace:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "bundles").mkdir()

    def write(self, name: str, text: str) -> list[tuple[str, int, int]]:
        """Write the file without its `§`; where they stood."""
        marks: list[tuple[str, int, int]] = []
        path = self.folder / name
        while (at := text.find("§")) >= 0:
            marks.append((str(path), text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)))
            text = text[:at] + text[at + 1 :]
        path.write_text(text, "utf-8")
        return marks

    def load(self, text: str, *, environ: Mapping[str, str] | None = None, name: str = MAIN) -> Document:
        self.write(name, text)
        return load_document(
            self.folder / name, bundle_dirs=[self.folder / "bundles"], environ={} if environ is None else environ
        )

    def problems(self, text: str, *, environ: Mapping[str, str] | None = None, name: str = MAIN) -> tuple[Problem, ...]:
        with pytest.raises(ConfigError) as caught:
            self.load(text, environ=environ, name=name)
        return caught.value.problems

    def expect(
        self,
        text: str,
        expected: Sequence[str],
        *,
        bundle: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> tuple[Problem, ...]:
        """Exactly the `expected` problems, each `code` or `code hint`, one at each `§`; the bundle's come first."""
        marks = self.write("bundles/base.yaml", bundle) if bundle is not None else []
        marks += self.write(MAIN, text)
        problems = self.problems(text.replace("§", ""), environ=environ)
        found = [(p.mark.file, p.mark.line, p.mark.column, p.code, p.hint) for p in problems]
        wanted = [code.partition(" ") for code in expected]
        assert len(marks) == len(wanted), "one § for each expected problem"
        assert found == [(*mark, code, hint or None) for mark, (code, _, hint) in zip(marks, wanted, strict=True)]
        return problems


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)
