"""Managing a model server's own store: passed on to one that speaks so, else refused; what is served need no pull."""

from __future__ import annotations

import pytest

from pipeline import (
    END,
    Body,
    Event,
    EventKind,
    InvalidRequest,
    ModelCard,
    ModelNotFound,
    Request,
    Response,
    UpstreamUnavailable,
)
from tests.stages.discovering import Catalogue, discover, events, targeting
from tests.stages.fakes import Next, never_next

OWN = ModelCard("m:latest", dialect="ollama")
PLAIN = ModelCard("gpt-4o", dialect="openai")
ALL = ["manage.push", "manage.create", "manage.copy", "manage.delete", "manage.blob.check", "manage.blob.push"]


def asking(operation: str, model: str = "m", upstream: str | None = None) -> Request:
    request = Request(operation, model=model, dialect="ollama", stream=True)
    return request if upstream is None else targeting(request, upstream)


def progress(request: Request) -> Response:
    return Response(Body.of([Event({"status": "success"}), END]))


@pytest.mark.parametrize("upstream", [None, "plain"])
@pytest.mark.parametrize("operation", ALL)
async def test_without_an_upstream_that_speaks_so_it_is_refused(operation: str, upstream: str | None) -> None:
    with pytest.raises(InvalidRequest, match="not supported by this gateway") as caught:
        await discover(Catalogue(PLAIN, OWN))(asking(operation, "gpt-4o", upstream), never_next)
    assert caught.value.status == 501


@pytest.mark.parametrize("operation", [*ALL, "manage.pull"])
async def test_it_is_passed_on_to_one_that_does(operation: str) -> None:
    call_next = Next(progress)
    request = asking(operation, "new", "own")
    response = await discover(Catalogue(PLAIN, OWN))(request, call_next)
    assert call_next.requests == [request]
    assert [event.data for event in await events(response)] == [{"status": "success"}, {}]


@pytest.mark.parametrize(
    ("operation", "changes"),
    [
        *((operation, 1) for operation in ("manage.pull", "manage.create", "manage.copy", "manage.delete")),
        *((operation, 0) for operation in ("manage.push", "manage.blob.check", "manage.blob.push")),
    ],
)
async def test_the_catalogue_learns_of_a_change_when_it_is_done(operation: str, changes: int) -> None:
    catalogue = Catalogue(OWN)
    response = await discover(catalogue)(asking(operation, "new", "own"), Next(progress))
    assert catalogue.changes == 0, "it is still going on"
    await events(response)
    assert catalogue.changes == changes


@pytest.mark.parametrize("upstream", [None, "plain", "own"])
async def test_what_another_server_serves_need_not_be_pulled(upstream: str | None) -> None:
    catalogue = Catalogue(PLAIN, OWN)
    response = await discover(catalogue)(asking("manage.pull", "gpt-4o", upstream), never_next)
    told = await events(response)
    assert [event.data for event in told] == [{"status": "pulling manifest"}, {"status": "success"}, {}]
    assert told[-1].kind is EventKind.END
    assert catalogue.changes == 0


@pytest.mark.parametrize("model", ["anything", "unlisted"])
async def test_a_name_that_is_only_answered_by_default_is_pulled_where_it_can_be(model: str) -> None:
    catalogue = Catalogue(PLAIN, names={"anything": "gpt-4o", "unlisted": "hidden"})
    call_next = Next(progress)
    await discover(catalogue)(asking("manage.pull", model, "own"), call_next)
    assert len(call_next.requests) == 1


async def test_where_nothing_can_be_pulled_a_default_answer_is_as_good() -> None:
    response = await discover(Catalogue(PLAIN, names={"x": "gpt-4o"}))(asking("manage.pull", "x"), never_next)
    assert len(await events(response)) == 3


@pytest.mark.parametrize("model", ["nobody", "unlisted"])
async def test_what_nobody_serves_fails_after_the_first_line(model: str) -> None:
    """As on the original: HTTP 200, one line of progress, then the error (pitfall 65)."""
    catalogue = Catalogue(PLAIN, names={"unlisted": "hidden"})
    response = await discover(catalogue)(asking("manage.pull", model), never_next)
    assert response.status == 200
    assert (await anext(response.body)).data == {"status": "pulling manifest"}
    with pytest.raises(ModelNotFound, match="pull model manifest: file does not exist") as caught:
        await anext(response.body)
    assert caught.value.status == 404


async def test_a_pull_is_passed_on_though_the_lists_cannot_be_had() -> None:
    call_next = Next(progress)
    request = asking("manage.pull", "new", "own")
    await discover(Catalogue(error=UpstreamUnavailable("down")))(request, call_next)
    assert call_next.requests == [request]
