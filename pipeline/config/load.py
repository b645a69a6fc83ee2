"""A path -> a `Document`, or every reason why not."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.config.bundles import BundleLibrary
from pipeline.config.chains import parse_kind
from pipeline.config.document import Document, ResourceEntry, check_version
from pipeline.config.gateways import parse_gateways
from pipeline.config.place import Place
from pipeline.config.problems import ConfigError, Problem
from pipeline.config.read import read_tree
from pipeline.config.references import References
from pipeline.config.tree import Mark, Node, Unresolved


def load_document(
    path: Path | str, *, bundle_dirs: Sequence[Path], environ: Mapping[str, str] | None = None
) -> Document:
    """Read, check and expand a config file; `ConfigError` carries *all* problems of it and of the bundles it uses.

    Nothing is skipped except what depends on a broken part, and a broken part is reported once, not once per use.
    """
    problems: list[Problem] = []
    document = read_document(path, bundle_dirs=bundle_dirs, environ=environ, problems=problems)
    if problems or document is None:
        raise ConfigError(problems)
    return document


def read_document(
    path: Path | str,
    *,
    bundle_dirs: Sequence[Path],
    problems: list[Problem],
    environ: Mapping[str, str] | None = None,
) -> Document | None:
    """What could be read, its problems added to `problems`: for a builder that will find more of them.

    Values that could not be had are `Unresolved`, which `validate` does not complain about again. None if nothing
    could be read.
    """
    path = Path(path)
    environ = os.environ if environ is None else environ
    root = read_tree(path, problems)
    if root is None:
        return None
    root = References(environ).expand(Place(root, (), problems))
    top = Place(root, (), problems).fields(required=("version", "gateways"), optional=("resources",)) or {}
    if "version" in top:
        check_version(top["version"])
    library = BundleLibrary(bundle_dirs, environ, problems)
    gateways = parse_gateways(top["gateways"], library) if "gateways" in top else []
    resources = _parse_resources(top["resources"]) if "resources" in top else []
    groups = top["resources"].node.keys if "resources" in top else {}
    return Document(path, tuple(gateways), tuple(resources), groups)


def _parse_resources(place: Place) -> list[ResourceEntry]:
    groups = place.entries() or {}
    return [
        _parse_resource(group, name, settings, members.node.keys[name])
        for group, members in groups.items()
        if members.node.value is not None
        for name, settings in (members.entries() or {}).items()
    ]


def _parse_resource(group: str, name: str, place: Place, mark: Mark) -> ResourceEntry:
    if place.node.value is None:
        return ResourceEntry(group, name, None, Node({}, mark), mark)
    entries = place.entries()
    if entries is None:
        return ResourceEntry(group, name, None, Node(Unresolved(), mark), mark)
    written = entries.pop("kind", None)
    if written is None or written.node.value is None:
        kind, kind_mark = None, None
    else:
        kind, kind_mark = parse_kind(written), written.node.mark
    keys = {key: place.node.keys[key] for key in entries}
    settings = Node({key: child.node for key, child in entries.items()}, place.node.mark, keys)
    return ResourceEntry(group, name, kind, settings, mark, kind_mark)
