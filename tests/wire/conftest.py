"""What every test on the wire is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire.model_server import ModelServer, model_server

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder talks over real sockets."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.wire)


@pytest.fixture(scope="session")
def model() -> Iterator[ModelServer]:
    """The real model server. Tests that use it are marked `model`."""
    with model_server() as server:
        yield server
