"""Who is calling? Refuses everybody else before any work is done."""

from __future__ import annotations

from pydantic import Field

from pipeline import (
    PRINCIPAL,
    Handler,
    Host,
    Principal,
    Request,
    Response,
    SettingsError,
    StageSettings,
    Unauthenticated,
    note,
    stage,
)

_ANONYMOUS = Principal("anonymous")


@stage("authenticate", writes=(PRINCIPAL,), calls_next="at_most_once")
class Authenticate:
    """Turn the bearer key into a principal, or refuse with 401 (RFC 6750; protocol.md 2.10).

    Fails closed: without key stores the config is refused unless it says `anonymous: true`, so that a misplaced key
    list cannot leave a gateway open. The answer to an unknown key and to a wrong secret is the same.
    """

    class Settings(StageSettings):
        keys: list[str] = Field(default=[], description="Names of key stores under resources.keys.")
        anonymous: bool = Field(default=False, description="Serve everybody without a key. Excludes `keys`.")

    def __init__(self, settings: Settings, host: Host) -> None:
        if settings.anonymous and settings.keys:
            raise SettingsError("`anonymous: true` and `keys` exclude each other", field="anonymous")
        if not settings.anonymous and not settings.keys:
            raise SettingsError("name a key store in `keys`, or say `anonymous: true` to serve everybody", field="keys")
        self._stores = [host.key_store(name) for name in settings.keys]

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        principal = self._principal(request) if self._stores else _ANONYMOUS
        note(request, key_id=principal.id)
        return await call_next(request.with_slot(PRINCIPAL, principal))

    def _principal(self, request: Request) -> Principal:
        key = _bearer(request.headers.get("authorization"))
        if key is None:
            error = Unauthenticated("You did not provide an API key. Send it as `Authorization: Bearer <key>`.")
            error.code = None
            raise error
        for store in self._stores:
            principal = store.check(key)
            if principal is not None:
                return principal
        raise Unauthenticated("Incorrect API key provided.")


def _bearer(authorization: str | None) -> str | None:
    scheme, _, key = (authorization or "").partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None
