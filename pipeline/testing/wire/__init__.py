"""Scripted upstreams on real sockets, for tests of a transport or of a whole gateway in a process of its own.

What a `ScriptedAnswer` does in memory on the virtual clock it does here on the wire, in real time.
"""

from pipeline.testing.wire.connection import Gone, Received, Script, Seen, Wire
from pipeline.testing.wire.played import played
from pipeline.testing.wire.upstream import HOST, PATIENCE_SECONDS, Gate, WireUpstream

__all__ = [
    "HOST",
    "PATIENCE_SECONDS",
    "Gate",
    "Gone",
    "Received",
    "Script",
    "Seen",
    "Wire",
    "WireUpstream",
    "played",
]
