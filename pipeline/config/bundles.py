"""Bundles: gateways written down once, with parameters, in `NAME.yaml` files of the bundle directories.

version: 1
bundle:
  dialect: x
  mount: /v1
  parameters:
    upstream: {description: "Name of the upstream."}                      # no default: required
    catalogue: {description: "Where models are listed.", default: "${with:upstream}"}
  chain:
    - {id: auth, authenticate: {keys: "${with:catalogue}"}}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.config.document import check_version
from pipeline.config.parameters import Arguments, Parameter, check_given, parse_parameters
from pipeline.config.place import Place
from pipeline.config.problems import Problem, nearest
from pipeline.config.read import read_tree


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle as it is written, its references not yet resolved: what they stand for differs between its users."""

    parts: Mapping[str, Place]
    parameters: Mapping[str, Parameter]


@dataclass(frozen=True, slots=True)
class OpenBundle:
    """A bundle with one gateway's arguments."""

    bundle: Bundle
    arguments: Arguments

    def part(self, name: str) -> Place | None:
        """`dialect`, `mount`, `chain` or `faces` with its references resolved; None if the bundle's file lacks it.

        Only what is asked for is resolved: a mount that the gateway overrides may refer to an unset variable.
        """
        written = self.bundle.parts.get(name)
        return self.arguments.expand(written) if written else None


class BundleLibrary:
    """The bundles of some directories, where an earlier directory's file hides a later one's of the same name.

    A name is looked up among the files that are there and never made into a path, so it cannot lead outside.
    """

    def __init__(self, directories: Sequence[Path], environ: Mapping[str, str], problems: list[Problem]) -> None:
        self._environ = environ
        self._problems = problems
        self._paths = {path.stem: path for folder in reversed(directories) for path in sorted(folder.glob("*.yaml"))}
        self._read: dict[str, Bundle | None] = {}

    def open(self, use: Place, given: Place | None) -> OpenBundle | None:
        """The bundle that `use` names, with the arguments of `with`; None when the bundle itself is unusable."""
        name = use.text()
        if name is None:
            return None
        if name not in self._paths:
            available = ", ".join(sorted(self._paths)) or "none"
            use.report("unknown-bundle", f"no bundle {name!r}; there is {available}", hint=nearest(name, self._paths))
            return None
        if name not in self._read:
            self._read[name] = self._parse(self._paths[name])
        bundle = self._read[name]
        if bundle is None:
            return None
        arguments = check_given(bundle.parameters, given, use)
        return OpenBundle(bundle, Arguments(bundle.parameters, arguments, self._environ))

    def _parse(self, path: Path) -> Bundle | None:
        root = read_tree(path, self._problems)
        top = Place(root, (), self._problems).fields(required=("version", "bundle")) if root else None
        if top is None:
            return None
        if "version" in top:
            check_version(top["version"])
        body = top.get("bundle")
        parts = body.fields(required=("dialect", "mount", "chain"), optional=("faces", "parameters")) if body else None
        if parts is None:
            return None
        return Bundle(parts, parse_parameters(parts["parameters"]) if "parameters" in parts else {})
