"""The h1 lane is asyncio's own, so its tests run on asyncio's loop and on uvloop, which the server uses."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(
    scope="module",
    params=[("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})],
    ids=["asyncio", "uvloop"],
)
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any]]:
    """Not trio: asking for this lane there is a start-up error, and that has a test of its own."""
    backend: tuple[str, dict[str, Any]] = request.param
    return backend
