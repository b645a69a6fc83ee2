"""Whatever an upstream sends, the reader raises `Malformed` or nothing, and at once.

A mutating fuzzer beside Hypothesis: it starts from a corpus of answers that reach every state of the parser, splices,
flips and splits them, and runs by the clock. `GATEWRIGHT_FUZZ_SECONDS` says for how long (600 in the thorough run).
"""

from __future__ import annotations

import os
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.upstreams.h1.reader import MAX_HEAD_BYTES
from tests.stages.upstreams.h1.reading import reading
from tests.stages.upstreams.h1.responses import TAMPERINGS, replies, tampered

HEAD = b"HTTP/1.1 200 OK\r\n"
CORPUS = (
    HEAD + b"content-length: 5\r\n\r\nhello",
    HEAD + b"\r\nuntil the end",
    HEAD + b"transfer-encoding: chunked\r\n\r\n5;a=1\r\nhello\r\n0\r\nx: y\r\n\r\n",
    HEAD + b"transfer-encoding: chunked\r\ntrailer: x\r\n\r\nA\r\n0123456789\r\n00\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    + HEAD
    + b"content-length: 0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n\0\0\0",
    b"HTTP/1.1 204 No Content\r\ncontent-length: 3\r\n\r\nabc",
    b'HTTP/1.1 304 Not Modified\r\netag: "x"\r\ntransfer-encoding: chunked\r\n\r\n',
    b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 1\r\n\r\nx" + HEAD,
    HEAD + b"connection: upgrade, close\r\nupgrade: websocket\r\ncontent-length: 2\r\n\r\nok",
    HEAD + b"content-length: 18446744073709551615\r\n\r\n",
    HEAD + b"transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    HEAD + b"set-cookie: a=\xff\xfe\r\nx-empty:\r\nx-folded: a\r\n b\r\n\r\n",
    b"RTSP/1.0 200 OK\r\nproxy-connection: keep-alive\r\n\r\n",
    b"HTTP/1.1 407 Proxy Authentication Required\r\nconnection: upgrade\r\nupgrade: x\r\ncontent-length: 1\r\n\r\n1",
)
ENDINGS = ("complete", "malformed", "cut")
HANG_SECONDS = 1.0


@given(st.one_of(st.binary(max_size=4000), tampered(), replies().map(lambda reply: reply.wire)), st.booleans())
def test_no_bytes_raise_anything_but_malformed(wire: bytes, is_head: bool) -> None:
    assert reading([wire], is_head=is_head).ending in ENDINGS


@pytest.mark.parametrize("wire", CORPUS)
def test_the_corpus_raises_nothing_but_malformed_wherever_it_is_cut(wire: bytes) -> None:
    for at in range(len(wire) + 1):
        for is_head in (False, True):
            assert reading([wire[:at], wire[at:]], is_head=is_head).ending in ENDINGS
            assert reading([wire[:at]], is_head=is_head).ending in ENDINGS


def mutated(dice: random.Random, wire: bytes) -> bytes:
    for _ in range(dice.randint(1, 6)):
        at, other = dice.randint(0, len(wire)), dice.choice(CORPUS)
        match dice.randint(0, 6):
            case 0:
                wire = wire[:at] + dice.randbytes(dice.randint(1, 4)) + wire[at + dice.randint(0, 4) :]
            case 1:
                wire = wire[:at] + dice.choice(TAMPERINGS) + wire[at:]
            case 2:
                wire = wire[:at] + other[dice.randint(0, len(other)) :]
            case 3:
                wire = wire[:at] + wire[at + dice.randint(1, 30) :]
            case 4 if wire:
                at %= len(wire)
                wire = wire[:at] + bytes([wire[at] ^ 1 << dice.randint(0, 7)]) + wire[at + 1 :]
            case 5 if len(wire) < 4 * MAX_HEAD_BYTES:
                wire = wire[:at] + wire[at : at + 20] * dice.choice((2, 50, 5000)) + wire[at:]
            case _:
                wire = wire + other
    return wire


def fuzz(seconds: float, seed: int) -> tuple[int, float]:
    """How many answers were read, and the longest time that one took."""
    dice = random.Random(seed)
    end, count, longest = time.monotonic() + seconds, 0, 0.0
    while time.monotonic() < end:
        wire = mutated(dice, dice.choice(CORPUS))
        size = dice.choice((1, 2, 7, 100, 65536, len(wire) + 1))
        size = max(size, len(wire) // 20_000)
        reads = [wire[at : at + size] for at in range(0, len(wire), size)]
        started = time.thread_time()
        answer = reading(reads, is_head=dice.random() < 0.1)
        took = time.thread_time() - started
        assert answer.ending in ENDINGS
        assert took < HANG_SECONDS, (seed, count, wire[:2000])
        longest, count = max(longest, took), count + 1
    return count, longest


def test_two_seconds_of_fuzzing_find_nothing() -> None:
    count, _ = fuzz(2.0, seed=1)
    assert count > 100


@pytest.mark.thorough
@pytest.mark.timeout(4000)
def test_long_fuzzing_finds_nothing() -> None:
    seconds = float(os.environ.get("GATEWRIGHT_FUZZ_SECONDS", "600"))
    seed = random.SystemRandom().randrange(2**32)
    count, longest = fuzz(seconds, seed)
    print(f"seed {seed}: {count} answers in {seconds:.0f} s, the slowest took {longest * 1000:.1f} ms")
