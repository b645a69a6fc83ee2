"""The upstream's answer, as the client's protocol says an answer looks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline import CHOICE, ORIGINAL, TARGET_USED, Event, Handler, Host, Request, Response, StageSettings, stage

_ANSWERED_BY_MODELS = frozenset({"chat", "completion", "embedding", "embedding.single"})


@stage("normalise", reads=(ORIGINAL,), may_read=(CHOICE,), response_reads=(TARGET_USED,), expands=True)
class Normalise:
    """Write the answer as the caller speaks it, in one of two shapes. `complete` supplies and corrects what the
    client's protocol requires; unknown fields survive. `forward` lets the bytes pass as they come, but for the model's
    name where the caller used another one.

    List it after `dispatch`: it only sees the response. An answer in another dialect than the caller's is completed
    with either shape: there are no bytes to forward. Errors are in the caller's form always.
    """

    class Settings(StageSettings):
        shape: Literal["complete", "forward"] = Field(
            default="complete", description="complete: put right what the upstream left out or bent. forward: as is."
        )

        reasoning_fields: list[str] = Field(
            default=[],
            description="Names under which the model's reasoning is told where the caller's protocol has none of its "
            "own, such as [reasoning, reasoning_content]. Default: as the upstream calls it, else `reasoning`.",
        )

    def __init__(self, settings: Settings, host: Host) -> None:
        self._complete = settings.shape == "complete"
        self._reasoning_fields = tuple(settings.reasoning_fields)
        self._host = host

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await call_next(request)
        try:
            return self._put_right(request, response)
        except BaseException:
            await response.body.aclose()
            raise

    def _put_right(self, request: Request, response: Response) -> Response:
        # What the caller asked decides how the answer looks, not what `transform` has made of it.
        asked = request.slots.get(ORIGINAL, request)
        if asked.operation not in _ANSWERED_BY_MODELS:
            return response
        dialect = self._host.dialect(asked.dialect)
        choice = request.slots.get(CHOICE)
        if choice:
            response.body.map(lambda event: _numbered(event, choice))
        if self._complete or response.body.dialect != asked.dialect:
            complete = dialect.completer(
                asked, model=asked.model, id=asked.id, clock=self._host.clock, reasoning_fields=self._reasoning_fields
            )
            response.body.expand(complete)
        elif asked.model != response.slots[TARGET_USED].model:
            response.body.patch(dialect.renamer(asked, asked.model))
        return response


def _numbered(event: Event, choice: int) -> Event:
    """The event of a call that was made for one choice of several: the upstream knows of no other, so it says 0."""
    choices = event.data.get("choices")
    if not choices:
        return event
    return event.with_data({**event.data, "choices": [{**each, "index": choice} for each in choices]})
