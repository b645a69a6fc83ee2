"""The path a gateway is mounted on, and those of its further faces below it."""

from __future__ import annotations

import re

from pipeline.config.document import FaceEntry
from pipeline.config.place import Place

_FORBIDDEN = {
    "//": "an empty segment",
    "..": "'..'",
    "?": "a query",
    "#": "a fragment",
    "%": "an escape",
}
_PRINTABLE = re.compile(r"[!-~]+")


def parse_mount(place: Place) -> str | None:
    """The mount as a prefix to match on: `/v1`, or the empty string for `/`.

    It is compared with the raw request path, so anything that could be spelt two ways there is refused here.
    """
    mount = place.text()
    if mount is None:
        return None
    fault = _fault(mount)
    if fault:
        place.report("invalid-mount", fault)
        return None
    return "" if mount == "/" else mount


def parse_faces(place: Place, main: str | None) -> list[FaceEntry]:
    """Further dialects with the paths at which they are spoken below the mount; those that are broken are left out.

    The `main` dialect is none of them: it is spoken at the mount itself.
    """
    found: list[FaceEntry] = []
    for dialect, written in (place.entries() or {}).items():
        prefix = parse_mount(written)
        if dialect == main:
            place.report("conflict", f"{dialect!r} is the gateway's own dialect, spoken at its mount", key=dialect)
        elif prefix is not None:
            found.append(FaceEntry(dialect, prefix, place.node.keys[dialect]))
    return found


def _fault(mount: str) -> str | None:
    if not mount.startswith("/"):
        return "a mount starts with '/'"
    for piece, name in _FORBIDDEN.items():
        if piece in mount:
            return f"a mount cannot contain {name}"
    if not _PRINTABLE.fullmatch(mount):
        return "a mount is printable ASCII without spaces"
    if mount != "/" and mount.endswith("/"):
        return "a mount does not end with '/'"
    return None
