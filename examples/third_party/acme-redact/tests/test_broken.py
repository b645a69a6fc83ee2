"""Each broken variant does wrong what the stage does right."""

from __future__ import annotations

import pytest
from answers import HOST, chunk, events, read, stream, whole
from broken import LAWS, ByPiece, DropsEmpty, InPlace, OneLetterHeld, SharedState, SkipsWholes
from pipeline import Body, Request, Response, StageFault, compose_strict, spec_of

from acme_redact import Redact

SETTINGS = Redact.Settings(phrases=["secret"], replacement="*")


@pytest.mark.parametrize("cls", [Redact, ByPiece])
async def test_by_piece_misses_what_is_cut(cls: type[Redact]) -> None:
    assert (await read(cls(SETTINGS, HOST), stream("sec", "ret")) == "*") is (cls is Redact)


@pytest.mark.parametrize("cls", [Redact, OneLetterHeld])
async def test_one_letter_held_is_too_little(cls: type[Redact]) -> None:
    assert await read(cls(SETTINGS, HOST), stream("s", "ecret")) == "*"
    assert (await read(cls(SETTINGS, HOST), stream("se", "cret")) == "*") is (cls is Redact)


@pytest.mark.parametrize("cls", [Redact, SkipsWholes])
async def test_skips_wholes(cls: type[Redact]) -> None:
    assert await read(cls(SETTINGS, HOST), stream("a secret")) == "a *"
    assert (await read(cls(SETTINGS, HOST), whole("a secret"), streamed=False) == "a *") is (cls is Redact)


@pytest.mark.parametrize("cls", [Redact, SharedState])
async def test_shared_state_tells_one_caller_of_another(cls: type[Redact]) -> None:
    shared = cls(SETTINGS, HOST)
    await events(shared, [chunk("sec")], end=False)
    assert (await read(shared, stream("retro")) == "retro") is (cls is Redact)


@pytest.mark.parametrize("cls", [Redact, DropsEmpty])
async def test_drops_what_has_no_text(cls: type[Redact]) -> None:
    found = await events(cls(SETTINGS, HOST), stream("hello"), end=False)
    ended = [event for event in found if event.data["choices"][0]["finish_reason"]]
    assert bool(ended) is (cls is Redact)


@pytest.mark.parametrize("cls", [Redact, InPlace])
async def test_in_place_edits_what_a_retry_would_see(cls: type[Redact]) -> None:
    async def answer(request: Request) -> Response:
        return Response(Body.of([]))

    request = Request("chat", payload={"messages": [{"role": "user", "content": "a secret"}]})
    handler = compose_strict([cls(SETTINGS, HOST)], terminal=answer)
    if cls is InPlace:
        with pytest.raises(StageFault, match="edited the request's payload in place"):
            await handler(request)
    else:
        await (await handler(request)).body.aclose()


def test_every_variant_is_of_a_kind_of_its_own() -> None:
    assert len({spec_of(cls).kind for cls in [Redact, *LAWS]}) == len(LAWS) + 1
