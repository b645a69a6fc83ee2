"""What a config file says, once read, checked for shape and expanded. Version 1 of the document is

    version: 1
    resources:                       # optional: group -> name -> settings
      upstreams:
        local: {kind: http, base_url: "http://127.0.0.1:8080/v1"}      # `kind` is optional
    gateways:                        # at least one, each in one of two forms
      edge:
        use: some_bundle             # a bundle, filled in and edited
        with: {upstream: local}
        mount: /v2                   # instead of the bundle's mount
        edit: [{remove: audit}]
      inner:
        dialect: x                   # or written out
        mount: /v1
        faces: {y: /compat}          # optional: further dialects, and where below the mount
        chain: [authenticate, {id: fast, dispatch: {upstream: local}}]

Shape only: whether a kind exists and what its settings may be is for whoever holds the registry, which is why every
entry keeps its settings as a located tree and the marks needed to complain about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.config.place import Place
from pipeline.config.tree import Mark, Node

VERSION = 1


@dataclass(frozen=True, slots=True)
class StageEntry:
    """One stage of a chain. `mark` is where its kind is written; `settings` is always a mapping, empty if left out."""

    id: str
    kind: str
    settings: Node
    mark: Mark


@dataclass(frozen=True, slots=True)
class FaceEntry:
    """A further dialect of a gateway, and where its paths begin below the mount."""

    dialect: str
    prefix: str
    mark: Mark


@dataclass(frozen=True, slots=True)
class GatewayEntry:
    """One gateway with its bundle, if any, already expanded and edited.

    `mark` is where its name is written. The marks of dialect, mount and faces may lie in the bundle's file.
    """

    name: str
    dialect: str
    mount: str
    chain: tuple[StageEntry, ...]
    bundle: str | None
    mark: Mark
    dialect_mark: Mark
    mount_mark: Mark
    faces: tuple[FaceEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class ResourceEntry:
    """One shared object. `mark` is where its name is written, `kind_mark` its kind, if it says one."""

    group: str
    name: str
    kind: str | None
    settings: Node
    mark: Mark
    kind_mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A whole config file, gateways and resources in the order they are written.

    `groups` are the resource groups with the places of their names: an empty group has no entry and may be misspelt.
    """

    path: Path
    gateways: tuple[GatewayEntry, ...]
    resources: tuple[ResourceEntry, ...]
    groups: Mapping[str, Mark] = field(default_factory=dict)


def check_version(version: Place) -> None:
    """Refuse a version this code does not know. `true` and `1.0` equal 1 in Python and are refused all the same."""
    if not version.unresolved and (type(version.node.value) is not int or version.node.value != VERSION):
        version.report("unsupported-version", f"the only known version is {VERSION}")
