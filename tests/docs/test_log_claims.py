"""What docs/operations.md says of the logs is true: lines are JSON, an unexpected failure is found by its id, and no
prompt and no key gets into any of it.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import anyio
import pytest

from pipeline import GatewayError, Handler, Headers, Host, Pipeline, Registry, Request, Response, StageSettings, stage
from pipeline.log import write_events
from pipeline.observe import access_log

KEY = "gw-demo-abcdefghijklmnop"
PROMPT = "the prompt that nobody may read"
CONFIG = f"""
version: 1
resources:
  keys: {{team: {{keys: [{{id: demo, key: {KEY}}}]}}}}
gateways:
  echo:
    dialect: openai
    mount: /v1
    chain: [{{authenticate: {{keys: [team]}}}}, test.broken, echo, normalise]
"""


@stage("test.broken")
class Broken:
    """Fails with what it works on in its hands."""

    class Settings(StageSettings):
        pass

    def __init__(self, settings: Settings, host: Host) -> None:
        pass

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        key = request.headers.get("authorization")
        said = request.payload["messages"][0]["content"]
        raise RuntimeError(f"broken with {len(key or '')} and {len(said)} characters in hand")


@pytest.fixture
def server_log() -> Iterator[None]:
    """The server owns its process's log; a test gives it back."""
    logger = logging.getLogger("gatewright")
    before = logger.handlers, logger.propagate
    yield
    logger.handlers, logger.propagate = before


async def ask(folder: Path) -> GatewayError:
    """A request that fails unexpectedly; the error that its caller sees."""
    config = folder / "broken.yaml"
    config.write_text(CONFIG)
    registry = Registry.default().with_("stage", "test.broken", Broken)
    payload = {"model": "echo", "messages": [{"role": "user", "content": PROMPT}]}
    headers = Headers({"authorization": f"Bearer {KEY}"})
    async with Pipeline.from_config(config, registry=registry, access=access_log("json")) as pipeline:
        with pytest.raises(GatewayError) as caught:
            await pipeline.handle(Request("chat", model="echo", payload=payload, headers=headers))
        await anyio.lowlevel.checkpoint()  # the lines of one turn of the loop are written at its end
    return caught.value


async def test_standard_output_holds_nothing_but_access_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = await ask(tmp_path)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["request_id"] == error.id


async def test_an_unexpected_failure_is_found_by_its_id(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    error = await ask(tmp_path)
    (record,) = caplog.records
    assert record.name == "gatewright"
    assert error.id
    assert error.id in record.getMessage()
    assert "RuntimeError: broken with" in caplog.text


@pytest.mark.parametrize("format", ["json", "console"])
async def test_the_server_writes_it_to_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], server_log: None, format: Literal["json", "console"]
) -> None:
    write_events(format)
    error = await ask(tmp_path)
    said = capsys.readouterr().err
    assert error.id
    assert error.id in said
    assert "RuntimeError: broken with" in said
    assert (len(said.splitlines()) == 1) == (format == "json")
    assert [secret for secret in (KEY, PROMPT) if secret in said] == []


async def test_no_log_holds_a_prompt_or_a_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    await ask(tmp_path)
    said = capsys.readouterr()
    everything = said.out + said.err + caplog.text
    assert "RuntimeError" in everything
    assert [secret for secret in (KEY, PROMPT) if secret in everything] == []
