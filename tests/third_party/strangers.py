"""The example distributions of strangers, and the broken variants beside their tests."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from tests.packaging.environment import ROOT

HOME = ROOT / "examples" / "third_party"


@dataclass(frozen=True, slots=True)
class Stranger:
    """A distribution: its name, the kind it offers, and the module and class behind that."""

    name: str
    kind: str
    target: str

    @property
    def folder(self) -> Path:
        return HOME / self.name

    def __str__(self) -> str:
        return self.name


STRANGERS = (
    Stranger("acme-redact", "acme.redact", "acme_redact:Redact"),
    Stranger("acme-cache", "acme.cache", "acme_cache:Cache"),
)


@dataclass(frozen=True, slots=True)
class Broken:
    """A broken variant: who it is a variant of, its kind and class, and the law of the kit that it breaks."""

    of: Stranger
    kind: str
    name: str
    law: str

    def __str__(self) -> str:
        return f"{self.law} {self.of.name} {self.kind}"


def broken() -> list[Broken]:
    """Read and not imported: what they stand on is installed in another environment."""
    return [each for stranger in STRANGERS for each in _broken_of(stranger)]


def _broken_of(stranger: Stranger) -> list[Broken]:
    kinds: dict[str, str] = {}
    laws: dict[str, str] = {}
    for node in ast.parse((stranger.folder / "tests" / "broken.py").read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef):
            for decorator in node.decorator_list:
                assert isinstance(decorator, ast.Call)
                kinds[node.name] = ast.literal_eval(decorator.args[0])
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LAWS":
            assert isinstance(node.value, ast.Dict)
            pairs = zip(node.value.keys, node.value.values, strict=True)
            laws = {ast.unparse(key): ast.literal_eval(value) for key, value in pairs if key is not None}
    assert laws.keys() == kinds.keys(), f"LAWS of {stranger.name} names others than there are"
    return [Broken(stranger, kinds[name], name, law) for name, law in laws.items()]
