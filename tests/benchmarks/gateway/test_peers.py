"""The peers that need nothing but this environment (and nginx) start, do the same work, and are measured."""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.gateway import servers
from benchmarks.gateway.__main__ import main
from benchmarks.gateway.agreed import CLIENT_KEY
from benchmarks.gateway.bodies import body
from benchmarks.gateway.check import wrong
from benchmarks.gateway.cpu import tree
from benchmarks.gateway.measurement import Run
from benchmarks.gateway.peers import PEERS
from benchmarks.gateway.peers.peer import Peer
from benchmarks.gateway.run import run
from benchmarks.gateway.scenarios import SCENARIOS
from benchmarks.gateway.servers import LOAD_CORE, PEER_CORE, PINNED, Unusable, origin, running

pytestmark = pytest.mark.wire

OURS = ["nginx", "bare", *(name for name in PEERS if name.startswith("gatewright"))]
ASKS = ("mixed", "image-1m-c4", "stream-paced", "stream-low")


@pytest.fixture(scope="module")
def behind() -> Iterator[tuple[int, int]]:
    with origin() as it:
        yield it


@pytest.mark.parametrize("name", OURS)
def test_a_peer_answers_everything_that_the_scenarios_ask_as_the_origin_does_and_takes_no_other_key(
    behind: tuple[int, int], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "BUILD", tmp_path)
    peer = PEERS[name]
    if not peer.installed():
        pytest.skip(f"{name} is not installed")
    with running(peer, *behind) as it:
        assert {scenario: wrong(peer, it.port, SCENARIOS[scenario]) for scenario in ASKS} == dict.fromkeys(ASKS)
        assert it.facts.version
        assert it.facts.idle_rss_mb is not None
        assert it.facts.idle_rss_mb > 1
        assert it.own_core == PINNED
        if PINNED:
            assert all(os.sched_getaffinity(process) == {PEER_CORE} for process in tree(it.pid))
            assert os.sched_getaffinity(behind[0]) == {LOAD_CORE}
        for key, status in ((CLIENT_KEY, 200), (CLIENT_KEY[:-1], 401), ("", 401)):
            connection = http.client.HTTPConnection("127.0.0.1", it.port, timeout=20)
            sent = body(peer.dialect, "1k", peer.model("chat-1k"), False)
            connection.request("POST", peer.path(), sent, {"authorization": f"Bearer {key}"})
            assert connection.getresponse().status == (200 if name == "nginx" else status)  # which checks none
            connection.close()
    assert [list(folder.iterdir()) for folder in tmp_path.iterdir()] == [[]]  # what a run writes goes with it


def test_a_peer_that_does_not_start_says_why(behind: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(type(PEERS["bare"])):  # type: ignore[misc]  # the class is found through its registration
        def command(self, at: object) -> list[str]:
            return [sys.executable, "-c", "print('no such config'); raise SystemExit(3)"]

    with pytest.raises(Unusable, match=r"ended with 3(.|\n)*no such config"), running(Broken(), *behind):
        pass


def test_only_a_peer_on_the_peers_core_has_it_for_itself(behind: tuple[int, int]) -> None:
    with running(PEERS["direct"], *behind) as it:
        assert not it.own_core
    with running(PEERS["bare"], *behind, core=None) as it:
        assert not it.own_core


def test_a_run_visits_the_peers_in_turn_and_measures_each() -> None:
    peers: list[Peer] = [PEERS["direct"], PEERS["bare"]]
    said: list[str] = []
    got = run(peers, ["whole-1k-c1"], rounds=2, seconds=0.2, nice=0, say=said.append)
    assert [(m.round, m.peer) for m in got.measurements] == [(1, "direct"), (1, "bare"), (2, "direct"), (2, "bare")]
    for m in got.measurements:
        assert m.errors == 0, said
        assert m.cpu_us_per_request is not None
        assert 0 < m.cpu_us_per_request < 20_000
        assert m.rss_mb is not None
    assert set(got.facts) == {"direct", "bare"}
    assert got.machine.nice == 0 or os.geteuid() != 0


def test_a_peer_with_a_wrong_answer_is_not_measured_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(PEERS["direct"]), "model", lambda self, alias: alias)  # names the origin has never heard
    said: list[str] = []
    got = run([PEERS["direct"]], ["whole-1k-c1"], rounds=1, seconds=0.1, nice=0, say=said.append)
    assert [(m.round, m.errors, m.requests) for m in got.measurements] == [(0, 1, 0)]
    assert any("left out of whole-1k-c1: status 404" in line for line in said)


def test_the_command_writes_what_it_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run.json"
    options = "--peers direct bare --scenarios stream-paced --rounds 1 --seconds 0.1 --nice 0"
    monkeypatch.setattr(sys, "argv", ["gateway", *options.split(), "--out", str(out)])
    assert main() == 0
    assert {m.peer for m in Run.read(out).measurements} == {"direct", "bare"}
    assert "stream-paced" in capsys.readouterr().out
    assert json.loads(out.read_text())["facts"]["bare"]["first_200_s"] > 0
