"""From the caller's dialect to the target's."""

from __future__ import annotations

from pipeline import (
    TARGET,
    Handler,
    Host,
    NotFound,
    Request,
    Response,
    StageSettings,
    UnsupportedMediaType,
    stage,
)


@stage("transform", reads=(TARGET,))
class Transform:
    """Write the request as the chosen target speaks it.

    Same dialect on both sides: the identity, but for the model's name. Nothing is injected and nothing is dropped
    (protocol.md 3.0.3). Runs once per attempt, because another target may speak another dialect.
    """

    class Settings(StageSettings):
        pass

    def __init__(self, settings: Settings, host: Host) -> None:
        self._host = host

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        target = request.slots.get(TARGET)
        if target is None:
            raise NotFound(f"This gateway does not serve {request.operation}.")
        spoken = self._host.upstream(target.upstream).dialect.name
        if spoken != request.dialect:
            raise UnsupportedMediaType(f"This gateway cannot translate from {request.dialect} to {spoken}.")
        if request.payload.get("model") == target.model:
            return await call_next(request)
        return await call_next(request.evolve(payload=request.payload.with_(model=target.model)))
