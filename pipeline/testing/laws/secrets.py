"""L16: what must not be written down is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipeline.errors import GatewayError
from pipeline.testing.law import law
from pipeline.testing.scenario import Ask
from pipeline.testing.strategies import scenarios
from pipeline.testing.strategies.settings import SECRET
from pipeline.testing.world import World

PROMPT = "kit-prompt-that-is-private"


@law("L16", "No secret and no prompt in a repr, a log line or an error", scenarios=scenarios)
async def nothing_told(world: World) -> None:
    """Settings of type `SecretStr`, the caller's key and what it asked the model are nobody's business: not in
    `repr(stage)`, not in the log, not in the access line's notes, not in the message or detail of an error.
    """
    ask = _with_prompt(world.scenario.ask)
    async with world.started() as stage:
        with world.host.capturing():
            result = await world.result(stage, ask)
        told = [
            ("repr(stage)", repr(stage)),
            *(("the log", record) for record in world.host.records),
            *(("the access line", f"{name}={value!r}") for name, value in world.notes.facts),
            *_told_by(result.error),
        ]
    secrets = {"a secret setting": SECRET, "the prompt": PROMPT, **({"the caller's key": ask.key} if ask.key else {})}
    for where, text in told:
        for what, secret in secrets.items():
            assert secret not in text, f"{what} is in {where}: {text[:200]}"


def _told_by(error: Exception | None) -> Iterator[tuple[str, str]]:
    if error is None:
        return
    yield "an error", f"{type(error).__name__}: {error}"
    if isinstance(error, GatewayError):
        yield "an error", f"{error.public()} {error.facts()}"


def _with_prompt(ask: Ask) -> Ask:
    payload = dict(ask.payload)
    messages = payload.get("messages")
    if messages:
        payload["messages"] = [*messages, {"role": "user", "content": PROMPT}]
    for name in ("prompt", "input"):
        if isinstance(payload.get(name), str):
            payload[name] = PROMPT
    return replace(ask, payload=payload)
