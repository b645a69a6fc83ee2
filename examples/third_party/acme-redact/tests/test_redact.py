"""What `acme.redact` promises of an answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from answers import HOST, chunk, events, read, stream, whole
from hypothesis import given
from hypothesis import strategies as st
from pipeline import Data, EventKind, Pipeline, Request

from acme_redact import Redact

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def redact(*phrases: str) -> Redact:
    return Redact(Redact.Settings(phrases=list(phrases or ["secret"]), replacement="*"), HOST)


async def test_a_phrase_in_one_piece_and_in_many() -> None:
    for answer in (whole("The secret is out"), stream("The secret is out"), stream(*"The secret is out")):
        assert await read(redact(), answer) == "The * is out"


async def test_text_leaves_at_once_unless_it_may_become_a_phrase() -> None:
    said = [event.text for event in await events(redact(), stream("Hello s", "un, sec", "ret"))]
    assert said == ["Hello ", "sun, ", "*", "", ""]


async def test_what_is_held_leaves_before_the_end_of_its_choice() -> None:
    said = [
        (event.text, event.data["choices"][0]["finish_reason"])
        for event in await events(redact(), stream("a sec"))
        if event.kind is EventKind.DATA
    ]
    assert said == [("a ", None), ("sec", None), ("", "stop")]


async def test_what_is_held_leaves_at_the_end_of_a_stream_whose_choice_never_ended() -> None:
    found = await events(redact(), [chunk("a sec")])
    assert [event.text for event in found] == ["a ", "sec", ""]
    assert found[-1].kind is EventKind.END


async def test_choices_and_fields_are_apart() -> None:
    answer = [chunk("sec"), chunk("sec", index=1), chunk("ret"), chunk("ond", index=1), chunk(reasoning="sec")]
    answer += [chunk("!", reasoning="ret"), chunk(finish="stop"), chunk(finish="stop", index=1)]
    assert (await read(redact(), answer), await read(redact(), answer, index=1)) == ("*!", "second")
    found = [event.data["choices"][0]["delta"] for event in await events(redact(), answer, end=False)]
    assert "".join(delta.get("reasoning") or "" for delta in found) == "*"


async def test_text_completions_are_text_too() -> None:
    pieces = [{"choices": [{"index": 0, "text": text, "finish_reason": None}]} for text in ("sec", "ret", " se")]
    assert (
        await read(redact(), [*pieces, {"choices": [{"index": 0, "text": "c", "finish_reason": "length"}]}]) == "* sec"
    )


async def test_an_event_that_is_made_has_the_head_of_the_one_its_text_came_in() -> None:
    first: Data = {**chunk("sec", role="assistant"), "id": "x", "usage": {"prompt_tokens": 1}, "tps": 9}
    made = (await events(redact(), [first, chunk(finish="stop")]))[1].data
    assert made == {
        "id": "x",
        "choices": [{"index": 0, "delta": {"content": "sec"}, "finish_reason": None, "logprobs": None}],
    }


async def test_log_probabilities_do_not_tell_what_the_text_does_not() -> None:
    answer = whole("a secret")
    answer[0]["choices"][0]["logprobs"] = {"content": [{"token": "secret", "logprob": -0.1}]}
    (only, _) = await events(redact(), answer)
    assert "secret" not in str(only.data)


@pytest.mark.parametrize(
    "data",
    [{"data": [{"index": 0, "embedding": [0.5]}]}, {"choices": [], "usage": {"prompt_tokens": 1}}, chunk("nothing")],
)
async def test_what_has_nothing_to_redact_is_the_same_event(data: Data) -> None:
    (only, _) = await events(redact(), [data])
    assert only.data is data


pieces = st.lists(st.text("secrt ", max_size=5), max_size=8)


@given(pieces)
async def test_whole_is_the_collected_stream(anyio_backend: Any, pieces: list[str]) -> None:
    text = "".join(pieces)
    expected = text.replace("secret", "*")
    assert await read(redact(), stream(*pieces)) == expected
    assert await read(redact(), whole(text)) == expected


@pytest.mark.parametrize("stream", [True, False])
async def test_a_gateway_finds_it_by_its_kind(stream: bool) -> None:
    said = "About Project Nightfall and Project Night"
    payload = {"model": "echo", "messages": [{"role": "user", "content": said}], "stream": stream}
    async with Pipeline.from_config(EXAMPLE) as pipeline:
        response = await pipeline.handle(Request("chat", model="echo", payload=payload, stream=stream))
        text = "".join([event.text async for event in response.body])
    assert text == "About [redacted] and Project Night"
