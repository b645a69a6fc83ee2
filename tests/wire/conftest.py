"""What every test on the wire is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wire.model_server import ModelServer, model_server
from tests.wire.newer_faces import NewerFaces, newer_faces
from tests.wire.newer_ollama import done
from tests.wire.ollama_server import OllamaServer, ollama_server

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


@pytest.fixture(scope="session")
def ollama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OllamaServer]:
    """The genuine Ollama server, with no model loaded yet. Tests that use it are marked `ollama`."""
    with ollama_server(tmp_path_factory.mktemp("ollama") / "server.log") as server:
        yield server


@pytest.fixture(scope="module")
def newer_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NewerFaces]:
    with newer_faces(tmp_path_factory.mktemp("newer")) as faces:
        yield faces


@pytest.fixture
def newer(newer_process: NewerFaces) -> NewerFaces:
    """Both faces before a scripted newer Ollama, which says hello until a test tells it what to say."""
    newer_process.server.says(done("Hello."))
    return newer_process
