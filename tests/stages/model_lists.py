"""Upstreams that list their models."""

from __future__ import annotations

import json

from pipeline import UpstreamAnswer
from tests.stages.fakes import FakeUpstream, answers


def listing(*ids: str, owner: str = "", status: int = 200, body: bytes | None = None) -> UpstreamAnswer:
    """The answer that lists `ids`, in two pieces; or `body` instead."""
    if body is None:
        body = json.dumps({"object": "list", "data": [{"id": id, "owned_by": owner} for id in ids]}).encode()
    return answers(status, body[:7], body[7:])


def listing_upstream(name: str, *ids: str) -> FakeUpstream:
    """An upstream that serves `ids` and owns them."""
    return FakeUpstream(name, lambda call: listing(*ids, owner=name))
