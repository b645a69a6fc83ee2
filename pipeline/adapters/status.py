"""What the server says of itself: alive, ready, and which gateways it has."""

from __future__ import annotations

from typing import Any

from pipeline.adapters.replies import Send, send_json
from pipeline.runtime import Pipeline

PATHS = frozenset({"/livez", "/readyz", "/gateways"})


async def answer_status(path: str, method: str, pipeline: Pipeline, send: Send) -> None:
    """Answer one of `PATHS`.

    `/livez` depends on nothing; `/readyz` on the pipeline being started, never on one upstream being up; neither makes
    a call. `/gateways` lists name, dialect, mount, operations and models, and no settings.
    """
    if method not in ("GET", "HEAD"):
        error = {"message": f"Not allowed: {method}. Use GET."}
        await send_json(send, 405, {"error": error}, [(b"allow", b"GET, HEAD")])
    elif path == "/livez":
        await send_json(send, 200, {"status": "ok"})
    elif path == "/readyz":
        await send_json(send, *((200, {"status": "ready"}) if pipeline.ready else (503, {"status": "not ready"})))
    else:
        await send_json(send, 200, {"gateways": [await _describe(pipeline, name) for name in pipeline.gateways]})


async def _describe(pipeline: Pipeline, name: str) -> dict[str, Any]:
    gateway = pipeline.gateways[name]
    return {**gateway.describe(), "models": await gateway.models() if pipeline.ready else []}
