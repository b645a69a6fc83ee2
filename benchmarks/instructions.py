"""How many instructions chain.py's, request.py's and stream.py's work takes, counted by valgrind: each run the same.

    python -m benchmarks.instructions            # the table, against benchmarks/baseline.json
    python -m benchmarks.instructions --accept   # write what was counted as the new baseline

A time moves by a third from one run to the next, a count by a thousandth; so a count is what a test can hold to a few
per cent. It is no time: it knows nothing of caches, of waiting and of the kernel. `baseline.py` says what is compared.

The counted process is this module too (`--count`). It marks where a piece of work begins and ends by calling
`os.getloadavg`, which nothing else calls: callgrind dumps and clears its counters whenever libc's function of that name
is entered.
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from benchmarks import baseline, chain, request
from benchmarks.recordings import ollama_stream, openai_stream, openai_whole, reads
from benchmarks.reference import reference
from benchmarks.stream import COMPLETE, MAP, OLLAMA_STREAMED, STREAMED, WHOLE, answer
from benchmarks.targets import Work
from pipeline import Stage

EVENTS = 100
VALGRIND = shutil.which("valgrind")
_ROOT = Path(__file__).resolve().parents[1]
_SUMMARY = re.compile(r"^summary: (\d+)$", re.MULTILINE)
_mark: Callable[[], object] = os.getloadavg


def works() -> dict[str, tuple[Work, int]]:
    """What is counted, by name, and how many things one call of it does."""
    openai, ollama = openai_stream(EVENTS), ollama_stream(EVENTS)
    burst = reads(openai, EVENTS)
    long = request.works("history-200k")

    def streamed(*stages: Stage, pieces: Sequence[bytes] = openai) -> tuple[Work, int]:
        return answer(STREAMED, pieces, *stages), EVENTS

    return {
        baseline.REFERENCE: (reference, 1),
        "chain of 0": (chain.through(0), 1),
        "chain of 6": (chain.through(6), 1),
        **{f"request of 1 KB: {what}": (work, 1) for what, work in request.works("1k").items()},
        "request of 200 KB: OpenAI, forwarded": (long["OpenAI, forwarded"], 1),
        "burst: forwarded": streamed(pieces=burst),
        "burst: 6 attached": streamed(*[MAP] * 6, pieces=burst),
        "paced: forwarded": streamed(),
        "paced: completed": streamed(COMPLETE),
        "paced: Ollama's, for an OpenAI client": (answer(STREAMED, ollama, COMPLETE, upstream="ollama"), EVENTS),
        "paced: OpenAI's, for an Ollama client": (answer(OLLAMA_STREAMED, openai, COMPLETE), EVENTS),
        "whole 1 KB: completed": (answer(WHOLE, [openai_whole(1_000)], COMPLETE), 1),
    }


def count_here() -> None:
    """Do all the work between marks, and say how many things each did. Counts only if valgrind watches."""
    prepared = {name: (work, per, *((3, 1) if per > 1 else (20, 5))) for name, (work, per) in works().items()}
    # The interpreter rewrites its own code after some calls of a function (PEP 659); that is over before counting.
    for work, _, warm_ups, _ in prepared.values():
        for _ in range(warm_ups):
            work()
    # When the collector runs depends on everything allocated before, so that one object more would move a count.
    gc.collect()
    gc.freeze()
    gc.disable()
    for work, _, _, times in prepared.values():
        _mark()
        for _ in range(times):
            work()
    _mark()
    print(msgspec.json.encode({name: per * times for name, (_, per, _, times) in prepared.items()}).decode())


def count() -> dict[str, float]:
    """The instructions of each work, for each thing it does. Takes twenty seconds of CPU.

    Raises `RuntimeError` if valgrind is missing or did not count.
    """
    if VALGRIND is None:
        raise RuntimeError("valgrind is not installed")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind"
        options = ["-q", "--tool=callgrind", "--dump-before=getloadavg", f"--callgrind-out-file={out}"]
        # An environment of our own: hashes are the same on each run, and no tool that watches this process watches
        # that one. A coverage tracer, say, would be counted.
        environment = {"PYTHONHASHSEED": "0", "PYTHONPATH": str(_ROOT), "PATH": os.environ.get("PATH", os.defpath)}
        command = [VALGRIND, *options, sys.executable, "-m", "benchmarks.instructions", "--count"]
        done = subprocess.run(command, env=environment, cwd=_ROOT, capture_output=True, text=True, check=False)
        # Part 1 is the start of the process; what follows the last mark is in a file without a number.
        parts = [_SUMMARY.search(path.read_text()) for at in range(2, 100) if (path := Path(f"{out}.{at}")).exists()]
    if done.returncode != 0:
        raise RuntimeError(f"valgrind failed:\n{done.stderr[-2000:]}")
    things = msgspec.json.decode(done.stdout, type=dict[str, int])
    counts = [int(part.group(1)) for part in parts if part is not None]
    if len(counts) != len(things):
        raise RuntimeError(f"valgrind counted {len(counts)} of {len(things)} works: it did not see the marks")
    return {name: total / things[name] for name, total in zip(things, counts, strict=True)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--accept", action="store_true", help="write the counts as the new baseline")
    parser.add_argument("--count", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.count:
        count_here()
        return
    counted = baseline.Counts(baseline.this_build(), count())
    if args.accept:
        counted.write(baseline.FILE)
    known = baseline.Counts.read(baseline.FILE)
    print(*baseline.table(known, counted), sep="\n")
    complaints = baseline.complaints(known, counted)
    print(*complaints, sep="\n")
    sys.exit(bool(complaints))


if __name__ == "__main__":
    main()
