"""The JavaScript clients and LangChain, unmodified, at both faces before both kinds of model server.

They read what the Python clients do not look at: whether `error` is a key at all, whether a stream ends as it should,
how fragments of a tool call add up. Each client runs once through a user's first day; each test looks at one thing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.wire import client_process
from tests.wire.documents import KEY
from tests.wire.faces import Front, both_faces
from tests.wire.gateway_process import GatewayProcess
from tests.wire.model_server import ModelServer
from tests.wire.ollama_server import OllamaServer

pytestmark = [pytest.mark.thorough, pytest.mark.model, pytest.mark.ollama, pytest.mark.timeout(600)]

CLIENTS = {
    "openai-js": "openai.mjs",
    "ollama-js": "ollama.mjs",
    "langchain-openai": "chain_openai.py",
    "langchain-ollama": "chain_ollama.py",
}
OPENAI, OLLAMA = ("openai-js", "langchain-openai"), ("ollama-js", "langchain-ollama")
JAVASCRIPT = ("openai-js", "ollama-js")
FREED_SECONDS = 30.0  # the cancelled story would take minutes


@dataclass(frozen=True)
class Run:
    """What a client said of each check, and whom it asked."""

    client: str
    front: Front
    said: dict[str, Any]

    def value(self, check: str) -> Any:
        line = self.said[check]
        assert "value" in line, line
        return line["value"]


Runs = Callable[[str, str], Run]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, model: ModelServer, ollama: OllamaServer) -> Iterator[Runs]:
    """Each client before each model server, run once, when first asked for."""
    done: dict[tuple[str, str], Run] = {}

    with both_faces(tmp_path_factory.mktemp("faces"), model, ollama) as (process, fronts):

        def run(client: str, server: str) -> Run:
            front = fronts[server]
            before = aborted(process)

            def freed() -> None:
                process.wait_until(lambda: aborted(process) > before)
                if server == "ollama":
                    begun = time.monotonic()  # it answers one at a time
                    ollama.call("POST", "/api/generate", {"model": front.model, "prompt": "x", "raw": True, **ONE})
                    assert time.monotonic() - begun < FREED_SECONDS
                else:
                    assert model.wait_for(0, FREED_SECONDS)

            if (client, server) not in done:
                told = {"openai": front.openai, "ollama": front.ollama, "key": KEY}
                told |= {"model": front.model, "tool_model": front.tool_model}
                done[client, server] = Run(client, front, client_process.run(CLIENTS[client], told, freed))
            return done[client, server]

        yield run


ONE = {"stream": False, "options": {"num_predict": 1}}


def aborted(process: GatewayProcess) -> int:
    return sum(line["outcome"] == "aborted" for line in process.lines)


@pytest.fixture(params=["llama", "ollama"])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=CLIENTS)
def run(request: pytest.FixtureRequest, runs: Runs, server: str) -> Run:
    return runs(request.param, server)


@pytest.mark.parametrize("client", JAVASCRIPT)
def test_models_are_listed(runs: Runs, server: str, client: str) -> None:
    run = runs(client, server)
    assert run.front.model in [id.removesuffix(":latest") for id in run.value("list")["ids"]]


def test_a_model_is_shown(runs: Runs, server: str) -> None:
    run = runs("ollama-js", server)
    value = run.value("show")
    assert {"parent_model", "format", "family", "families", "parameter_size"} <= set(value["details"])
    if server == "ollama":
        assert "completion" in value["capabilities"]  # nobody says so of llama.cpp's models


def test_a_stream_says_what_the_whole_answer_says(run: Run) -> None:
    whole, stream = run.value("chat"), run.value("stream")
    assert stream.pop("parts") > 2
    assert stream == whole
    assert whole["text"]
    assert (whole["finish"], whole["tokens"]) == ("length", 8)


def test_a_text_is_generated(runs: Runs, server: str) -> None:
    value = runs("ollama-js", server).value("generate")
    assert value["text"] == value["whole"] != ""


def test_a_tool_is_called_and_its_answer_understood(run: Run) -> None:
    value = run.value("tools")
    assert (value["calls"], value["name"], value["arguments"]) == (1, "get_weather", {"city": "Paris"})
    assert value["finish"] == ("tool_calls" if run.client in OPENAI else "stop")
    assert isinstance(value["answer"], str)


def test_json_of_a_schema(run: Run) -> None:
    value = run.value("structured")
    assert set(value) == {"yes"}
    assert isinstance(value["yes"], bool)


def test_texts_become_vectors_in_their_order(run: Run) -> None:
    value = run.value("embeddings")
    assert [len(vector) for vector in value["vectors"]] == [576, 576]
    for vector, again in zip(value["vectors"], value["again"], strict=True):
        assert vector == pytest.approx(again, abs=1e-2)
        if run.client in OLLAMA:
            assert sum(x * x for x in vector) == pytest.approx(1, abs=1e-3)
    assert value["vectors"][0] != pytest.approx(value["vectors"][1], abs=1e-2)


@pytest.mark.parametrize("check", ["unknown model", "unknown model, streamed"])
def test_an_unknown_model_is_a_404_of_the_clients_own_kind(run: Run, check: str) -> None:
    value = run.value(check)
    assert value["class"] == {
        "openai-js": "NotFoundError",
        "langchain-openai": "OpenAIModelNotFoundError",
    }.get(run.client, "ResponseError")
    assert value["status"] == 404
    assert "no-such-model" in value["message"]
    if run.client in OPENAI:
        assert (value["code"], value["param"]) == ("model_not_found", "model")


def test_a_wrong_key_is_a_401_of_the_clients_own_kind(run: Run) -> None:
    value = run.value("wrong key")
    assert value["class"] in ("AuthenticationError", "OpenAIAuthenticationError", "ResponseError")
    assert value["status"] == 401


@pytest.mark.parametrize("client", JAVASCRIPT)
def test_a_bad_request_is_a_400_of_the_clients_own_kind(runs: Runs, server: str, client: str) -> None:
    value = runs(client, server).value("bad request")
    assert value["class"] == ("BadRequestError" if client in OPENAI else "ResponseError")
    assert value["status"] == 400
    assert "content" in value["message"]


def test_a_cancelled_stream_was_read_until_then(run: Run) -> None:
    """That it freed the model server is checked while the client still runs."""
    assert run.value("cancel")["seen"] == 3
