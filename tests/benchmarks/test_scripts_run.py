"""The benchmarks measure what they say: they run, print every row, refuse a failed answer, and `--check` can fail.

No time is asserted here, since a time on a busy machine proves nothing. Each script runs in one process with one loop a
figure (`--worker` without a task, which is pyperf's way to do so).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks import request
from benchmarks.gateway.bodies import body
from benchmarks.gateway.scenarios import Size
from benchmarks.recordings import ollama_stream, openai_stream, openai_whole
from benchmarks.stream import COMPLETE, EVENTS, MAP, OLLAMA_STREAMED, STREAMED, WHOLE, answer
from benchmarks.targets import EMPTY_CALL_NS, SLACK, Figure, best

ROOT = Path(__file__).resolve().parents[2]
IN_ONE_PROCESS = ("--worker", "--loops=1", "--values=1", "--warmups=0")

CHAIN_ROWS = [
    "an empty call",
    *(f"chain of {count}" for count in (0, 1, 6, 20)),
    *(f"a stage, of {count}" for count in (1, 6, 20)),
    "strict chain of 6",
    "a stage, strict",
    "Request.evolve, one field",
]
EVENT_ROWS = [
    "forwarded",
    "a stage that attaches nothing",
    *(f"{count} attached" for count in (1, 3, 6)),
    "an attached function, 6 less 1",
    "expanded",
    "looked at",
    "completed",
    "Ollama's, for an OpenAI client",
    "OpenAI's, for an Ollama client",
]
STREAM_ROWS = [
    "an empty call",
    *(f"{pace}: {row}" for pace in ("burst", "paced") for row in EVENT_ROWS),
    *(f"whole {size}: {row}" for size in ("1 KB", "100 KB") for row in ("forwarded", "1 attached", "completed")),
]
REQUEST_ROWS = [
    "an empty call",
    *(
        f"{size}: {row}"
        for size in ("1 KB", "200 KB")
        for row in ("OpenAI, forwarded", "Ollama, forwarded", "OpenAI to Ollama", "Ollama to OpenAI")
    ),
]
MISSES = """
from benchmarks.targets import Bench

bench = Bench("a target no machine meets")
bench.add("slow", 1e15, target_ns=1)
bench.report()
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("script", "rows"), [("chain.py", CHAIN_ROWS), ("request.py", REQUEST_ROWS), ("stream.py", STREAM_ROWS)]
)
def test_a_script_prints_a_figure_for_each_of_its_rows_in_order(script: str, rows: list[str]) -> None:
    done = run(f"benchmarks/{script}", *IN_ONE_PROCESS)
    assert (done.returncode, done.stderr) == (0, "")
    table = done.stdout[done.stdout.index("CPU nanoseconds") :].splitlines()[1:]
    assert [line[:44].rstrip() for line in table] == rows
    for line in table:
        float(line[44:54].replace(",", ""))


@pytest.mark.wire
def test_the_client_towards_an_upstream_has_a_figure_in_every_row() -> None:
    options = ("--lanes", "h1", "bare", "--connections", "2", "--rounds", "1", "--seconds", "0.05")
    done = run("benchmarks/transport.py", *options)
    assert (done.returncode, done.stderr) == (0, "")
    about, heads, *rows = done.stdout.splitlines()
    assert (about[:16], heads.split()) == ("CPU microseconds", ["h1", "bare"])
    assert [row[:26].rstrip() for row in rows] == [
        f"{scheme} {what}, 2 conn." for scheme in ("http", "https") for what in ("request", "chunk")
    ]
    for row in rows:
        assert all(float(figure) > 0 for figure in row[26:].split())


@pytest.mark.parametrize(("options", "status"), [((), 0), (("--check",), 1)])
def test_a_missed_target_is_marked_and_fails_the_run_only_when_checked(options: tuple[str, ...], status: int) -> None:
    done = run("-c", MISSES, *IN_ONE_PROCESS, *options)
    assert done.returncode == status, done.stderr
    assert done.stdout.rstrip().endswith("MISSED")


@pytest.mark.parametrize("slower", [0.5, 1.0, 3.0])
def test_a_target_grows_with_what_an_empty_call_costs_here(slower: float) -> None:
    empty_call_ns = EMPTY_CALL_NS * slower
    allowed = 300 * slower * SLACK
    assert not Figure("in time", allowed * 0.999, target_ns=300).missed(empty_call_ns)
    assert Figure("too slow", allowed * 1.001, target_ns=300).missed(empty_call_ns)


def test_a_figure_measured_beside_another_is_held_to_that_one_and_no_clock() -> None:
    assert not Figure("idle", 1290, same_as=1000).missed(EMPTY_CALL_NS / 100)
    assert Figure("idle", 1310, same_as=1000).missed(EMPTY_CALL_NS * 100)


def test_a_figure_without_a_target_is_never_missed() -> None:
    assert not Figure("for information", 1e15).missed(EMPTY_CALL_NS)


def test_the_quick_values_decide_but_not_the_single_quickest() -> None:
    assert best([1, *[2] * 4, *[900] * 15]) == 2


def test_an_answer_that_failed_is_not_measured() -> None:
    frames = openai_stream(10)
    answer(STREAMED, frames, MAP)()
    answer(WHOLE, [openai_whole(1_000)], MAP)()
    failed = [frames[0], b'data: {"error": {"message": "no"}}\n\n']
    with pytest.raises(RuntimeError, match="the answer ended with"):
        answer(STREAMED, failed, MAP)()


def test_a_translated_answer_ends_as_the_client_s_protocol_says() -> None:
    answer(STREAMED, ollama_stream(10), COMPLETE, upstream="ollama")()
    answer(OLLAMA_STREAMED, openai_stream(10), COMPLETE)()
    with pytest.raises(RuntimeError, match="the answer ended with"):
        answer(STREAMED, ollama_stream(10)[:-1], COMPLETE, upstream="ollama")()
    with pytest.raises(RuntimeError, match="the answer ended with"):
        answer(OLLAMA_STREAMED, openai_stream(10)[:-2], COMPLETE)()


def test_the_streams_are_realistic_ones() -> None:
    openai, ollama = openai_stream(EVENTS), ollama_stream(EVENTS)
    assert len(openai) == len(ollama) == EVENTS
    assert all(250 < len(frame) < 350 for frame in openai[:-1])
    assert all(100 < len(line) < 150 for line in ollama[:-1])


@pytest.mark.parametrize("size", request.SIZES)
def test_a_request_arrives_whole_whichever_way_it_goes(size: Size) -> None:
    for what, work in request.works(size).items():
        asked = msgspec.json.decode(body("openai" if what.startswith("OpenAI") else "ollama", size, "small", True))
        sent = msgspec.json.decode(work())
        assert sent["model"] == request.TARGET.model, what
        assert sent["messages"] == asked["messages"], what
