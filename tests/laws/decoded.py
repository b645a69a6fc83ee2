"""What a dialect's decoder makes of bytes in pieces."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import Dialect
from pipeline.testing.dialects import serving
from tests.laws.answered import STRAIGHT, request_of

CHAT = {pair.client.name: pair for pair in STRAIGHT if pair.operation == "chat"}


def decoded(dialect: Dialect, pieces: Sequence[bytes]) -> serving.Decoded:
    """Feed the pieces of a chat stream, then the end. An exception that is no typed error passes through."""
    return serving.decoded(dialect, request_of(CHAT[dialect.name], stream=True), pieces)
