"""From the caller's dialect to the target's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from pipeline import (
    CHOICE,
    END,
    TARGET,
    Answered,
    Body,
    Dialect,
    Event,
    Handler,
    Host,
    IfLost,
    Losses,
    NotFound,
    Payload,
    Request,
    Response,
    StageSettings,
    Target,
    Translated,
    TranslationRules,
    note,
    stage,
)
from stages.transform.fan_out import fan_out
from stages.transform.promises import keep_promises

REPORT_HEADER = "x-gateway-dropped"
Policy = Literal["error", "warn", "ignore"]
Emulation = Literal["chat_template", "json_hint", "n", "parallel_tool_calls", "tool_choice"]


@stage("transform", reads=(TARGET,), writes=(CHOICE,), calls_next="many")
class Transform:
    """Write the request as the chosen target speaks it.

    Same dialect on both sides: the identity, but for the model's name. Nothing is injected and nothing is dropped
    (protocol.md 3.0.3). Otherwise the request is read into the neutral form and written from there; what is lost or
    changed on the way is refused, or named in the header `x-gateway-dropped` and in the access line.

    Runs once per attempt, because another target may speak another dialect. One request becomes several calls only
    where the target's dialect has no other way (several prompts, `n` choices).
    """

    class Settings(StageSettings):
        on_unsupported: Policy | None = Field(
            default=None,
            description="What happens to fields that the target cannot be told. Default: what the compatibility table "
            "says of each. error: 400. warn: drop and report. ignore: drop.",
        )
        fields: dict[str, Policy] = Field(
            default={},
            description="The same for single fields, such as `logit_bias`, `options.top_k`, `messages[].name`.",
        )
        emulate: list[Emulation] = Field(
            default=["json_hint"],
            description="What to imitate where the target cannot do it. chat_template: text completions are chats. "
            "json_hint: ask for JSON in words too. n: a call for each choice. parallel_tool_calls: keep the first call "
            "only. tool_choice: ask for the call in words, and fail if none comes.",
        )

    def __init__(self, settings: Settings, host: Host) -> None:
        self._host = host
        self._rules = TranslationRules(
            unsupported=IfLost(settings.on_unsupported) if settings.on_unsupported else None,
            fields={name: IfLost(policy) for name, policy in settings.fields.items()},
            emulate=frozenset(settings.emulate),
        )

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        target = request.slots.get(TARGET)
        if target is None:
            raise NotFound(f"This gateway does not serve {request.operation}.")
        upstream = self._host.upstream(target.upstream)
        spoken = self._host.dialect(request.dialect)
        if upstream.dialect.name == spoken.name:
            return await call_next(_renamed(request, spoken, target))
        losses = Losses(self._rules)
        asked = spoken.read(request, losses)
        if isinstance(asked, Answered):
            return self._answer(request, spoken, asked)
        calls = upstream.dialect.write(asked, target, losses, profile=upstream.profile)
        _log(request, losses)
        response = await _send(request, calls, call_next)
        keep_promises(response.body, asked, losses)
        header = losses.header()
        return response if header is None else response.with_header(REPORT_HEADER, header)

    def _answer(self, request: Request, spoken: Dialect, answered: Answered) -> Response:
        body = Body.of([Event(answered.data), END])
        body.expand(spoken.completer(request, model=request.model, id=request.id, clock=self._host.clock))
        return Response(body)


def _renamed(request: Request, dialect: Dialect, target: Target) -> Request:
    if request.payload.get("model") == target.model:
        return request
    return request.evolve(payload=dialect.rename(request, target.model))


async def _send(request: Request, calls: Sequence[Translated], call_next: Handler) -> Response:
    requests = [request.evolve(operation=call.operation, payload=Payload(call.payload)) for call in calls]
    if len(requests) == 1:
        return await call_next(requests[0])
    return await fan_out(requests, [call.again for call in calls], call_next)


def _log(request: Request, losses: Losses) -> None:
    """Into the access line before the request is sent, so that it is there whatever becomes of it."""
    if losses.dropped:
        note(request, dropped=", ".join(losses.dropped))
    if losses.changed:
        note(request, changed=", ".join(losses.changed))
