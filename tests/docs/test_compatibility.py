"""What the page on API compatibility says of a parameter is what happens to it, field by field, profile by profile.

The page is made of the tables; here a request with that one field is read by the one dialect and written by the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from docs import compatibility
from pipeline import (
    Answered,
    Dialect,
    IfLost,
    InvalidRequest,
    Losses,
    Parameter,
    Request,
    Target,
    TranslationRules,
)
from stages.dialects.ollama import table as ollama
from stages.dialects.ollama.dialect import Ollama
from stages.dialects.openai import table as openai
from stages.dialects.openai.dialect import OpenAI
from stages.dialects.table import Reads, Writes

VALUES: dict[Parameter, Any] = {
    Parameter.MAX_TOKENS: 5,
    Parameter.TEMPERATURE: 0.5,
    Parameter.TOP_P: 0.5,
    Parameter.TOP_K: 5,
    Parameter.MIN_P: 0.1,
    Parameter.TYPICAL_P: 0.9,
    Parameter.FREQUENCY_PENALTY: 0.5,
    Parameter.PRESENCE_PENALTY: 0.5,
    Parameter.REPEAT_PENALTY: 1.1,
    Parameter.REPEAT_LAST_N: 32,
    Parameter.SEED: 7,
    Parameter.STOP: ["a"],
    Parameter.REASONING: "high",
    Parameter.LOGPROBS: True,
    Parameter.TOP_LOGPROBS: 3,
    Parameter.CHOICES: 2,
    Parameter.LOGIT_BIAS: {"1": 1},
    Parameter.PARALLEL_TOOL_CALLS: False,
    Parameter.SUFFIX: "the end",
    Parameter.TEMPLATE: "{{ .Prompt }}",
    Parameter.DIMENSIONS: 8,
    Parameter.TRUNCATE: True,
    Parameter.SHIFT: False,
    Parameter.KEEP_ALIVE: "5m",
    Parameter.NUM_CTX: 4096,
    Parameter.SERVER_OPTIONS: 2,
    Parameter.VERBOSITY: "low",
}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
LEAST: dict[tuple[str, str], dict[str, Any]] = {
    **{(name, "chat"): {"messages": [{"role": "user", "content": "Hi"}]} for name in ("openai", "ollama")},
    **{(name, "completion"): {"prompt": "Once"} for name in ("openai", "ollama")},
    **{(name, "embedding"): {"input": "Once"} for name in ("openai", "ollama")},
    ("ollama", "embedding.single"): {"prompt": "Once"},
}
Case = tuple[Dialect, Reads, str, Dialect, str, tuple[Writes, ...]]


def cases() -> Iterator[Case]:
    """Each field that means a parameter, for each operation that has it and each profile of the other side."""
    sides: list[tuple[Dialect, tuple[Reads, ...], tuple[Writes, ...]]] = [
        (OpenAI(), openai.READS, openai.WRITES),
        (Ollama(), ollama.READS, ollama.WRITES),
    ]
    for (client, reads, _), (server, _, writes) in (sides, sides[::-1]):
        for read in reads:
            for operation in read.operations if isinstance(read.means, Parameter) else ():
                asked_as = compatibility.asked_as(client.name, operation)
                told = tuple(row for row in writes if row.means is read.means and set(row.operations) & set(asked_as))
                for profile in server.profiles:
                    yield client, read, operation, server, profile, told


def name_of(case: Case) -> str:
    client, read, operation, _, profile, _ = case
    return f"{client.name} {operation} {read.field} to {profile}"


def asking(client: Dialect, read: Reads, operation: str) -> Request:
    """The least request that holds the field; logprobs are what the number of alternatives is one of."""
    body = {"model": "m", **LEAST[client.name, operation]}
    means = read.means
    assert isinstance(means, Parameter)
    if means is Parameter.TOP_LOGPROBS and read.field == "top_logprobs":
        body["logprobs"] = True
    if means is Parameter.PARALLEL_TOOL_CALLS:
        body["tools"] = [TOOL]
    at = body
    *owners, field = read.field.replace("*", "num_batch").split(".")
    for owner in owners:
        at = at.setdefault(owner, {})
    at[field] = True if field == "use_mmap" else VALUES[means]
    asked = client.decode_request(operation, json.dumps(body).encode(), "")
    return Request(operation, model="m", dialect=client.name, payload=asked.payload, stream=asked.stream)


def look(payload: Mapping[str, Any], path: str) -> Any:
    name, _, rest = path.partition(".")
    found = payload.get(name)
    return look(found, rest) if rest and isinstance(found, Mapping) else None if rest else found


@pytest.mark.parametrize("case", [*cases()], ids=name_of)
def test_a_parameter_fares_as_the_page_says(case: Case) -> None:
    client, read, operation, server, profile, told = case
    means = read.means
    assert isinstance(means, Parameter)
    losses = Losses(TranslationRules())
    refused: str | None = None
    written: list[Mapping[str, Any]] = []
    try:
        asked = client.read(asking(client, read, operation), losses)
        assert not isinstance(asked, Answered)
        written = [call.payload for call in server.write(asked, Target("up", "m"), losses, profile=profile)]
    except InvalidRequest as error:
        refused = error.param
    path = read.field.replace("*", "num_batch")
    known = [row.field for row in told if row.profiles is None or profile in row.profiles]
    if known:
        assert (refused, losses.dropped) == (None, []), "it is mapped, and comes through"
        assert any(look(written[0], field) is not None for field in known)
    elif means.if_lost is IfLost.REJECT:
        assert refused == path
    else:
        assert refused is None
        reported = means.if_lost is IfLost.WARN and not (read.loss and VALUES[means] is True)
        assert losses.dropped == ([path] if reported else []), "but for what is as good as absent"
