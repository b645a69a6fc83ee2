"""Every way a request can fail, as one tree.

    GatewayError
    ├── CallerError                 the caller must change something
    │   ├── InvalidRequest          400
    │   ├── Unauthenticated         401
    │   ├── PermissionDenied        403
    │   ├── NotFound                404
    │   │   └── ModelNotFound       404
    │   ├── MethodNotAllowed        405
    │   ├── BodyTooLarge            413
    │   ├── UnsupportedMediaType    415
    │   └── RateLimited             429
    ├── GatewayFault                the gateway is to blame
    │   ├── InternalError           500  opaque: the cause is in the log, under the same id
    │   ├── Overloaded              503  no connection or place was free in time
    │   ├── NotStarted              503  the pipeline was not entered, or is stopping
    │   └── DeadlineExceeded        504
    └── UpstreamError               the model server is to blame
        ├── UpstreamUnavailable     502  could not connect, or cut before a response
        ├── UpstreamTimeout         504  silent for too long
        ├── UpstreamRejected        its own status and words, kept
        ├── UpstreamRefusedUs       502  it does not accept the gateway's credentials (never a 401 to the caller)
        ├── UpstreamGarbage         502  what it sent is not what its protocol says
        └── UpstreamInterrupted     502  it stopped in the middle

Each error says whose fault it is (`origin`), whether trying again can help (`retryable`), whether the upstream may
have done the work already (`work_done`: decides if a retry is safe), and keeps `retry_after`. Before the first byte
an error is raised and rendered once, in the caller's dialect; after it, the body ends with one error event.
"""

from __future__ import annotations

from typing import Any, Literal

Origin = Literal["caller", "gateway", "upstream"]
WorkDone = Literal["no", "maybe"]


class GatewayError(Exception):
    """A failure with everything needed to answer the caller, to decide on a retry, and to find it in the log.

    `message` is shown to the caller: never put a secret, a prompt or a host name into it. `detail` is for the log
    only. `id` is set by the runtime to the request id, `stage` to the id of the stage that raised.
    """

    status: int = 500
    type: str = "server_error"
    code: str | None = None
    origin: Origin = "gateway"
    retryable: bool = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        type: str | None = None,
        code: str | None = None,
        param: str | None = None,
        retryable: bool | None = None,
        work_done: WorkDone = "no",
        retry_after: float | None = None,
        detail: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        if status is not None:
            self.status = status
        if type is not None:
            self.type = type
        if code is not None:
            self.code = code
        if retryable is not None:
            self.retryable = retryable
        self.param = param
        self.work_done: WorkDone = work_done
        self.retry_after = retry_after
        self.detail = detail
        self.stage: str | None = None
        self.id: str | None = None

    def facts(self) -> dict[str, Any]:
        """What the log says of this error: no secret, no prompt."""
        facts: dict[str, Any] = {"error": self.code or self.type, "error_origin": self.origin}
        if self.stage:
            facts["error_stage"] = self.stage
        if self.detail:
            facts["error_detail"] = self.detail
        return facts

    def public(self) -> dict[str, Any]:
        """What the caller may see, in the neutral form that a dialect renders as its own."""
        return {"message": self.message, "type": self.type, "param": self.param, "code": self.code}


class CallerError(GatewayError):
    """The caller must change something before trying again."""

    status = 400
    type = "invalid_request_error"
    origin: Origin = "caller"


class InvalidRequest(CallerError):
    """The request cannot be understood; `param` names the offending field where there is one."""


class Unauthenticated(CallerError):
    """No key, or not a key we know. The text is the same for both halves of a key: no oracle."""

    status = 401
    code: str | None = "invalid_api_key"


class PermissionDenied(CallerError):
    """The caller is known and may not do this."""

    status = 403


class NotFound(CallerError):
    """No such route or object."""

    status = 404


class ModelNotFound(NotFound):
    """No model of that name is served here."""

    code: str | None = "model_not_found"


class MethodNotAllowed(CallerError):
    """The path exists, the method does not."""

    status = 405
    code: str | None = "method_not_supported"


class BodyTooLarge(CallerError):
    """The body is over the configured limit; it was not parsed."""

    status = 413


class UnsupportedMediaType(CallerError):
    """A content type or encoding that is not read here."""

    status = 415


class RateLimited(CallerError):
    """A limit is reached; `retry_after` is the true wait."""

    status = 429
    type = "requests"
    code: str | None = "rate_limit_exceeded"
    retryable = True


class GatewayFault(GatewayError):
    """The gateway itself is to blame."""


class InternalError(GatewayFault):
    """An unexpected exception. Opaque on purpose: the cause is in the log under the same id."""


class Overloaded(GatewayFault):
    """No connection or place became free in time. Nothing was sent upstream."""

    status = 503
    code: str | None = "server_overloaded"
    retryable = True


class NotStarted(GatewayFault):
    """The pipeline was not entered, or is stopping."""

    status = 503
    code: str | None = "not_ready"
    retryable = True


class DeadlineExceeded(GatewayFault):
    """The request's own deadline passed. Retrying inside the same deadline cannot help."""

    status = 504
    type = "timeout_error"
    code: str | None = "deadline_exceeded"


class UpstreamError(GatewayError):
    """The model server is to blame."""

    status = 502
    type = "api_error"
    code: str | None = "upstream_error"
    origin: Origin = "upstream"
    retryable = True


class UpstreamUnavailable(UpstreamError):
    """Could not connect, or the connection was cut before a response began."""

    code: str | None = "upstream_unavailable"


class UpstreamTimeout(UpstreamError):
    """The upstream was silent for too long."""

    status = 504
    type = "timeout_error"
    code: str | None = "upstream_timeout"


class UpstreamRejected(UpstreamError):
    """The upstream answered with an error status: its status and words are kept.

    The dialect sets `origin` to the caller where the status blames the request.
    """


class UpstreamRefusedUs(UpstreamError):
    """The upstream does not accept the gateway's own credentials.

    Never a 401 or 403 to the caller, whose key is fine (protocol.md 3.9, pitfall 54).
    """

    code: str | None = "upstream_auth_error"
    retryable = False


class UpstreamGarbage(UpstreamError):
    """What the upstream sent is not what its protocol says: bad HTTP, bad JSON, an oversized event."""

    code: str | None = "upstream_protocol_error"


class UpstreamInterrupted(UpstreamError):
    """The upstream stopped in the middle. Without its end marker a clean EOF is this error too (protocol.md 2.5)."""

    code: str | None = "stream_interrupted"


def as_gateway_error(error: BaseException) -> GatewayError:
    """`error` itself if it is typed, else an opaque `InternalError` caused by it: the caller learns nothing of it."""
    if isinstance(error, GatewayError):
        return error
    opaque = InternalError("The gateway failed. The request id identifies the cause in its log.")
    opaque.detail = type(error).__name__
    opaque.__cause__ = error
    return opaque
