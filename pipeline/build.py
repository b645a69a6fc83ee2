"""From a checked document to a pipeline: kinds become classes, settings become objects, chains become handlers.

Nothing is started and nothing is called: building has no side effects, so a config can be checked anywhere. Every
problem is gathered with its place in the file before anything is refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.blame import problem_of
from pipeline.chain import compose, fold_order
from pipeline.clock import Clock
from pipeline.config import (
    ConfigError,
    Document,
    GatewayEntry,
    Mark,
    Problem,
    StageEntry,
    configs_dir,
    nearest,
    read_document,
    resolve,
    validate,
)
from pipeline.gateway import Face, Gateway, Link
from pipeline.host import Host, UnknownName
from pipeline.observe import Emit
from pipeline.proofs import colliding_routes, slot_problems
from pipeline.registry import Registry
from pipeline.resource_set import BrokenResource, ResourceSet
from pipeline.runtime import Pipeline

# Codes for something missing, which a part that could not be read may have held.
_CONSEQUENCES = frozenset({"unusable", "slot-order", "terminal"})


def build_file(path: str | Path, *, environ: Mapping[str, str] | None = None, **options: Any) -> Pipeline:
    """Load and build a config file. Raises `ConfigError` with the problems of both. `options` are those of `build`."""
    found = resolve(Path(path))
    bundle_dirs = (found.parent / "bundles", configs_dir() / "bundles")
    problems: list[Problem] = []
    document = read_document(found, bundle_dirs=bundle_dirs, environ=environ, problems=problems)
    if document is None:
        raise ConfigError(problems)
    return build(document, known=problems, **options)


def build(
    document: Document,
    *,
    known: Sequence[Problem] = (),
    registry: Registry | None = None,
    clock: Clock | None = None,
    random_bytes: Callable[[int], bytes] = os.urandom,
    access: Emit | None = None,
    max_body_bytes: int = 10 * 1024 * 1024,
) -> Pipeline:
    """Build every resource and gateway of `document`. Raises `ConfigError` with all problems at once.

    `known` are the problems that reading the document found: they are raised too, and what merely follows from them is
    left out.
    """
    registry = registry if registry is not None else Registry.default()
    problems: list[Problem] = []
    resources = ResourceSet(document.resources, registry, problems)
    host = Host(resource=resources.get, implementation=registry.load, clock=clock, random_bytes=random_bytes)
    resources.build_all(host)
    problems.extend(resources.unknown_groups(document.groups))
    builder = _GatewayBuilder(registry, host, problems)
    gateways = [gateway for entry in document.gateways if (gateway := builder.build(entry)) is not None]
    problems.extend(colliding_routes(document.gateways, gateways))
    if problems or known:
        raise ConfigError([*known, *_independent(problems, known)])
    stages = [link.stage for gateway in gateways for link in reversed(builder.fold_order_of(gateway))]
    return Pipeline(
        gateways, host=host, owned=[*resources.built, *stages], access=access, max_body_bytes=max_body_bytes
    )


def _independent(found: Sequence[Problem], known: Sequence[Problem]) -> Iterator[Problem]:
    """The problems that do not just follow from known ones: what a gateway lacks may be what could not be read."""
    broken = tuple({".".join(problem.path.split(".")[:2]) for problem in known if "." in problem.path})
    for problem in found:
        if problem.code not in _CONSEQUENCES or not problem.path.startswith(broken):
            yield problem


class _GatewayBuilder:
    def __init__(self, registry: Registry, host: Host, problems: list[Problem]) -> None:
        self._registry = registry
        self._host = host
        self._problems = problems

    def build(self, entry: GatewayEntry) -> Gateway | None:
        """The gateway, or None with the reasons among the problems."""
        path = f"gateways.{entry.name}"
        faces = [self._face(entry.dialect, "", entry.dialect_mark, f"{path}.dialect")]
        faces += [self._face(face.dialect, face.prefix, face.mark, f"{path}.faces") for face in entry.faces]
        known = [face for face in faces if face is not None]
        links = [self._link(stage, f"{path}.chain[{at}]") for at, stage in enumerate(entry.chain)]
        built = [link for link in links if link is not None]
        if len(built) < len(links) or len(known) < len(faces):
            return None
        stages = [link.stage for link in built]
        try:
            order = fold_order(stages)
        except ValueError as error:
            self._problems.append(Problem("terminal", entry.mark, f"{path}.chain", str(error), None))
            return None
        found = slot_problems(entry, built, order)
        self._problems.extend(found)
        return None if found else Gateway(entry.name, tuple(known), entry.mount, tuple(built), compose(stages))

    def _face(self, dialect: str, prefix: str, mark: Mark, path: str) -> Face | None:
        try:
            return Face(self._host.dialect(dialect), prefix)
        except UnknownName as error:
            self._problems.append(Problem(error.code, mark, path, str(error), nearest(error.name, error.available)))
            return None

    @staticmethod
    def fold_order_of(gateway: Gateway) -> Sequence[Link]:
        links = {id(link.stage): link for link in gateway.links}
        return [links[id(stage)] for stage in fold_order([link.stage for link in gateway.links])]

    def _link(self, entry: StageEntry, path: str) -> Link | None:
        where = f"{path}.{entry.kind}"
        try:
            cls = self._registry.load("stage", entry.kind)
        except UnknownName as error:
            hint = nearest(error.name, error.available)
            self._problems.append(Problem(error.code, entry.mark, path, str(error), hint))
            return None
        try:
            settings = validate(entry.settings, cls.Settings, path=where, problems=self._problems)
            return None if settings is None else Link(entry.id, entry.kind, cls(settings, self._host))
        except BrokenResource:
            return None
        except Exception as error:
            self._problems.append(problem_of(error, entry.settings, entry.mark, where))
        return None
