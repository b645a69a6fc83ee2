"""The path a gateway is mounted on."""

from __future__ import annotations

import re

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
