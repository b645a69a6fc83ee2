"""Whether a peer relays what the origin says, before anything is timed: a fast wrong answer is no result."""

from __future__ import annotations

import http.client
from dataclasses import replace

import msgspec

from benchmarks.gateway.agreed import ALIASES
from benchmarks.gateway.answers import STAMP, said
from benchmarks.gateway.bodies import body
from benchmarks.gateway.peers.peer import Peer
from benchmarks.gateway.scenarios import Ask, Scenario

CHUNKS = 7
TIMEOUT_SECONDS = 30.0


def wrong(peer: Peer, port: int, scenario: Scenario) -> str | None:
    """What is wrong with the answers to what `scenario` asks, each asked once; None if nothing is.

    A whole answer must hold the origin's text to the letter; a stream, which is cut short here, each of its chunks and
    none twice.
    """
    for ask in dict.fromkeys(scenario.asks):
        status, answer = _fetched(peer, port, replace(ask, limit=CHUNKS) if ask.stream else ask)
        if status != 200:
            return f"status {status}: {answer[:300]!r}"
        if ask.stream:
            seen = len(STAMP.findall(answer))
            if seen != CHUNKS:
                return f"a stream of {CHUNKS} chunks came with {seen}: {answer[-300:]!r}"
        elif _text(answer) not in said(ALIASES[ask.alias]):
            return f"not what the origin said: {answer[:300]!r}"
    return None


def _fetched(peer: Peer, port: int, ask: Ask) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        sent = body(peer.dialect, ask.size, peer.model(ask.alias), ask.stream, ask.limit)
        headers = {"content-type": "application/json", **peer.headers()}
        connection.request("POST", peer.path(), sent, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error).encode()
    finally:
        connection.close()


def _text(answer: bytes) -> object:
    """What the assistant says in a whole answer of either dialect; None if it is neither."""
    try:
        decoded = msgspec.json.decode(answer)
        message = decoded["choices"][0]["message"] if "choices" in decoded else decoded["message"]
        return message["content"]
    except (msgspec.DecodeError, LookupError, TypeError):
        return None
