"""The upstream's answer, as the client's protocol says an answer looks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline import TARGET_USED, Handler, Host, Request, Response, StageSettings, stage


@stage("normalise", response_reads=(TARGET_USED,), expands=True)
class Normalise:
    """Two shapes. `complete` supplies and corrects what the client's protocol requires; unknown fields survive.
    `forward` lets the bytes pass as they come, but for the model's name where the caller used another one.

    List it after `dispatch`: it only sees the response. Errors are in the client's form with either shape.
    """

    class Settings(StageSettings):
        shape: Literal["complete", "forward"] = Field(
            default="complete", description="complete: put right what the upstream left out or bent. forward: as is."
        )

    def __init__(self, settings: Settings, host: Host) -> None:
        self._complete = settings.shape == "complete"
        self._host = host

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await call_next(request)
        dialect = self._host.dialect(request.dialect)
        if request.operation.startswith("models."):
            return response
        if self._complete:
            created = int(self._host.clock.time())
            response.body.expand(dialect.completer(request, model=request.model, id=request.id, created=created))
        elif request.model != response.slots[TARGET_USED].model:
            response.body.patch(dialect.renamer(request, request.model))
        return response
