"""A built pipeline at work: it starts and stops what it owns, and answers requests.

Embedded use and the server go through the same `handle`, so the deadline, the request id, the errors and the release
of everything mean the same in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

import anyio.lowlevel

from pipeline.deadline import deadline_in
from pipeline.errors import InvalidRequest, NotStarted, as_gateway_error
from pipeline.gateway import Gateway
from pipeline.host import Host
from pipeline.identity import RequestIds
from pipeline.observe import AccessRecord, Emit, access_log, access_record, log_cause
from pipeline.request import Request
from pipeline.response import Response
from pipeline.wellknown import NOTES, ORIGINAL

WHOLE_SECONDS = 600.0
STREAM_SECONDS = 1800.0


class Pipeline:
    """Gateways and the resources they share, as an async context manager.

    `owned` start in order and stop in reverse: resources first, then the stages of each chain from the terminal
    outwards. A start that fails half-way stops what had started, and entering again is allowed after leaving.
    """

    def __init__(
        self,
        gateways: Sequence[Gateway],
        *,
        host: Host,
        owned: Sequence[object] = (),
        access: Emit | None = None,
        max_body_bytes: int = 10 * 1024 * 1024,
    ) -> None:
        self.gateways: Mapping[str, Gateway] = {gateway.name: gateway for gateway in gateways}
        self.host = host
        self.max_body_bytes = max_body_bytes
        self._owned = tuple(owned)
        self._access = access if access is not None else access_log("off")
        self._stack: AsyncExitStack | None = None
        self._ids = RequestIds(host.random_bytes)

    @classmethod
    def from_config(cls, path: str | Path, **options: Any) -> Pipeline:
        """Load, check and build a config file; nothing is started. Raises `ConfigError` with every problem found.

        Options: `registry`, `clock`, `random_bytes`, `environ`, `access` (see `pipeline.build.build_file`).
        """
        from pipeline.build import build_file  # the loader costs more to import than the rest of the engine

        return build_file(path, **options)

    @property
    def ready(self) -> bool:
        """Started, and able to take requests."""
        return self._stack is not None

    async def __aenter__(self) -> Self:
        if self._stack is not None:
            raise RuntimeError("this pipeline is already started")
        self._ids = RequestIds(self.host.random_bytes)  # anew: the process may be a fork of one that had made some
        # anyio imports its backend on first use, which would make the first request late by tenths of a second.
        await anyio.lowlevel.checkpoint()
        async with AsyncExitStack() as stack:
            for thing in self._owned:
                start, stop = getattr(thing, "start", None), getattr(thing, "stop", None)
                if stop is not None:
                    stack.push_async_callback(stop)
                if start is not None:
                    await start()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *error: object) -> None:
        stack, self._stack = self._stack, None
        if stack is not None:
            await stack.aclose()

    def gateway(self, name: str | None = None) -> Gateway:
        """The gateway of that name, or the only one."""
        if name is None:
            if len(self.gateways) != 1:
                raise InvalidRequest(f"say which gateway: {', '.join(self.gateways)}")
            return next(iter(self.gateways.values()))
        if name not in self.gateways:
            raise InvalidRequest(f"there is no gateway named {name!r}; there are: {', '.join(self.gateways)}")
        return self.gateways[name]

    def record(self, offered: str | None = None) -> AccessRecord:
        """A new access record, under the offered id if that is a clean one. Its owner writes it after the last byte."""
        now = int(self.host.clock.time() * 1000)
        return access_record(self._access, self._ids.id_for(offered, now), now)

    async def handle(
        self, request: Request, *, gateway: str | Gateway | None = None, record: AccessRecord | None = None
    ) -> Response:
        """Send `request` down the chain; returns at the response head, with a body that has not been read.

        The caller owns the response: read its body to the end, or `await response.body.aclose()`. Raises a
        `GatewayError`, and nothing else but cancellation. The deadline covers the body too. Without a `record` of its
        own, the access line is written when the body ends.
        """
        chosen = gateway if isinstance(gateway, Gateway) else self.gateway(gateway)
        embedded = record is None
        record = record if record is not None else self.record(request.id)
        dialect = chosen.speaks(request.dialect)
        request = request.evolve(id=record.id, dialect=dialect.name, slots=request.slots.with_(NOTES, record))
        request = request.with_slot(ORIGINAL, request)
        record.asked(request, chosen.name)
        deadline = deadline_in(self._seconds_left(request))
        response: Response | None = None
        try:
            if self._stack is None:
                raise NotStarted("The gateway is not started.", detail="enter the pipeline: async with pipeline")
            response = await deadline.guard(lambda: chosen.handler(request))
            body = response.body
            body.bind(dialect.encoder(request), deadline, last=(lambda _: record.write()) if embedded else None)
            body.on_end(record.ended)
            record.answered(response)
            return response.with_header("x-request-id", request.id)
        except Exception as error:
            deadline.close()
            if isinstance(response, Response):
                await response.body.aclose()
            failure = as_gateway_error(error)
            failure.id = request.id
            failure.stage = failure.stage or chosen.stage_where(error)
            log_cause(failure)
            record.failed(failure)
            if embedded:
                record.write()
            raise failure from failure.__cause__
        except BaseException:
            deadline.close()
            if embedded:
                record.write()
            raise

    def _seconds_left(self, request: Request) -> float:
        if request.deadline is None:
            return STREAM_SECONDS if request.stream else WHOLE_SECONDS
        return request.deadline - self.host.clock.monotonic()
