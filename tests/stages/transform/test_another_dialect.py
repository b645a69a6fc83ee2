"""Between two dialects: what is read is written, and what is lost on the way is refused or named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pipeline import (
    END,
    NOTES,
    ORIGINAL,
    TARGET,
    Body,
    Event,
    InvalidRequest,
    NotFound,
    Request,
    Response,
    Target,
    UpstreamUnavailable,
)
from stages.transform.stage import Transform
from tests.pipeline.fakes import FakeClock, texts
from tests.stages.fakes import FakeUpstream, Next, answers, fake_host, never_next
from tests.stages.transform.toy_dialects import Asks, Tells


class Notebook:
    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}

    def note(self, facts: Mapping[str, Any], /) -> None:
        self.facts.update(facts)


def asking(notes: Notebook | None = None, **payload: Any) -> Request:
    request = Request("chat", model="asked", dialect="asks", payload={"model": "asked", "say": ["hi"], **payload})
    request = request.with_slot(TARGET, Target("up", "theirs")).with_slot(NOTES, notes or Notebook())
    return request.with_slot(ORIGINAL, request)


def transform(profile: str = "narrow", **settings: Any) -> Transform:
    upstream = FakeUpstream("up", lambda call: answers(200))
    upstream.dialect, upstream.profile = Tells(), profile
    kinds = {("dialect", "asks"): Asks, ("dialect", "tells"): Tells}
    host = fake_host(implementations=kinds, upstreams={"up": upstream}, clock=FakeClock(5.0))  # type: ignore[arg-type]
    return Transform(Transform.Settings(**settings), host)


def said(*words: str) -> Next:
    events = [*(Event({"choices": [{"index": 0, "delta": {"content": word}}]}) for word in words), END]
    return Next(lambda _: Response(Body.of(events)))


async def test_the_request_is_written_in_the_target_s_words() -> None:
    call_next = said("a", "b")
    before = asking()
    response = await transform()(before, call_next)
    (sent,) = call_next.requests
    assert (sent.operation, dict(sent.payload)) == ("spoken", {"model": "theirs", "prompt": "hi"})
    assert (sent.dialect, sent.model, sent.id) == ("asks", "asked", before.id), "the caller's own, as it was"
    assert sent.slots[ORIGINAL].payload["say"] == ["hi"]
    assert dict(before.payload)["say"] == ["hi"], "another attempt begins with what the caller said"
    assert await texts(response.body) == ["a", "b"]
    assert response.headers.get("x-gateway-dropped") is None


async def test_the_profile_of_the_upstream_decides_what_it_can_be_told() -> None:
    call_next = said("a")
    await transform("wide")(asking(), call_next)
    assert call_next.requests[0].payload["length"] == 7


async def test_what_is_lost_is_named_to_the_caller_and_in_the_log() -> None:
    notes = Notebook()
    response = await transform()(asking(notes, hint=1, colour="red", shout=True), said("a"))
    assert response.headers.get("x-gateway-dropped") == "colour, shout;changed"
    assert notes.facts == {"dropped": "colour", "changed": "shout"}


async def test_without_losses_the_log_says_nothing() -> None:
    notes = Notebook()
    await transform()(asking(notes, hint=1), said("a"))
    assert notes.facts == {}


async def test_the_log_names_the_losses_of_a_request_that_failed_too() -> None:
    async def down(request: Request) -> Response:
        raise UpstreamUnavailable("down")

    notes = Notebook()
    with pytest.raises(UpstreamUnavailable):
        await transform()(asking(notes, colour="red"), down)
    assert notes.facts == {"dropped": "colour"}


async def test_what_must_not_be_lost_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(InvalidRequest) as caught:
        await transform()(asking(shade=1), never_next)
    assert (caught.value.param, caught.value.code) == ("shade", "unsupported_parameter")


@pytest.mark.parametrize(
    ("settings", "payload", "header"),
    [
        ({"on_unsupported": "warn"}, {"shade": 1}, "shade"),
        ({"on_unsupported": "ignore"}, {"shade": 1, "colour": 1, "shout": 1}, None),
        ({"on_unsupported": "error"}, {"hint": 1}, None),
        ({"on_unsupported": "error", "fields": {"colour": "warn"}}, {"colour": 1}, "colour"),
        ({"fields": {"hint": "warn"}}, {"hint": 1}, "hint"),
        ({"fields": {"shout": "ignore"}}, {"shout": 1, "colour": 1}, "colour"),
        ({"on_unsupported": "ignore", "fields": {"shade": "warn"}}, {"shade": 1, "colour": 1}, "shade"),
    ],
)
async def test_a_config_may_be_laxer(settings: Any, payload: Any, header: str | None) -> None:
    response = await transform(**settings)(asking(**payload), said("a"))
    assert response.headers.get("x-gateway-dropped") == header


@pytest.mark.parametrize(
    ("settings", "payload", "param", "code"),
    [
        ({"on_unsupported": "error"}, {"colour": 1}, "colour", "unsupported_parameter"),
        ({"on_unsupported": "error"}, {"shout": 1}, "shout", "unsupported_value"),
        ({"fields": {"hint": "error"}}, {"hint": 1}, "hint", "unsupported_parameter"),
        ({"on_unsupported": "ignore", "fields": {"shout": "error"}}, {"shout": 1}, "shout", "unsupported_value"),
    ],
)
async def test_or_stricter(settings: Any, payload: Any, param: str, code: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await transform(**settings)(asking(**payload), never_next)
    assert (caught.value.param, caught.value.code) == (param, code)


@pytest.mark.parametrize(("emulate", "operation"), [(["chat_template"], "chanted"), ([], "spoken")])
async def test_the_writer_is_told_what_it_may_imitate(emulate: list[str], operation: str) -> None:
    call_next = said("a")
    await transform(emulate=emulate)(asking(), call_next)
    assert call_next.requests[0].operation == operation


async def test_a_request_that_needs_no_model_server_is_answered_here_in_the_caller_s_form() -> None:
    request = asking(local=True).evolve(id="r1")
    response = await transform()(request, never_next)
    events = [event async for event in response.body]
    assert events[0].text == "here"
    assert events[0].data["completed"] == {"model": "asked", "id": "r1", "asked": "chat", "reasoning": []}
    assert events[-1].kind is END.kind


async def test_several_calls_become_one_answer() -> None:
    call_next = Next(
        lambda request: Response(
            Body.of([Event({"choices": [{"index": 0, "delta": {"content": request.payload["prompt"]}}]}), END])
        )
    )
    response = await transform()(asking(say=["one", "two"], colour=1), call_next)
    assert response.headers.get("x-gateway-dropped") == "colour"
    choices = [event.data["choices"][0] async for event in response.body if event.data]
    assert [(choice["index"], choice["delta"]["content"]) for choice in choices] == [(0, "one"), (1, "two")]
    assert [request.payload["prompt"] for request in call_next.requests] == ["one", "two"]


async def test_an_operation_that_has_no_target_is_not_served() -> None:
    with pytest.raises(NotFound, match=r"manage\.pull"):
        await transform()(Request("manage.pull", dialect="asks"), never_next)


@pytest.mark.parametrize(
    "settings", [{"on_unsupported": "drop"}, {"fields": {"a": "no"}}, {"emulate": ["everything"]}, {"unknown": 1}]
)
def test_settings_that_mean_nothing_are_refused(settings: Any) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Transform.Settings(**settings)
