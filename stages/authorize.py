"""May this caller do this? Some operations are not for everybody who may generate."""

from __future__ import annotations

from fnmatch import fnmatchcase

from pydantic import Field

from pipeline import (
    PRINCIPAL,
    Handler,
    Host,
    PermissionDenied,
    Request,
    Response,
    SettingsError,
    StageSettings,
    stage,
)


@stage("authorize", reads=(PRINCIPAL,), calls_next="at_most_once")
class Authorize:
    """Refuse operations that the caller has no scope for, with 403; what no pattern matches is for everybody.

    Every pattern that matches must be satisfied, so a wide rule is not opened by a narrower one that somebody adds.
    `anonymous` has no scopes: where everybody is served, a rule refuses everybody.
    """

    class Settings(StageSettings):
        operations: dict[str, str | None] = Field(
            default={},
            description="Patterns of operations, such as `manage.*` or `manage`, which covers the same, each with the "
            "scope that callers need for them. null: nobody may.",
        )

    def __init__(self, settings: Settings, host: Host) -> None:
        for pattern, scope in settings.operations.items():
            if not pattern or (scope is not None and not scope.strip()):
                raise SettingsError("a pattern and its scope need a name; null means nobody", field="operations")
        self._rules = tuple(settings.operations.items())

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        needed = [scope for pattern, scope in self._rules if _covers(pattern, request.operation)]
        if needed and not request.slots[PRINCIPAL].scopes.issuperset(needed):
            raise PermissionDenied(f"You may not use {request.operation} here.")
        return await call_next(request)


def _covers(pattern: str, operation: str) -> bool:
    """A name covers all that is below it too: who writes `manage` does not mean to leave `manage.pull` open."""
    return fnmatchcase(operation, pattern) or operation.startswith(pattern + ".")
