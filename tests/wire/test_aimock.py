"""A fake server that many projects test with (npm `@copilotkit/aimock`), as both kinds of upstream, with its faults on.

It is nobody's reference: as an Ollama it knows no /api/version, counts no tokens and words its errors as OpenAI does.
That is the point. Whatever it says, and whichever face asks, a client gets a right answer or one typed error.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import ollama
import openai
import pytest

from tests.wire import client_process
from tests.wire.documents import KEY, write
from tests.wire.gateway_process import serving_process

pytestmark = pytest.mark.thorough

MODEL = "gpt-4o"  # one of those that it lists
PROGRAM = client_process.INSTALLED / "node_modules/@copilotkit/aimock/dist/cli.js"
TEXT = "Hello from a fake server, in several pieces."
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
CALLS = [{"name": "get_weather", "arguments": {"city": "Paris"}}, {"name": "get_time", "arguments": {}}]
IN_PIECES = {"content": TEXT, "usage": USAGE}
PACED = {"chunkSize": 5, "latency": 20}  # else the first pieces are lost with the connection

# What it answers, by a word in the question.
FIXTURES: list[dict[str, Any]] = [
    {"match": {"userMessage": "greet"}, "response": IN_PIECES, "chunkSize": 5},
    {"match": {"userMessage": "weather", "hasToolResult": False}, "response": {"toolCalls": CALLS}},
    {"match": {"userMessage": "weather", "hasToolResult": True}, "response": {"content": "It is sunny."}},
    {"match": {"userMessage": "reason"}, "response": {"content": "Yes.", "reasoning": "Hm, well."}, "chunkSize": 3},
    {"match": {"userMessage": "refuse"}, "response": {"error": {"message": "Not that", "type": "x"}, "status": 400}},
    {"match": {"userMessage": "malform"}, "response": IN_PIECES, "chaos": {"malformedRate": 1}},
    {"match": {"userMessage": "drop"}, "response": IN_PIECES, "chaos": {"dropRate": 1}},
    {"match": {"userMessage": "disconnect"}, "response": IN_PIECES, "chaos": {"disconnectRate": 1}},
    {"match": {"userMessage": "limit"}, "response": IN_PIECES, "chaos": {"rateLimitRate": 1}},
    {"match": {"userMessage": "cut"}, "response": IN_PIECES, **PACED, "truncateAfterChunks": 4},
]
TOOLS: Any = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
    for name in ("get_weather", "get_time")
]
both_ways = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@dataclass(frozen=True)
class Faces:
    """Both faces of the gateway before one kind of upstream."""

    upstream: str
    openai: openai.OpenAI
    ollama: ollama.Client


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its address."""
    fixtures = tmp_path_factory.mktemp("aimock") / "fixtures.json"
    fixtures.write_text(json.dumps({"fixtures": FIXTURES}))
    process = subprocess.Popen(
        client_process.command(PROGRAM, "--port", "0", "--fixtures", str(fixtures)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = ""
        while not (found := re.search(r"listening on (http://\S+)", said)):
            line = process.stdout.readline()
            assert line, f"aimock ended: {said}"
            said += line
        yield found[1]
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def document(address: str) -> dict[str, Any]:
    def gateway(upstream: str) -> dict[str, Any]:
        return {"use": "ollama", "with": {"upstream": upstream, "keys": ["team"]}, "mount": f"/{upstream}"}

    return {
        "version": 1,
        "resources": {
            "upstreams": {
                "as-openai": {"dialect": "openai", "base_url": f"{address}/v1"},
                "as-ollama": {"dialect": "ollama", "base_url": address},
            },
            "keys": {"team": {"keys": [{"id": "tester", "key": KEY}]}},
        },
        "gateways": {"over-openai": gateway("as-openai"), "over-ollama": gateway("as-ollama")},
    }


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, fake: str) -> Iterator[str]:
    with serving_process(write(tmp_path_factory.mktemp("gateway"), document(fake))) as process:
        yield f"http://127.0.0.1:{process.port}"


@pytest.fixture(params=["as-openai", "as-ollama"])
def faces(request: pytest.FixtureRequest, gateway: str) -> Iterator[Faces]:
    root = f"{gateway}/{request.param}"
    with (
        openai.OpenAI(base_url=f"{root}/v1", api_key=KEY, max_retries=0, timeout=20) as of_openai,
        ollama.Client(root, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False, timeout=20) as of_ollama,
    ):
        yield Faces(str(request.param), of_openai, of_ollama)


def question(text: str) -> Any:
    return [{"role": "user", "content": text}]


@dataclass
class Heard:
    """What a client had heard when its answer ended, and how it ended."""

    text: str = ""
    finish: str | None = None
    counts: tuple[int | None, int | None] | None = None
    error: openai.APIError | ollama.ResponseError | None = None


def ask_openai(faces: Faces, text: str, stream: bool) -> Heard:
    heard = Heard()
    asked: Any = {"model": MODEL, "messages": question(text)}
    try:
        if not stream:
            answer = faces.openai.chat.completions.create(**asked)
            assert answer.usage is not None
            heard.text, heard.finish = answer.choices[0].message.content or "", answer.choices[0].finish_reason
            heard.counts = (answer.usage.prompt_tokens, answer.usage.completion_tokens)
            return heard
        for chunk in faces.openai.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True}):
            if chunk.usage is not None:
                heard.counts = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
            for choice in chunk.choices:
                heard.text += choice.delta.content or ""
                heard.finish = choice.finish_reason or heard.finish
    except openai.APIError as error:
        heard.error = error
    return heard


