"""The whole of gatewright in one run: a real model, a real gateway before it, and the official client calling it.

    python examples/demo.py           # make demo: ask one question, print the answer as it streams, stop everything
    python examples/demo.py --stay    # make serve: start both, say how to call them, stay until Ctrl-C

Why: this is the first thing a newcomer runs, and it fails loudly (exit 1) when any part does not work, so it is a smoke
test too. Everything listens on 127.0.0.1 and nothing outside the machine is asked.

The trap is what stays behind. Each child leads a process group of its own, so that Ctrl-C reaches only this script,
which then stops the children in order; every way out passes through `stopped_at_the_end`; and should this script be
killed outright, the kernel (on Linux) sends the children SIGTERM.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import http.client
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
HOST, MODEL = "127.0.0.1", "smollm2"
LISTENING = re.compile(r"^listening on (http://\S+)$", re.M)
QUESTION = "Why is the sky blue? Answer in one sentence."


class DemoFailed(Exception):
    """Shown to the reader as it is: what did not work, and the last lines of whoever knows why."""


class Child:
    """A server process that writes its output to a log file."""

    def __init__(self, name: str, command: list[str], folder: Path, **environment: str) -> None:
        self.name, self.log = name, folder / f"{name}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent if sys.platform == "linux" else None,
            )

    def output(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def tail(self) -> str:
        lines = self.output().splitlines()[-15:]
        return "\n".join([f"last lines of the {self.name}'s log:", *(f"  | {line}" for line in lines)])

    def check_alive(self) -> None:
        if (code := self.process.poll()) is not None:
            raise DemoFailed(f"the {self.name} ended with exit code {code}; {self.tail()}")

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Ask until `ready`; a dead or a silent child is an error that carries its log."""
        deadline = time.monotonic() + seconds
        while not ready():
            self.check_alive()
            if time.monotonic() > deadline:
                raise DemoFailed(f"the {self.name} was not ready after {seconds:.0f} s; {self.tail()}")
            time.sleep(0.05)

    def signal_group(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # the group is empty already
            os.killpg(self.process.pid, number)

    def stop(self) -> None:
        """SIGTERM, patience, SIGKILL; the last one also for workers whose parent has gone before them."""
        self.signal_group(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=8)
        self.signal_group(signal.SIGKILL)
        self.process.wait()


@contextlib.contextmanager
def stopped_at_the_end() -> Iterator[list[Child]]:
    """A list whose children are stopped, last one first; a second Ctrl-C does not interrupt that."""
    children: list[Child] = []
    try:
        yield children
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for child in reversed(children):
            child.stop()


def die_with_parent() -> None:
    """Runs in the child before it becomes the server: SIGTERM when the parent dies, by prctl(PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def answers(url: str) -> bool:
    """Does a GET bring 200? By `http.client`, which never asks a proxy from the environment."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(HOST, address.port or 80, timeout=2)
    try:
        connection.request("GET", address.path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def step(what: str) -> Iterator[list[str]]:
    """Print `what`, and when it is done what came of it and how long it took."""
    print(f"{what} ...", end=" ", flush=True)
    began, result = time.monotonic(), list[str]()
    yield result
    print(f"{' '.join(result)} ({time.monotonic() - began:.1f} s)", flush=True)


def start_model(children: list[Child], folder: Path) -> str:
    """Start llama.cpp with the packaged model; the address of its API."""
    with step("Starting a model server (llama.cpp, SmolLM2-135M, on the CPU)") as result:
        child = Child("model server", ["examples/local_model.py", "--port", "0"], folder)
        children.append(child)
        child.wait_until(lambda: LISTENING.search(child.output()) is not None, 60)
        (address,) = LISTENING.findall(child.output())
        child.wait_until(lambda: answers(f"{address}/health"), 60)
        result += ["ready at", f"{address}/v1"]
    return f"{address}/v1"


def start_gateway(children: list[Child], folder: Path, model_url: str, key: str) -> str:
    """Start the gateway before it; the address for clients."""
    with step("Starting the gateway (configs/quickstart.yaml)") as result:
        port = free_port()
        environment = {"MODEL_URL": model_url, "GATEWRIGHT_DEMO_KEY": key, "GATEWRIGHT_PORT": str(port)}
        command = ["-m", "pipeline.cli.main", "serve", "configs/quickstart.yaml"]
        child = Child("gateway", command, folder, **environment)
        children.append(child)
        child.wait_until(lambda: answers(f"http://{HOST}:{port}/readyz"), 60)
        result += ["ready at", f"http://{HOST}:{port}/v1"]
    return f"http://{HOST}:{port}/v1"


def ask(url: str, key: str) -> None:
    """List the models and stream one answer, with the official client and nothing of ours."""
    with step("Loading the official openai client") as result:
        from openai import OpenAI, OpenAIError, __version__  # slow to import, and `--stay` does not need it

        result += ["version", __version__]
    try:
        with OpenAI(base_url=url, api_key=key, max_retries=0, timeout=60) as client:
            with step("Listing the gateway's models") as result:
                result += [model.id for model in client.models.list()]
            print(f"\n  {QUESTION}\n  ", end="", flush=True)
            began, first, tokens, finish = time.monotonic(), 0.0, 0, None
            for chunk in client.chat.completions.create(
                model=MODEL,
                messages=[{"role": "user", "content": QUESTION}],
                max_tokens=48,
                temperature=0,
                stream=True,
            ):
                for choice in chunk.choices:
                    finish = choice.finish_reason or finish
                    if choice.delta.content:
                        first, tokens = first or time.monotonic() - began, tokens + 1
                        print(choice.delta.content, end="", flush=True)
    except OpenAIError as error:
        raise DemoFailed(f"\nthe openai client failed: {type(error).__name__}: {error}") from error
    spent = time.monotonic() - began
    print(f"\n\n{tokens} tokens in {spent:.1f} s, the first after {first:.2f} s, finish reason: {finish}", flush=True)
    if not tokens or not finish:
        raise DemoFailed("the stream ended without " + ("a finish reason" if tokens else "a single token"))


def how_to_call(url: str, key: str) -> str:
    body = f'{{"model": "{MODEL}", "stream": true, "messages": [{{"role": "user", "content": "Hello"}}]}}'
    return (
        f"  curl -N {url}/chat/completions \\\n    -H 'Authorization: Bearer {key}' \\\n"
        f"    -H 'Content-Type: application/json' \\\n    -d '{body}'"
    )


def demo(stay: bool) -> None:
    # The only addresses called are on this machine: a proxy named in the environment must not be asked for them.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = HOST
    key = f"gw-demo-{secrets.token_urlsafe(32)}"
    with tempfile.TemporaryDirectory(prefix="gatewright-") as name, stopped_at_the_end() as children:
        folder = Path(name)
        model_url = start_model(children, folder)
        url = start_gateway(children, folder, model_url, key)
        if stay:
            print(f"\nBase URL  {url}\nAPI key   {key}\nLogs      {folder}\n\n{how_to_call(url, key)}")
            print("\nCtrl-C stops both.", flush=True)
            while True:
                time.sleep(0.5)
                for child in children:
                    child.check_alive()
        try:
            ask(url, key)
        except DemoFailed as error:
            raise DemoFailed(f"{error}\n{children[-1].tail()}") from error
    print("\nBoth are stopped. `make serve` keeps them running and prints its own address and key for this call:\n")
    print(f"{how_to_call(url, key)}\n\nREADME.md has the idea in one page; docs/ has the tutorial and every setting.")


def leave(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)  # an exception, so that every `with` above is left properly


def main() -> None:
    parser = argparse.ArgumentParser(description="A real model behind a real gateway, called by the official client.")
    parser.add_argument("--stay", action="store_true", help="start both and stay until Ctrl-C")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)
    try:
        demo(args.stay)
    except DemoFailed as error:
        sys.exit(f"\n\ndemo failed: {error}")
    except KeyboardInterrupt:
        print("\nstopped")
        sys.exit(0 if args.stay else 130)


if __name__ == "__main__":
    main()
