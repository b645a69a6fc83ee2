"""Starting and stopping what is measured and what stands behind it, each pinned to its core."""

from __future__ import annotations

import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.gateway.bodies import body
from benchmarks.gateway.cpu import cpu_seconds, rss_bytes
from benchmarks.gateway.measurement import Facts
from benchmarks.gateway.peers.peer import BUILD, Peer, Place, port_of

_CORES = sorted(os.sched_getaffinity(0))[:2]  # a container may have some of the machine's
LOAD_CORE, PEER_CORE = _CORES[0], _CORES[-1]
PINNED = LOAD_CORE != PEER_CORE
START_SECONDS = 240.0  # LiteLLM takes 8 s of CPU, and far longer by the clock where others keep the cores busy
STOP_SECONDS = 5.0
ROOT = Path(__file__).resolve().parents[2]
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1  # prctl(2); the parent is the thread that starts it, here always the main one


class Unusable(Exception):
    """A server did not start, or does not answer as it has to."""


@dataclass(frozen=True, slots=True)
class Running:
    """A peer that answers: its process, its port, and what its start took. `own_core` says that neither the load nor
    the origin uses the core that it is on: whatever keeps it waiting there is none of the benchmark's."""

    peer: Peer
    pid: int
    port: int
    facts: Facts
    own_core: bool = False


def pin(core: int | None) -> None:
    """Keep this process, and what it starts from now on, on one core. Does nothing for None, and where there is only
    one."""
    if core is not None and PINNED:
        os.sched_setaffinity(0, {core})


def _before_exec(core: int | None) -> None:
    """Pin the new process, and have the kernel end it if this one is killed; by SIGTERM, so that it ends its own."""
    pin(core)
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(
    command: Sequence[str], folder: Path, *, core: int | None, environment: Mapping[str, str] = {}
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs while the context is open, ended with all its children. Its output goes to a file in
    `folder`: the access log of a gateway is written as to any file."""
    # What whoever runs this has set up for a gateway of their own is none of the peers'.
    dropped = ("PYTHONDONTWRITEBYTECODE", "GATEWRIGHT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    with (folder / "output.log").open("wb") as output:
        started = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=kept | dict(environment),
            preexec_fn=lambda: _before_exec(core),
            start_new_session=True,
        )
    try:
        yield started
    finally:
        started.terminate()
        with suppress(subprocess.TimeoutExpired):
            started.wait(STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


@contextmanager
def origin(core: int | None = LOAD_CORE) -> Iterator[tuple[int, int]]:
    """The origin, up: its process and port."""
    port = free_port()
    command = (sys.executable, "-m", "benchmarks.gateway.origin", "--port", str(port))
    with _folder("origin") as folder, process(command, folder, core=core) as started:
        _wait(started, lambda: _status(port, "GET", "/v1/models", {}, b"") == 200, folder)
        yield started.pid, port


@contextmanager
def running(peer: Peer, origin_pid: int, origin_port: int, core: int | None = PEER_CORE) -> Iterator[Running]:
    """A peer, up: it has answered a chat with status 200. Raises `Unusable` if it does not."""
    with _folder(peer.name) as folder:
        place = Place(free_port(), origin_port, folder)
        command = tuple(peer.command(place))
        if not command:
            yield Running(peer, origin_pid, origin_port, Facts(peer.version(), installed_mb=peer.installed_mb()))
            return
        begun = time.monotonic()
        with process(command, folder, core=core, environment=peer.environment(place)) as started:
            _wait(started, lambda: _answers(peer, port_of(place)), folder)
            facts = Facts(
                peer.version(),
                first_200_s=time.monotonic() - begun,
                first_200_cpu_s=cpu_seconds(started.pid),
                idle_rss_mb=rss_bytes(started.pid) / 1e6,
                installed_mb=peer.installed_mb(),
            )
            yield Running(peer, started.pid, port_of(place), facts, own_core=PINNED and core == PEER_CORE)


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    """For one run only: another run at the same time has its own."""
    (BUILD / name).mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="run-", dir=BUILD / name, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _answers(peer: Peer, port: int) -> bool:
    asked = body(peer.dialect, "1k", peer.model("chat-1k"), False)
    return _status(port, "POST", peer.path(), peer.headers(), asked) == 200


def _status(port: int, method: str, path: str, headers: Mapping[str, str], sent: bytes) -> int | None:
    """The status of an answer; None if there was none, because nobody listens yet or the connection was cut."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, sent, {"content-type": "application/json", **headers})
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _wait(started: subprocess.Popen[bytes], ready: Callable[[], bool], folder: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while not ready():
        if started.poll() is not None or time.monotonic() > until:
            said = (folder / "output.log").read_text(errors="replace")[-2000:]
            ended = "no answer in time" if started.returncode is None else f"it ended with {started.returncode}"
            raise Unusable(f"{ended}\n{said}")
        time.sleep(0.01)
