"""The stage `acme.redact`."""

from __future__ import annotations

from typing import Annotated

from pipeline import Handler, Host, Request, Response, StageSettings, stage
from pydantic import Field

from acme_redact.answer import RedactedAnswer
from acme_redact.phrases import Phrases


@stage("acme.redact", expands=True)
class Redact:
    """Replace phrases in answers, also where they arrive in pieces.

    Stands outside `normalise`, so that it sees events that are already put right. Upper and lower case differ.
    """

    class Settings(StageSettings):
        phrases: list[Annotated[str, Field(min_length=1)]] = Field(
            min_length=1, description="What must leave no answer; the longest counts where several begin."
        )
        replacement: str = Field(default="[redacted]", description="What stands in its place.")

    def __init__(self, settings: Settings, host: Host) -> None:
        self._phrases = Phrases(settings.phrases, settings.replacement)

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        response = await call_next(request)
        response.body.expand(RedactedAnswer(self._phrases))
        return response