def ask_ollama(faces: Faces, text: str, stream: bool) -> Heard:
    heard = Heard()
    try:
        if stream:
            parts = list_until(faces.ollama.chat(MODEL, question(text), stream=True), heard)
        else:
            parts = [faces.ollama.chat(MODEL, question(text))]
            heard.text = parts[0].message.content or ""
        if parts and parts[-1].done:
            heard.finish = parts[-1].done_reason
            heard.counts = (parts[-1].prompt_eval_count, parts[-1].eval_count)
    except ollama.ResponseError as error:
        heard.error = error
    return heard


def list_until(parts: Iterator[ollama.ChatResponse], heard: Heard) -> list[ollama.ChatResponse]:
    """The parts; what they say is kept even if one raises."""
    seen = []
    for part in parts:
        heard.text += part.message.content or ""
        seen.append(part)
    return seen


ASK = pytest.mark.parametrize("ask", [ask_openai, ask_ollama], ids=["openai-client", "ollama-client"])


@ASK
@both_ways
def test_a_right_answer(faces: Faces, ask: Any, stream: bool) -> None:
    heard = ask(faces, "greet me", stream)
    assert (heard.error, heard.text, heard.finish) == (None, TEXT, "stop")
    counted = (USAGE["prompt_tokens"], USAGE["completion_tokens"])
    if faces.upstream == "as-openai":
        assert heard.counts == counted
    else:
        assert heard.counts == (0, 0)  # as an Ollama it counts none


def test_parallel_tools_and_their_results(faces: Faces) -> None:
    asked: Any = {"model": MODEL, "tools": TOOLS}
    with faces.openai.chat.completions.stream(**asked, messages=question("weather")) as events:
        choice = events.until_done().get_final_completion().choices[0]
    made = choice.message.tool_calls or []
    assert [(call.function.name, json.loads(call.function.arguments)) for call in made] == [
        (call["name"], call["arguments"]) for call in CALLS
    ]
    assert choice.finish_reason == "tool_calls"
    said: Any = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.function.name, "arguments": call.function.arguments},
            }
            for call in made
        ],
    }
    results: Any = [{"role": "tool", "tool_call_id": call.id, "content": "sunny"} for call in made]
    after = faces.openai.chat.completions.create(**asked, messages=[*question("weather"), said, *results])
    assert after.choices[0].message.content == "It is sunny."

    parts = list(faces.ollama.chat(**asked, messages=question("weather"), stream=True))
    calls = [call for part in parts for call in part.message.tool_calls or ()]
    assert [{"name": call.function.name, "arguments": call.function.arguments} for call in calls] == CALLS
    history = [
        *question("weather"),
        {"role": "assistant", "content": "", "tool_calls": [call.model_dump() for call in calls]},
        *({"role": "tool", "tool_name": call.function.name, "content": "sunny"} for call in calls),
    ]
    assert faces.ollama.chat(**asked, messages=history).message.content == "It is sunny."


@pytest.mark.parametrize("faces", ["as-openai"], indirect=True)  # as an Ollama it has another field for it than Ollama
@both_ways
def test_reasoning_is_an_ollama_clients_thinking(faces: Faces, stream: bool) -> None:
    asked: Any = {"model": MODEL, "messages": question("reason with me")}
    parts = list(faces.ollama.chat(**asked, stream=True)) if stream else [faces.ollama.chat(**asked)]
    assert "".join(part.message.thinking or "" for part in parts) == "Hm, well."
    assert "".join(part.message.content or "" for part in parts) == "Yes."


# The statuses that a client may be told for each fault, and what the text must hold.
FAULTS: dict[str, tuple[set[int], str]] = {
    "refuse": ({400}, "Not that"),
    "malform": ({502}, ""),
    "drop": ({500, 502}, ""),
    "disconnect": ({502}, ""),
    "limit": ({429}, "rate limit"),
    "no such word": ({404}, "No fixture matched"),
}


@ASK
@both_ways
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_typed_error(faces: Faces, ask: Any, fault: str, stream: bool) -> None:
    statuses, text = FAULTS[fault]
    heard = ask(faces, fault, stream)
    assert (heard.text, heard.finish) == ("", None)
    assert heard.error is not None
    assert heard.error.status_code in statuses
    assert text in str(heard.error)
    if isinstance(heard.error, openai.APIStatusError):
        assert heard.error.type
        if fault == "limit":
            assert isinstance(heard.error, openai.RateLimitError)
            assert heard.error.response.headers["retry-after"] == "1"


@ASK
def test_a_stream_cut_in_the_middle_is_one_typed_error(faces: Faces, ask: Any) -> None:
    heard = ask(faces, "cut", stream=True)
    assert heard.error is not None
    assert heard.finish is None
    assert TEXT.startswith(heard.text)
    assert 0 < len(heard.text) < len(TEXT)
