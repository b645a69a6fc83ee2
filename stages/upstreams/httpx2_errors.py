"""What an HTTP client's exception means to a caller and to a retry. By name: `httpx` and `httpx2` share them."""

from __future__ import annotations

from enum import Enum
from typing import Literal

from pipeline import (
    GatewayError,
    InternalError,
    Overloaded,
    UpstreamGarbage,
    UpstreamInterrupted,
    UpstreamTimeout,
    UpstreamUnavailable,
)


class Phase(Enum):
    """Until the response head, or after it."""

    HEAD = "head"
    BODY = "body"


def typed(error: Exception, phase: Phase, *, sent: bool) -> GatewayError:
    """The typed error. `sent` says that the upstream may have begun the work; the text names no host."""
    name = type(error).__name__
    detail = f"{phase.value}: {name}: {error}"
    work_done: Literal["no", "maybe"] = (
        "maybe" if sent or name in ("ReadTimeout", "ReadError", "RemoteProtocolError") else "no"
    )
    if name == "PoolTimeout":
        return Overloaded("No connection to the upstream became free in time.", retry_after=1.0, detail=detail)
    if name == "ConnectTimeout":
        return UpstreamTimeout("The upstream could not be connected to in time.", detail=detail)
    if name in ("ConnectError", "ProxyError", "UnsupportedProtocol"):
        return UpstreamUnavailable("The upstream could not be connected to.", detail=detail)
    if name in ("ReadTimeout", "WriteTimeout"):
        return UpstreamTimeout("The upstream was silent for too long.", work_done=work_done, detail=detail)
    if phase is Phase.BODY:
        if name == "RemoteProtocolError" and "closed connection" not in str(error):
            return UpstreamGarbage("The upstream sent malformed HTTP.", work_done="maybe", detail=detail)
        return UpstreamInterrupted("The upstream's answer was cut in the middle.", work_done="maybe", detail=detail)
    if name in ("ReadError", "WriteError", "CloseError") or "without sending a response" in str(error):
        return UpstreamUnavailable("The upstream closed the connection.", work_done=work_done, detail=detail)
    if name == "RemoteProtocolError":
        return UpstreamGarbage("The upstream sent malformed HTTP.", work_done=work_done, detail=detail)
    return InternalError("The gateway could not send the request.", detail=detail)
