"""One HTTP/1.1 connection to an upstream: one exchange at a time, on asyncio.

One timer a connection, moved by assigning a number, bounds every wait: there is no task and no scope per chunk.
Back-pressure both ways: reading pauses while the owner is slow, writing goes on in slices as the socket takes them.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from math import inf
from typing import Literal, cast

from pipeline import (
    GatewayError,
    TransportOptions,
    UpstreamGarbage,
    UpstreamInterrupted,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from stages.upstreams.h1.reader import Malformed, ResponseReader

HIGH_WATER_BYTES = 256 * 1024
WRITE_BYTES = 64 * 1024


Phase = Literal["write", "first byte", "idle"]
"""What is being waited for; named in time-out errors."""


class Cut(UpstreamUnavailable):
    """The connection ended before one byte of an answer. On a reused connection the request may be sent again."""


class H1Connection(asyncio.Protocol):
    """Belongs to whoever acquired it from the pool, until it is released. Errors and cancellation close the socket."""

    def __init__(self, loop: asyncio.AbstractEventLoop, options: TransportOptions) -> None:
        self._loop = loop
        self._options = options
        self._transport: asyncio.Transport
        self._open = False
        self._reader = ResponseReader(is_head=False)
        self._error: GatewayError | None = None
        self._phase: Phase = "write"
        self._written = False
        self._write_paused = False
        self._reading_paused = False
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._fires_at = inf
        self._expires_at: float | None = None
        self._poll: select.poll | None = None
        self.exchanges = 0

    # -- an exchange, as its owner drives it ---------------------------------------------------------------------

    async def exchange(self, head: bytes, body: bytes, *, is_head: bool) -> ResponseReader:
        """Send a request; returns once the response's head is complete, with the reader that holds it.

        A request of usual size is one write, which the loop buffers if the socket does not take it all at once.

        An answer that comes before the request is written in full is taken (RFC 9112 9.5), and the connection is not
        reused.
        """
        self._reader = reader = ResponseReader(is_head=is_head)
        self._error = None
        self.exchanges += 1
        try:
            if len(body) <= WRITE_BYTES:
                self._send(head + body)
                self._written = True
            else:
                await self._write(head, body)
            self._phase = "first byte"
            until = self._loop.time() + self._options.first_byte_seconds
            while not reader.head_done:
                await self.event(until)
        except BaseException:
            self.abort()
            raise
        return reader

    def awaiting_body(self) -> float:
        """More of the body is expected from now on; until when, is for `event`."""
        self._phase = "idle"
        return self._loop.time() + self._options.idle_seconds

    def take(self) -> bytes:
        """The body bytes that are here already."""
        if self._reading_paused and self.alive:
            self._reading_paused = False
            self._transport.resume_reading()
        return self._reader.take()

    async def _write(self, head: bytes, body: bytes) -> None:
        self._phase = "write"
        self._written = False
        self._send(head)
        view = memoryview(body)
        for at in range(0, len(body), WRITE_BYTES):
            until = self._loop.time() + self._options.write_seconds
            while self._write_paused and not self._reader.head_done:
                await self.event(until)
            if self._reader.head_done:
                return
            self._send(view[at : at + WRITE_BYTES])
        self._written = True

    def _send(self, data: bytes | memoryview) -> None:
        if self._error is not None:
            raise self._error
        if not self.alive:
            raise _cut()
        self._transport.write(data)

    # -- what the pool asks --------------------------------------------------------------------------------------

    @property
    def reusable(self) -> bool:
        """Whether another request may follow: answered cleanly, written in full, still open (RFC 9112 9.3, 9.6)."""
        written = self._written and self.alive and self._transport.get_write_buffer_size() == 0
        return written and self._reader.reusable

    @property
    def alive(self) -> bool:
        """Neither closed nor seen to be closing: what an idle connection is asked before it is used again."""
        return self._open and not self._transport.is_closing()

    def rest(self) -> None:
        """Idle from now on: closed in a while unless it is used before."""
        self._arm(self._loop.time() + self._options.keepalive_seconds)

    def use(self) -> bool:
        """Take this idle connection into use: it no longer expires. False if it is closed, or has anything to say.

        What the loop has not read yet (an end, surplus bytes) would otherwise pass for the next answer.
        """
        self._expires_at = None
        return self.alive and not (self._poll is not None and self._poll.poll(0))

    def abort(self) -> None:
        """Close the socket now; whatever was not sent or read is lost, and the upstream sees it at once."""
        self._expires_at = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._fires_at = inf
        if self._open:
            self._transport.abort()

    # -- waiting -------------------------------------------------------------------------------------------------

    def event(self, until: float) -> asyncio.Future[None]:
        """The next thing to happen: bytes, room to write, the end, or the time is up. Raises what went wrong before."""
        if self._error is not None:
            raise self._error
        self._waiter = waiter = self._loop.create_future()
        self._expires_at = until
        if until < self._fires_at:
            self._arm(until)
        return waiter

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            self._expires_at = None
            if not waiter.done():
                waiter.set_result(None)

    def _arm(self, until: float) -> None:
        """Move the timer. One already running fires early and moves on: cheaper than cancelling it for each wait."""
        self._expires_at = until
        if until < self._fires_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(until, self._tick)
            self._fires_at = until

    def _tick(self) -> None:
        self._timer = None
        self._fires_at = inf
        if self._expires_at is None:
            return
        if self._loop.time() < self._expires_at:
            self._arm(self._expires_at)
            return
        if self._waiter is not None:
            detail = f"{self._phase} time-out"
            self._error = UpstreamTimeout("The upstream was silent for too long.", work_done="maybe", detail=detail)
            self._wake()
        self.abort()

    # -- asyncio.Protocol ----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.over(transport)
        self._open = True
        if hasattr(select, "poll"):  # not on Windows: there the check in `use` sees only what the loop has read
            self._poll = select.poll()
            self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def over(self, transport: asyncio.BaseTransport | None) -> None:
        """Speak over `transport` from now on: what TLS makes of the one that was connected."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but its class

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        if reader.complete or self.exchanges == 0 or self._error is not None:
            # Nothing was asked that is not answered: whatever this is, it belongs to no exchange (RFC 9112 9.2).
            reader.surplus = True
            self.abort()
            return
        try:
            reader.feed(data)
        except Malformed as error:
            message = "The upstream sent malformed HTTP."
            self._error = UpstreamGarbage(message, work_done="maybe", detail=str(error))
            self.abort()
        if reader.buffered > HIGH_WATER_BYTES and not self._reading_paused:
            self._reading_paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """The only orderly end: a connection that we close or that is reset delimits no body."""
        if self._error is None and self._closure_is_signed():
            self._reader.eof()
        self._ended()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._open = False
        self._write_paused = False
        self._ended()

    def pause_writing(self) -> None:
        self._write_paused = True

    def resume_writing(self) -> None:
        self._write_paused = False
        self._wake()

    def _closure_is_signed(self) -> bool:
        """Over TLS, an end that anybody on the way could have made up delimits no body (RFC 9112 9.8)."""
        tls = self._transport.get_extra_info("ssl_object")
        if tls is None:
            return True
        try:
            return bool(tls.read(1) == b"")  # the peer's close_notify; without one the read would have to wait
        except ssl.SSLError:
            return False

    def _ended(self) -> None:
        reader = self._reader
        if not reader.complete and self._error is None:
            self._error = _cut() if not reader.received else _cut_in(reader)
        self._wake()


def _cut() -> GatewayError:
    return Cut("The upstream closed the connection.", work_done="maybe", detail="closed before a response")


def _cut_in(reader: ResponseReader) -> GatewayError:
    """An incomplete message is an error and never a short answer (RFC 9112 8)."""
    if reader.head_done:
        message = "The upstream's answer was cut in the middle."
        return UpstreamInterrupted(message, work_done="maybe", detail="cut in the body")
    message = "The upstream closed the connection."
    return UpstreamUnavailable(message, work_done="maybe", detail="cut in the response head")
