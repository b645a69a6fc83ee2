"""Reading one HTTP/1.1 response: bytes in, head and body pieces out. No I/O, so every split and cut can be tested.

httptools parses; this file decides. Six things it does not do for us, each handled where it is marked:
  (1) after HEAD, 204 and 304 it may read what follows as a body  -> complete at the head (RFC 9112 6.3 rule 1)
  (2) a body that ends with the connection never completes        -> `eof` completes it (RFC 9112 6.3 rule 8)
  (3) trailers arrive as headers                                  -> dropped once the head is done (RFC 9112 7.1.2)
  (4) bytes after the end start a new message, or raise           -> never delivered, never reused (RFC 9112 6.3, end)
  (5) an interim (1xx) response completes like a final one        -> the real one follows (RFC 9110 15.2)
  (6) nothing has a size limit                                    -> whatever is not body is counted (RFC 9110 5.4)
"""

from __future__ import annotations

from collections.abc import Iterable

import httptools

MAX_HEAD_BYTES = 64 * 1024
NAME = b"HTTP/"
EMPTY_HEAD_BYTES = len(b"HTTP/1.1 100\r\n\r\n")
FRAMING = frozenset((b"content-encoding", b"content-length", b"transfer-encoding"))


class Malformed(Exception):
    """Not HTTP/1.1, or framed so that two readers would read it differently. The text is for the log."""


class ResponseReader:
    """The state of one response. A new one for each exchange: a parser that has seen a message is not trusted again."""

    __slots__ = (
        "_faulty_framing",
        "_field_bytes",
        "_heeded",
        "_is_1_1",
        "_is_head",
        "_parser",
        "buffered",
        "complete",
        "compressed",
        "ends_with_close",
        "head_done",
        "headers",
        "keep_alive",
        "pieces",
        "received",
        "status",
        "surplus",
    )

    def __init__(self, *, is_head: bool) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._is_head = is_head
        self._is_1_1 = False
        self._faulty_framing = False
        self._field_bytes = 0
        self._heeded = 0  # how much had been received when a head or a piece of the body came last
        self.pieces: list[bytes] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self.status = 0
        self.received = 0
        self.buffered = 0
        self.head_done = False
        self.ends_with_close = False
        self.complete = False
        self.keep_alive = False
        self.compressed = False
        self.surplus = False

    def feed(self, data: bytes) -> None:
        """Take what one read returned. Raises `Malformed`; what was complete before stays complete."""
        if self.complete:
            self.surplus = True  # (4)
            return
        if self.received < len(NAME):
            # Looked at here, because the parser makes its version number a new text each time it is asked.
            self._is_1_1 = self.received == 0 and data.startswith(b"HTTP/1.1 ")
            awaited = NAME[self.received :]
            if not (self._is_1_1 or data.startswith(awaited) or awaited.startswith(data)):
                raise Malformed("not HTTP")  # RFC 9112 2.3 and 4; httptools takes RTSP, ICE and empty lines before it
        self.received += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.surplus = True  # (4)
            if not self.complete:
                raise Malformed(str(error.__context__ or error)) from None
        if self.complete:
            del self._parser  # it refers to us: without this cycle an exchange leaves the garbage collector no work
        elif self.received - self._heeded > MAX_HEAD_BYTES:
            # (6) A field that does not end, chunk extensions.
            raise Malformed(f"over {MAX_HEAD_BYTES} bytes without a byte of the body")

    def eof(self) -> None:
        """The connection ended in an orderly way: the end of a body that nothing else delimits."""
        if self.head_done and self.ends_with_close:
            self.complete = True  # (2)

    def take(self) -> bytes:
        """The body bytes that have come since the last call, as one piece; b"" if there are none."""
        pieces = self.pieces
        piece = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self.buffered = 0
        return piece

    @property
    def reusable(self) -> bool:
        """The message is provably complete, nothing is left over, and the server did not say close (RFC 9112 9.3)."""
        return self.complete and self.keep_alive and not (self.surplus or self.ends_with_close or self.pieces)

    # httptools calls these; what they raise comes out of `feed_data` as its error's context.

    def on_message_begin(self) -> None:
        if self.complete:
            raise Malformed("bytes after the end of the message")  # (4)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.head_done:
            self._count_fields(((name, value),))  # (3)
        else:
            self.headers.append((name.lower(), value.rstrip(b" \t")))  # RFC 9112 5.1; httptools trims only before

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            self._interim(status)
            return
        if self.received > MAX_HEAD_BYTES:  # or else no head can be longer either, and counting is not free
            self._count_fields(self.headers)
        self._field_bytes = 0  # trailers have a limit of their own
        self.status = status
        has_length = self._has_length()
        self.head_done = True
        self._heeded = self.received
        if self._is_head or status in (204, 304):
            self.complete = True  # (1)
        else:
            self.ends_with_close = not has_length

    def on_body(self, body: bytes) -> None:
        if self.complete:
            self.surplus = True  # (1)
            return
        self._heeded = self.received
        self.pieces.append(body)
        self.buffered += len(body)

    def on_message_complete(self) -> None:
        if not self.head_done:
            self.headers.clear()  # (5)
            self._is_1_1 = False  # the next head has a version of its own
            return
        self.complete = True
        self.keep_alive = self._parser.should_keep_alive() and not (self._is_head or self._faulty_framing)

    def _interim(self, status: int) -> None:
        """(5) Passed over, though not without a limit: a thousand of them are no answer either."""
        if status < 100:
            raise Malformed("a status below 100")  # RFC 9110 15
        if status == 101:
            raise Malformed("a protocol switch that was not asked for")  # RFC 9110 15.2.2
        self._field_bytes += EMPTY_HEAD_BYTES
        self._count_fields(self.headers)

    def _count_fields(self, fields: Iterable[tuple[bytes, bytes]]) -> None:
        """(6) By fields and not by reads, so that what is refused in many reads is refused in one too."""
        self._field_bytes += sum(len(name) + len(value) + 3 for name, value in fields)
        if self._field_bytes > MAX_HEAD_BYTES:
            raise Malformed(f"over {MAX_HEAD_BYTES} bytes of heads or of trailers")

    def _has_length(self) -> bool:
        """Whether the message itself says where it ends (RFC 9112 6.3)."""
        lengths = 0
        coding: bytes | None = None
        for name, value in self.headers:
            if name not in FRAMING:
                continue
            if name == b"content-length":
                lengths += 1
            elif name == b"transfer-encoding":
                coding = value.lower() if coding is None else b"several"
            elif value.lower() != b"identity":
                self.compressed = True
        version = "1.1" if self._is_1_1 else self._parser.get_http_version()
        if version not in ("1.0", "1.1"):
            raise Malformed("not HTTP/1")  # RFC 9112 2.3
        if lengths > 1 or (lengths and coding is not None):
            # RFC 9112 6.3 rules 3 and 5, 6.1: the smuggling shapes. httptools refuses most of them, some versions less.
            raise Malformed("several lengths or codings")
        if coding is None:
            return lengths == 1
        if coding != b"chunked":
            raise Malformed("a transfer coding that was not asked for")  # RFC 9112 7.4: no TE was sent
        self._faulty_framing = version == "1.0"  # RFC 9112 6.1: closed after this message
        return True
