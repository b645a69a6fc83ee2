"""Managing a genuine Ollama's models through the gateway: only callers with the scope, and the progress as it comes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from ollama import Client, ResponseError

from tests.wire import documents
from tests.wire.documents import KEY
from tests.wire.gateway_process import GatewayProcess, serving_process
from tests.wire.ollama_server import SMOL, OllamaServer
from tests.wire.plain_client import call

pytestmark = pytest.mark.ollama

KEEPER = "gw-keeper-key-0123456789"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, ollama: OllamaServer) -> Iterator[GatewayProcess]:
    document = {
        "version": 1,
        "resources": {
            "upstreams": {"ollama": {"dialect": "ollama", "base_url": ollama.address}},
            "keys": {
                "team": {"keys": [{"id": "tester", "key": KEY}, {"id": "keeper", "key": KEEPER, "scopes": ["manage"]}]}
            },
        },
        "gateways": {
            "native": {"use": "ollama", "with": {"upstream": "ollama", "keys": ["team"], "manage_scope": "manage"}}
        },
    }
    with serving_process(documents.write(tmp_path_factory.mktemp("manage"), document)) as process:
        yield process


@pytest.fixture
def address(gateway: GatewayProcess) -> str:
    return f"http://127.0.0.1:{gateway.port}"


@pytest.fixture
def keeper(address: str) -> Iterator[Client]:
    with Client(host=address, headers={"Authorization": f"Bearer {KEEPER}"}, trust_env=False, timeout=60) as client:
        yield client


def names(client: Client) -> set[str]:
    return {(model.model or "").removesuffix(":latest") for model in client.list().models}


def test_a_model_is_made_copied_listed_and_deleted(keeper: Client) -> None:
    steps = [step.status for step in keeper.create("made", from_=SMOL, parameters={"seed": 1}, stream=True)]
    assert steps[-1] == "success"
    assert len(steps) > 1, "the progress comes line by line"
    keeper.copy("made", "copied")
    assert {"made", "copied"} <= names(keeper), "what was made is listed at once"
    assert keeper.generate("copied", "Once", options={"num_predict": 2}).response
    keeper.delete("made")
    keeper.delete("copied")
    assert not {"made", "copied"} & names(keeper)


def test_without_progress_it_is_one_answer(keeper: Client) -> None:
    assert keeper.create("whole", from_=SMOL).status == "success"
    keeper.delete("whole")


def test_what_is_not_there_cannot_be_deleted(keeper: Client) -> None:
    with pytest.raises(ResponseError) as caught:
        keeper.delete("nowhere")
    assert caught.value.status_code == 404


def test_a_blob_is_put_and_found(address: str) -> None:
    content = bytes(range(256)) * 8
    path = f"/api/blobs/sha256:{hashlib.sha256(content).hexdigest()}"
    assert call(address, "HEAD", path, key=KEEPER).status == 404
    assert call(address, "POST", path, content, key=KEEPER).status == 201
    assert call(address, "HEAD", path, key=KEEPER).status == 200
    wrong = f"/api/blobs/sha256:{'0' * 64}"
    assert call(address, "POST", wrong, content, key=KEEPER).status == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/pull"),
        ("POST", "/api/push"),
        ("POST", "/api/create"),
        ("POST", "/api/copy"),
        ("DELETE", "/api/delete"),
        ("HEAD", f"/api/blobs/sha256:{'0' * 64}"),
        ("POST", f"/api/blobs/sha256:{'0' * 64}"),
    ],
)
def test_nobody_else_may(address: str, method: str, path: str) -> None:
    answer = call(address, method, path, {"model": "x", "source": "x", "destination": "y"}, key=KEY)
    assert answer.status == 403
    assert method == "HEAD" or set(answer.json) == {"error"}


def test_the_path_is_no_way_around(address: str, tmp_path: Path) -> None:
    assert call(address, "POST", "/api//pull", {"model": "x"}, key=KEY).status == 400
    assert call(address, "POST", "/API/pull", {"model": "x"}, key=KEY).status == 404
