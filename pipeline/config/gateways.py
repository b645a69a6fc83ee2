"""The gateways of a config file: each written out, or a bundle with arguments; edited in either case."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline.config.bundles import BundleLibrary
from pipeline.config.chains import parse_chain
from pipeline.config.document import GatewayEntry
from pipeline.config.edits import parse_edits
from pipeline.config.mounts import parse_faces, parse_mount
from pipeline.config.place import Place
from pipeline.config.tree import Mark

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


def parse_gateways(place: Place, library: BundleLibrary) -> list[GatewayEntry]:
    """Every gateway that is whole."""
    entries = place.entries()
    if entries is None:
        return []
    if not entries:
        place.report("invalid-value", "at least one gateway is required")
    found = [_parse_gateway(name, child, place.node.keys[name], library) for name, child in entries.items()]
    for name in entries:
        if not _NAME.fullmatch(name):
            place.report("invalid-name", "a gateway's name is lower-case letters, digits, '_' and '-'", key=name)
    return [gateway for gateway in found if gateway is not None]


def _parse_gateway(name: str, place: Place, mark: Mark, library: BundleLibrary) -> GatewayEntry | None:
    """Parts are checked one by one and given up together, so that one fault hides no other."""
    written = place.entries()
    if written is None:
        return None
    if "use" in written or not written.keys() & {"dialect", "chain"}:
        fields = place.fields(required=("use",), optional=("with", "mount", "edit", "dialect", "chain", "faces")) or {}
        parts = _bundle_parts(place, fields, library)
    else:
        fields = place.fields(required=("dialect", "mount", "chain"), optional=("use", "with", "edit", "faces")) or {}
        parts = fields
        if "with" in fields:
            place.report("conflict", "'with' fills in the bundle named by 'use', and there is none", key="with")

    edits = parse_edits(fields["edit"]) if "edit" in fields else []
    dialect = parts["dialect"].text() if "dialect" in parts else None
    mount = parse_mount(parts["mount"]) if "mount" in parts else None
    chain = parse_chain(parts["chain"]) if "chain" in parts else None
    faces = parse_faces(parts["faces"], dialect) if "faces" in parts else []
    if chain is not None:
        for edit in edits:
            edit(chain)
    if dialect is None or mount is None or chain is None:
        return None
    return GatewayEntry(
        name=name,
        dialect=dialect,
        mount=mount,
        chain=tuple(chain),
        bundle=fields["use"].text() if "use" in fields else None,
        mark=mark,
        dialect_mark=parts["dialect"].node.mark,
        mount_mark=parts["mount"].node.mark,
        faces=tuple(faces),
    )


def _bundle_parts(place: Place, fields: Mapping[str, Place], library: BundleLibrary) -> dict[str, Place]:
    parts = {"mount": fields["mount"]} if "mount" in fields else {}
    for name in ("dialect", "chain", "faces"):
        if name in fields:
            place.report("conflict", f"{name!r} comes from the bundle: change it with 'edit', or drop 'use'", key=name)
    bundle = library.open(fields["use"], fields.get("with")) if "use" in fields else None
    if bundle is not None:
        for name in ("dialect", "mount", "chain", "faces"):
            part = bundle.part(name) if name not in parts else None
            if part is not None:
                parts[name] = part
    return parts
