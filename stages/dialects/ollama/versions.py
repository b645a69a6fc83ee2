"""What a server of some version can be asked for (protocol.md 5.1): better not to ask than to be refused."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pipeline import ModelCard

SINCE: Mapping[str, tuple[int, int, int]] = {
    "embed": (0, 2, 6),
    "format schema": (0, 5, 0),
    "capabilities in show": (0, 6, 4),
    "tools streamed": (0, 8, 0),
    "think": (0, 9, 0),
    "tool_name": (0, 9, 6),
    "context_length in ps": (0, 10, 0),
    "think levels": (0, 11, 1),
    "dimensions": (0, 11, 11),
    "tool call ids": (0, 12, 10),
    "logprobs": (0, 12, 11),
    "/v1/responses": (0, 13, 3),
    "parallel tool index": (0, 20, 6),
    "think max": (0, 22, 0),
    "capabilities in tags": (0, 30, 0),
    "/v1 exact stream": (0, 32, 6),
}
"""The first release that has a feature."""

_VERSION = re.compile(r"v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?(?![\d.])", re.ASCII)


def supports(card: ModelCard | None, feature: str) -> bool:
    """Whether the server behind `card` is new enough; one whose version is not known is taken to be."""
    version = parse(card.server_version) if card is not None and card.server_version else None
    return version is None or version >= SINCE[feature]


def parse(text: str) -> tuple[int, int, int] | None:
    """`0.12.10-rc1` as numbers, without what follows them. None if unknown, as of a development build, 0.0.0."""
    found = _VERSION.match(text)
    if found is None:
        return None
    version = (int(found[1]), int(found[2]), int(found[3] or 0))
    return version if any(version) else None
