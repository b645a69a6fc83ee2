"""`gatewright serve` as a process: it starts or says why not, serves, and stops without cutting anybody off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openai import APIStatusError, OpenAI

from pipeline.testing.wire import Wire, WireUpstream
from tests.wire.answers import DONE, LAST_CHUNK, always, chunk, chunked_head, delta, event, whole
from tests.wire.documents import CANARIES, KEY, chat, document, write
from tests.wire.gateway_process import GatewayProcess, process, serving_process


def client_of(gateway: GatewayProcess) -> OpenAI:
    return OpenAI(base_url=gateway.url, api_key=KEY, max_retries=0, timeout=30)


def test_it_serves_and_writes_one_json_line_a_request(tmp_path: Path) -> None:
    with (
        WireUpstream(always(whole("Hi."))) as upstream,
        serving_process(write(tmp_path, document(upstream.url))) as gateway,
    ):
        with client_of(gateway) as client:
            answer = client.chat.completions.create(**chat(), extra_headers={"x-request-id": "served"})
            assert answer.choices[0].message.content == "Hi."
        line = gateway.line("served")
        gateway.terminate()
        assert gateway.exit_code() == 0
    facts = {name: line[name] for name in ("event", "status", "outcome", "gateway", "operation", "model", "upstream")}
    assert facts == {
        "event": "request",
        "status": 200,
        "outcome": "complete",
        "gateway": "openai",
        "operation": "chat",
        "model": "scripted",
        "upstream": "up",
    }
    assert (line["input_tokens"], line["output_tokens"], line["key_id"]) == (3, 2, "tester")
    said = "\n".join(gateway.output + gateway.errors)
    assert not [canary for canary in CANARIES if canary in said]


def test_a_running_stream_is_finished_after_sigterm(tmp_path: Path) -> None:
    async def slow(wire: Wire) -> None:
        await wire.request()
        await wire.send(chunked_head() + chunk(event(delta("first "))))
        await gate.passed()
        await wire.send(chunk(event(delta("last")) + event(delta(finish="stop")) + DONE) + LAST_CHUNK)
        wire.answered()

    with WireUpstream(slow) as upstream:
        gate = upstream.gate()
        with serving_process(write(tmp_path, document(upstream.url))) as gateway, client_of(gateway) as client:
            with client.chat.completions.create(**chat(stream=True)) as stream:
                pieces = iter(stream)
                said = [_text(next(pieces))]
                gateway.terminate()
                gateway.wait_until(lambda: any("Shutting down" in line for line in gateway.errors))
                assert gateway.process.poll() is None
                gate.open()
                said += [_text(piece) for piece in pieces]
            assert gateway.exit_code() == 0
    assert "".join(said) == "first last"
    assert [line["outcome"] for line in gateway.lines] == ["complete"]


def _text(piece: Any) -> str:
    return "".join(choice.delta.content or "" for choice in piece.choices)


def test_a_stream_that_outlives_the_grace_period_is_ended(tmp_path: Path) -> None:
    async def endless(wire: Wire) -> None:
        await wire.request()
        await wire.send(chunked_head() + chunk(event(delta("first "))))
        await wire.hold()

    with WireUpstream(endless) as upstream:
        config = write(tmp_path, document(upstream.url))
        with (
            serving_process(config, GATEWRIGHT_GRACE_SECONDS="0") as gateway,
            client_of(gateway) as client,
            client.chat.completions.create(**chat(stream=True)) as stream,
        ):
            next(iter(stream))
            gateway.terminate()
            assert gateway.exit_code() == 0
        upstream.wait_for(lambda seen: seen.aborts == 1)
    assert [line["outcome"] for line in gateway.lines] == ["aborted"]


def test_several_workers_serve_one_port(tmp_path: Path) -> None:
    with WireUpstream(always(whole("Hi."))) as upstream:
        config = write(tmp_path, document(upstream.url))
        with serving_process(config, "--workers", "2") as gateway, client_of(gateway) as client:
            gateway.wait_until(lambda: sum("startup complete" in line for line in gateway.errors) == 2)
            for number in range(4):
                id = f"worker-{number}"
                client.chat.completions.create(**chat(), extra_headers={"x-request-id": id})
                assert gateway.line(id)["status"] == 200
            gateway.terminate()
            assert gateway.exit_code() == 0
    assert len(gateway.lines) == 4


def test_a_mistake_in_the_config_is_told_with_its_place_and_nothing_listens(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(
        "version: 1\n"
        "gateways:\n"
        "  echo:\n"
        "    dialect: openai\n"
        "    mount: /v1\n"
        "    chain:\n"
        "      - {id: auth, authenticate: {anonymus: true}}\n"
        "      - {id: answer_back, echo: {models: [echo]}}\n"
    )
    with process(path) as gateway:
        assert gateway.exit_code() == 2
    told = "\n".join(gateway.errors)
    assert f"{path}:7:" in told
    assert "anonymus" in told
    assert "anonymous" in told, "the nearest valid name"
    assert "Traceback" not in told
    assert gateway.output == []


def test_a_config_that_does_not_exist_is_told(tmp_path: Path) -> None:
    with process(tmp_path / "nothing.yaml") as gateway:
        assert gateway.exit_code() == 2
    assert "nothing.yaml" in "\n".join(gateway.errors)
    assert "Traceback" not in "\n".join(gateway.errors)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("GATEWRIGHT_WORKRES", "2", "GATEWRIGHT_WORKERS"),
        ("GATEWRIGHT_WORKERS", "many", "GATEWRIGHT_WORKERS"),
        ("GATEWRIGHT_MAX_BODY_BYTES", "0", "GATEWRIGHT_MAX_BODY_BYTES"),
    ],
)
def test_a_mistake_in_the_environment_is_told(name: str, value: str, told: str) -> None:
    with process("configs/echo.yaml", **{name: value}) as gateway:
        assert gateway.exit_code() == 2
    assert told in "\n".join(gateway.errors)
    assert "Traceback" not in "\n".join(gateway.errors)


def test_the_limit_on_bodies_comes_from_the_environment() -> None:
    with serving_process("configs/echo.yaml", GATEWRIGHT_MAX_BODY_BYTES="400") as gateway, client_of(gateway) as client:
        assert client.chat.completions.create(**chat(model="echo")).choices
        with pytest.raises(APIStatusError) as caught:
            client.chat.completions.create(**chat(model="echo", user="x" * 400))
    assert caught.value.status_code == 413
