"""The terminal: sends the request to its target and returns at the response head."""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter

import anyio

from pipeline import (
    HEAD_SECONDS,
    TARGET,
    TARGET_USED,
    Body,
    Handler,
    Host,
    Request,
    Response,
    Slots,
    StageSettings,
    Upstream,
    UpstreamAnswer,
    UpstreamError,
    UpstreamGarbage,
    note,
    stage,
)

_MAX_ERROR_BYTES = 1024 * 1024
_CLOSE_SECONDS = 2.0


@stage("dispatch", reads=(TARGET,), response_writes=(TARGET_USED, HEAD_SECONDS), calls_next="never")
class Dispatch:
    """Call the upstream; hand back a body that is read as it comes.

    An error answer is read (up to 1 MiB) and raised as the dialect's typed error. Redirects are not followed: the
    upstream's address comes from the config and from nowhere else.
    """

    class Settings(StageSettings):
        pass

    def __init__(self, settings: Settings, host: Host) -> None:
        self._host = host

    async def __call__(self, request: Request, call_next: Handler, /) -> Response:
        target = request.slots[TARGET]
        upstream = self._host.upstream(target.upstream)
        asked = perf_counter()
        try:
            answer = await upstream.send(upstream.dialect.encode_request(request))
        except BaseException:
            note(request, upstream=target.upstream, upstream_model=target.model)
            raise
        waited = perf_counter() - asked
        note(request, upstream=target.upstream, upstream_model=target.model, upstream_status=answer.status)
        if not 200 <= answer.status < 300:
            await _refuse(upstream, answer)
        body = Body(answer.source, upstream.dialect.decoder(request, answer.headers))
        return Response(body, status=answer.status, slots=Slots({TARGET_USED: target, HEAD_SECONDS: waited}))


async def _refuse(upstream: Upstream, answer: UpstreamAnswer) -> None:
    """Raise the error that the upstream answered with, its connection released whatever happens."""
    try:
        text = await _read(answer)
    finally:
        with anyio.CancelScope(shield=True, deadline=anyio.current_time() + _CLOSE_SECONDS):
            await answer.source.aclose()
    if answer.status < 400:
        detail = f"status {answer.status} from {upstream.name}"
        message = "The upstream answered with a redirect or no content."
        raise UpstreamGarbage(message, work_done="maybe", detail=detail)
    raise upstream.dialect.decode_error(answer.status, answer.headers, text)


async def _read(answer: UpstreamAnswer) -> bytes:
    """As much of the body as came: a cut answer still has the status that matters."""
    pieces: list[bytes] = []
    size = 0
    with suppress(UpstreamError):
        while size < _MAX_ERROR_BYTES and (piece := await answer.source.next()) is not None:
            pieces.append(piece)
            size += len(piece)
    return b"".join(pieces)
