"""An address that takes no more connections: a listening socket whose queue is full, so that connecting hangs."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.testing.wire import HOST

CALLERS = 8


@contextmanager
def unreachable() -> Iterator[str]:
    """The URL of one."""
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        listening.listen(0)
        callers = [socket.socket() for _ in range(CALLERS)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(listening.getsockname())
        try:
            yield f"http://{HOST}:{listening.getsockname()[1]}"
        finally:
            for caller in callers:
                caller.close()
