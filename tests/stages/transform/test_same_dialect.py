"""The request as the target speaks it: the same but for the model's name."""

from __future__ import annotations

import json

from pipeline import TARGET, Payload, Request, Target
from stages.transform.stage import Transform
from tests.stages.fakes import FakeUpstream, Next, answers, fake_host

BODY = b'{"model":"asked","messages":[{"role":"user","content":"\\u00e9"}],"x":1.0,"n":12345678901234567890123}'


def asking(model: str, dialect: str = "openai") -> Request:
    payload = Payload.parse(BODY.replace(b"asked", model.encode()))
    request = Request("chat", model=model, dialect=dialect, payload=payload)
    return request.with_slot(TARGET, Target("up", "theirs"))


def transform() -> Transform:
    upstream = FakeUpstream("up", lambda call: answers(200))
    return Transform(Transform.Settings(), fake_host(upstreams={"up": upstream}))


async def test_only_the_model_is_written_anew() -> None:
    call_next = Next()
    before = asking("asked")
    await transform()(before, call_next)
    (request,) = call_next.requests
    assert request.payload.encode() == BODY.replace(b'"asked"', b'"theirs"')
    assert request.model == "asked", "every answer echoes what the caller said"
    assert json.loads(before.payload.encode())["model"] == "asked", "a retry sees the request as it was"


async def test_the_same_name_is_the_identity() -> None:
    call_next = Next()
    request = asking("theirs")
    await transform()(request, call_next)
    assert call_next.requests[0] is request
