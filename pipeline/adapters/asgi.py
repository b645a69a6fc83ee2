"""The gateway as a raw ASGI-3 application: mount it in any framework, or run it on any server.

No framework underneath: routing is a handful of fixed paths, and middleware that wraps responses is what breaks
streams. Back-pressure is the awaited `send`; a slow client slows the reading from its upstream and nothing else.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from pipeline.adapters.body_reader import ClientLeft, check_content_type, read_body
from pipeline.adapters.disconnect import Receive, while_connected
from pipeline.adapters.paths import Fields, Match, RouteError, Router, check_head
from pipeline.adapters.replies import STREAM_HEADERS, RawHeaders, Send, send_error, send_head, send_whole
from pipeline.adapters.status import PATHS, answer_status
from pipeline.dialect import Dialect
from pipeline.errors import GatewayError, as_gateway_error
from pipeline.headers import Headers
from pipeline.observe import AccessRecord, log_cause
from pipeline.request import Request
from pipeline.runtime import Pipeline

Scope = MutableMapping[str, Any]


class GatewayApp:
    """ASGI application over a `Pipeline`.

    As the server's own application its lifespan starts and stops the pipeline. Mounted inside another application it
    gets no lifespan events: enter the pipeline in that application's lifespan.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._router = Router(pipeline.gateways.values())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            path = _path(scope)
            if path in PATHS:
                await answer_status(path, scope["method"], self.pipeline, send)
            else:
                await _Exchange(self.pipeline, self._router, scope, receive, send).run(path)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self.pipeline.__aenter__()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.pipeline.__aexit__(None, None, None)
        await send({"type": "lifespan.shutdown.complete"})


class _Exchange:
    """One HTTP request and its answer."""

    __slots__ = (
        "_begun",
        "_dialect",
        "_fields",
        "_id",
        "_model",
        "_pipeline",
        "_receive",
        "_record",
        "_router",
        "_scope",
        "_send",
    )

    def __init__(self, pipeline: Pipeline, router: Router, scope: Scope, receive: Receive, send: Send) -> None:
        self._pipeline = pipeline
        self._router = router
        self._scope = scope
        self._receive = receive
        self._send = send
        self._fields: Fields = dict(reversed(scope["headers"]))  # of a repeated one the first
        offered = self._fields.get(b"x-request-id")
        self._record: AccessRecord = pipeline.record(None if offered is None else offered.decode("latin-1"))
        self._id = self._record.id
        self._dialect: Dialect | None = None
        self._model = ""
        self._begun = False

    async def run(self, path: str) -> None:
        """Answer, and write the access line whatever happens."""
        record = self._record
        record.arrived(self._scope["method"], path)
        try:
            match = self._match(path)
            body = await read_body(self._receive, self._fields, self._pipeline.max_body_bytes)
            request = self._asked(match, body)
            await while_connected(self._receive, lambda: self._answer(request, match))
        except ClientLeft:
            pass
        except RouteError as routed:
            self._dialect = routed.dialect
            await self._refuse(routed.error, allow=routed.allow)
        except GatewayError as error:
            await self._refuse(error)
        except Exception as error:
            failure = as_gateway_error(error)
            failure.id = self._id
            log_cause(failure)
            await self._refuse(failure)
        finally:
            record.write()

    def _match(self, path: str) -> Match:
        """What the request is for, by its head alone."""
        scope = self._scope
        refused = check_head(scope["headers"], self._fields, needs_host=scope.get("http_version") == "1.1")
        if refused is not None:
            raise refused
        match = self._router.match(scope["method"], path)
        self._dialect = match.dialect
        check_content_type(self._fields, match.dialect.content_types)
        return match

    def _asked(self, match: Match, body: bytes) -> Request:
        self._record.received(len(body))
        asked = match.dialect.decode_request(match.operation, body, match.path_model)
        self._model = asked.model
        return Request(
            match.operation,
            dialect=match.dialect.name,
            model=asked.model,
            payload=asked.payload,
            stream=asked.stream,
            headers=Headers.from_raw(self._scope["headers"]),
            id=self._id,
        )

    async def _answer(self, request: Request, match: Match) -> None:
        """Have it handled, and send what comes. The head waits for the first piece, so that an upstream's early failure
        has a true status."""
        response = await self._pipeline.handle(request, gateway=match.gateway, record=self._record)
        body, send = response.body, self._send
        try:
            piece = await body.next_piece()
            encoder = body.encoder
            assert encoder is not None  # it was bound by `handle`
            headers: RawHeaders = [(b"content-type", encoder.content_type.encode())]
            headers += [(name.encode(), value.encode("latin-1")) for name, value in response.headers]
            if encoder.whole:
                rest = [piece or b""]
                while (piece := await body.next_piece()) is not None:
                    rest.append(piece)
                self._begun = True
                bare = self._scope["method"] == "HEAD"
                await send_whole(send, response.status, b"".join(rest), headers, bare=bare)
                return
            self._begun = True
            await send_head(send, response.status, headers + STREAM_HEADERS)
            while piece is not None:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                piece = await body.next_piece()
            await send({"type": "http.response.body", "body": b""})
        finally:
            if not body.closed:
                await body.aclose()

    async def _refuse(self, error: GatewayError, *, allow: str | None = None) -> None:
        self._record.failed(error)
        if self._begun:
            raise error  # the head is out: only breaking the connection tells the client the truth
        self._begun = True
        bare = self._scope["method"] == "HEAD"
        await send_error(self._send, error, self._dialect, self._id, model=self._model, allow=allow, bare=bare)


def _path(scope: Scope) -> str:
    """The raw path below the mount of an outer application (`root_path`), undecoded and without the query."""
    raw: bytes | None = scope.get("raw_path")
    path = raw.partition(b"?")[0].decode("latin-1") if raw else str(scope["path"])
    root = str(scope.get("root_path", ""))
    return path[len(root) :] or "/" if root and path.startswith(root) else path
