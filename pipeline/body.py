"""The body of a response: one owner, one pass, and the small functions that stages attach to it.

A body pulls pieces of bytes from its source, cuts them into frames, and hands out bytes again. What one read returned
leaves in one write. As long as nobody attached a function and both sides speak the same dialect the frames leave
exactly as they came; otherwise they are decoded into events, the functions run in one fused loop, and the result is
encoded. A whole answer goes the same way: its one frame decodes into the events a stream would have given.

Why not a chain of async generators: each costs four times as much per event, and closing the outer one leaks the
inner ones' source.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from time import perf_counter
from typing import Any

from pipeline.attachments import Attachments, EndFunction
from pipeline.codec import Decoder, Encoder, Usage
from pipeline.deadline import Deadline, NoDeadline, shielded, time_limit
from pipeline.errors import GatewayError, as_gateway_error
from pipeline.events import Data, Event
from pipeline.neutral import EventSource, NeutralDecoder
from pipeline.outcome import CLOSED, COMPLETE, FAILED, Outcome, notify, release
from pipeline.source import Source

DRAIN_SECONDS = 1.0
_NO_DEADLINE = NoDeadline()


class Body(Attachments):
    """A lazily read body: attach functions before the first read (see `Attachments`), then read it once or close it."""

    __slots__ = (
        "_asked_at",
        "_concluded",
        "_deadline",
        "_decoder",
        "_eof",
        "_failure",
        "_first_out_at",
        "_first_waited",
        "_into_queue",
        "_over",
        "_pending",
        "_plain",
        "_queue",
        "_released",
        "_source",
        "bytes_out",
        "encoder",
        "pieces_out",
    )

    def __init__(self, source: Source, decoder: Decoder) -> None:
        super().__init__()
        self._source = source
        self._decoder = decoder
        self.encoder: Encoder | None = None  # what writes its bytes, and knows their content type
        self._deadline: Deadline = _NO_DEADLINE
        self._plain = False
        self._eof = False
        self._over = False
        self._concluded = False
        self._released = False
        self._pending: Exception | None = None
        self._failure: GatewayError | None = None
        self._queue: deque[Event] = deque()
        self.bytes_out = 0
        self.pieces_out = 0
        self._asked_at = 0.0
        self._first_out_at: float | None = None
        self._first_waited = 0.0

    @classmethod
    def of(
        cls, events: Iterable[Event] | AsyncIterator[Event], *, usage: Callable[[], Usage | None] | None = None
    ) -> Body:
        """A body of events made here rather than upstream, in the caller's dialect whatever that is.

        `usage` is asked for the token counts at the end, for a maker of events whose caller did not want them told.
        """
        return cls(EventSource(events), NeutralDecoder(usage))

    def bind(self, encoder: Encoder, deadline: Deadline | None = None, last: EndFunction | None = None) -> None:
        """Say which dialect the bytes are for, until when, and who is `last` to hear of the end. For the runtime."""
        if last is not None:
            self._attaching()
            self._enders = (last, *self._enders)
        self.encoder = encoder
        if deadline is not None:
            self._deadline = deadline

    async def next_piece(self) -> bytes | None:
        """The next bytes for the client, None at the end.

        A failure before the first byte is raised, so that the answer can still carry a true status; after it, and
        only for streams, the last piece is one error event and the end follows. Never an end marker after an error.
        """
        encoder = self.encoder
        if encoder is None:
            raise RuntimeError("this body has no encoder: read its events, or let the runtime bind it")
        if not self._started:
            self._start()
        try:
            while not self._over:
                frames = self._frames_of(await self._read())
                if (frames or self._over) and (piece := self._encode(frames, encoder)):
                    self._handed_out(len(piece))
                    return piece
        except Exception as error:
            event = self._fail(error)
            if not self.pieces_out or encoder.whole:
                await self._settle()
                assert self._failure is not None
                raise self._failure from self._failure.__cause__
            piece = encoder.encode(event)
            self._handed_out(len(piece))
            return piece
        except BaseException:
            await self._settle()
            raise
        await self._settle()
        return None

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes for the client, one item a write. Close the body if you stop early."""
        while (piece := await self.next_piece()) is not None:
            yield piece

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> Event:
        """The next event, for embedders and tests. A failure is raised once the events before it were seen."""
        if not self._started:
            self._start()
        try:
            while not self._queue and not self._over:
                self._run(self._frames_of(await self._read()))
            if self._queue:
                self._handed_out(0)
                return self._queue.popleft()
        except Exception as error:
            self._fail(error)
            await self._settle()
            assert self._failure is not None
            raise self._failure from self._failure.__cause__
        except BaseException:
            await self._settle()
            raise
        await self._settle()
        raise StopAsyncIteration

    async def collect(self) -> Data:
        """The whole answer as one object: a stream is folded, by the law that whole = collected stream."""
        if self.encoder is None:
            raise RuntimeError("this body has no encoder to fold by")
        return self.encoder.fold([event async for event in self])

    async def aclose(self) -> None:
        """Release everything. Idempotent, and safe at any time; an early close is the outcome CLOSED."""
        self._started = True
        self._over = True
        self._queue.clear()
        await self._settle()

    @property
    def dialect(self) -> str:
        """The wire protocol that its bytes came in; "" for events made here."""
        return self._decoder.dialect

    @property
    def closed(self) -> bool:
        """Whether the body has ended, one way or another."""
        return self._concluded

    def _start(self) -> None:
        self._started = True
        encoder, decoder = self.encoder, self._decoder
        self._plain = (
            encoder is not None
            and not self._functions
            and encoder.dialect == decoder.dialect
            and encoder.whole == decoder.whole
        )
        self._into_queue = self._fused(self._queue.append)

    def _read(self) -> Awaitable[Any]:
        """One more read: a piece, or None at the end. Raises what was put off until the frames before it had left."""
        if self._pending is not None:
            raise self._pending
        if self._decoder.finished:
            return self._drain()
        if self._first_out_at is None:
            self._asked_at = perf_counter()
        return self._deadline.guard(self._source.next)

    def _frames_of(self, piece: Any) -> list[Any]:
        """The frames that one more read completes; none once the body is over."""
        if self._over:
            return []
        if self._first_out_at is None:
            self._first_waited += perf_counter() - self._asked_at
        decoder = self._decoder
        if piece is not None:
            frames = decoder.feed(piece)
            self._pending = decoder.failure
            return frames
        self._eof = True
        frames = decoder.finish()
        self._pending = decoder.failure
        self._over = self._pending is None
        return frames

    async def _drain(self) -> None:
        """Read past the end marker to the end of the message, so that the connection can be used again."""
        with time_limit(DRAIN_SECONDS), suppress(Exception):
            # The answer is complete; a connection that breaks now is closed, and nobody needs to know.
            while not self._eof:
                self._eof = await self._source.next() is None
        self._over = True

    def _encode(self, frames: list[Any], encoder: Encoder) -> bytes:
        out = frames
        if not self._plain:
            self._run(frames)
            out = self._written(encoder)
            if self._over:
                out.append(encoder.finish())
        if self._patches:
            frames, out = out, []
            try:
                self._run_patches(frames, out)
            except Exception as error:
                self._pending, self._over = error, False
        return out[0] if len(out) == 1 else b"".join(out)

    def _run(self, frames: list[Any]) -> None:
        """Run the attached functions. One that raises keeps what left before it, and fails the body next."""
        events, run = self._decoder.events, self._into_queue
        try:
            for frame in frames:
                for event in events(frame):
                    run(event)
        except Exception as error:
            self._pending, self._over = error, False

    def _written(self, encoder: Encoder) -> list[bytes]:
        out: list[bytes] = []
        try:
            out.extend(map(encoder.encode, self._queue))  # what was written before one raises stays in `out`
        except Exception as error:
            self._pending, self._over = error, False
        self._queue.clear()
        return out

    def _handed_out(self, size: int) -> None:
        if self._first_out_at is None:
            self._first_out_at = perf_counter()
        self.pieces_out += 1
        self.bytes_out += size

    def _fail(self, error: Exception) -> Event:
        self._over = True
        self._pending = None
        self._failure = failure = as_gateway_error(error)
        return self._error_event(failure)

    async def _settle(self) -> None:
        """Tell the observers once, then release once; shielded, because the usual reason is a cancellation."""
        if not self._concluded:
            self._concluded = True
            self._deadline.close()
            notify(self._enders, self._outcome())
        if self._released:
            return
        self._released = True
        if self._closers or not self._eof:
            held = [*reversed(self._closers), *(() if self._eof else (self._source.aclose,))]
            await shielded(lambda: release(held))

    def _outcome(self) -> Outcome:
        if self._failure is not None:
            kind = FAILED
        elif self._decoder.finished:
            kind = COMPLETE
        else:
            kind = CLOSED
        return Outcome(
            kind,
            error=self._failure,
            usage=self._decoder.usage(),
            pieces=self.pieces_out,
            bytes=self.bytes_out,
            first_out_at=self._first_out_at,
            first_waited_seconds=self._first_waited,
        )
