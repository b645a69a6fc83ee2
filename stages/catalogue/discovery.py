"""Asking an upstream what it serves: the dialect says which calls, this carries them."""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from pipeline import GatewayError, ModelCard, Reply, Upstream, UpstreamCall, UpstreamGarbage, UpstreamTimeout

ANSWER_SECONDS = 10.0
"""For each call. A model server may take minutes to answer a prompt; one that cannot list its models is not there."""

_CLOSE_SECONDS = 2.0
_MAX_BYTES = 8 * 1024 * 1024


async def discover(upstream: Upstream, known: Sequence[ModelCard]) -> list[ModelCard]:
    """The upstream's models. Raises `GatewayError`.

    A call that fails is told to the dialect where it stands (`throw`), because it knows which answers it can do
    without.
    """
    steps = upstream.dialect.discovery(known)
    try:
        call = next(steps)
        while True:
            try:
                reply = await _ask(upstream, call)
            except GatewayError as error:
                call = steps.throw(error)
            else:
                call = steps.send(reply)
    except StopIteration as done:
        cards: list[ModelCard] = done.value
        return cards
    finally:
        steps.close()


async def _ask(upstream: Upstream, call: UpstreamCall) -> Reply:
    with anyio.move_on_after(ANSWER_SECONDS):
        answer = await upstream.send(call)
        pieces: list[bytes] = []
        size = 0
        try:
            while (piece := await answer.source.next()) is not None:
                pieces.append(piece)
                size += len(piece)
                if size > _MAX_BYTES:
                    raise UpstreamGarbage("The model server's list is too long.", detail=f"over {_MAX_BYTES} bytes")
        finally:
            with anyio.CancelScope(shield=True, deadline=anyio.current_time() + _CLOSE_SECONDS):
                await answer.source.aclose()
        return Reply(answer.status, answer.headers, b"".join(pieces))
    raise UpstreamTimeout("The model server did not say in time what it serves.", detail=f"{call.method} {call.path}")
