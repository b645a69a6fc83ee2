"""The laws tried in a process of their own, so that no stage can hang pytest or end it.

A stage may loop for ever and catch whatever is raised in it, block in a call of the system, hold the interpreter or end
it: what it loses is its own process, one for each kind, which leaves nothing behind for the next. Nothing of the kit is
imported here, and nothing of what is tried: this is pytest's own process.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.testing.verdict import LAST, Case, Unusable, Verdict

_START_SECONDS = 120.0
_END_SECONDS = 5.0
# Beyond its patience a worker says itself where it is; one that says nothing at all is beyond that.
_SILENT_PATIENCES = 3
_POLLS = 20


class IsolatedRunner:
    """Shaped like `Runner`. `patience_seconds` is how long an example may take, see `watchdog`."""

    def __init__(self, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._worker: _Worker | None = None
        self._tried: tuple[str, str] | None = None

    def collect(
        self,
        stages: Sequence[str],
        dialects: Sequence[str],
        configs: Sequence[str],
        laws: Sequence[str],
        xfail: str,
    ) -> list[Case]:
        """What is held to what. Raises `Unusable`, also where a table of kinds is imported without end."""
        worker = self._of(None)
        what, value = worker.ask("collect", stages=stages, dialects=dialects, configs=configs, laws=laws, xfail=xfail)
        if what == "collected":
            return [Case(**each) for each in value]
        self.close()
        raise Unusable(value if what == "unusable" else f"the registered kinds cannot be listed: {value}")

    def run(self, case: Case, *, profile: str, seed: int) -> Verdict:
        """Try one law. What ends the process breaks the law that it ended in."""
        worker = self._of((case.on, case.name))
        try:
            what, value = worker.ask("run", case=asdict(case), profile=profile, seed=seed)
        except BaseException:
            # A time limit or Ctrl-C: the answer that nobody waited for would be taken for the next law's.
            self.close()
            raise
        if what == "verdict":
            return Verdict(**value)
        self.close()
        example, called = worker.example, LAST
        text = case.tell(f"{case.name} breaks it: {value}", profile=profile, seed=seed, example=example, called=called)
        return Verdict("stopped", text)

    def close(self) -> None:
        """End the process, if there is one."""
        if self._worker is not None:
            self._worker.end()
        self._worker = None

    def _of(self, held: tuple[str, str] | None) -> _Worker:
        """The process for this stage, dialect or config. One that has tried nothing yet serves for any."""
        if self._worker is not None and self._tried not in (None, held):
            self.close()
        if self._worker is None:
            self._worker = _Worker(self._patience_seconds)
        self._tried = held
        return self._worker


class _Worker:
    """A running `worker`. `example` is the last one that it began."""

    def __init__(self, patience_seconds: float) -> None:
        self._patience_seconds = patience_seconds
        self._signs = 0
        self._idle = False
        self._answers: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._example = b""
        # As pytest's own path is now: its `pythonpath` setting and conftests have changed it.
        path = os.pathsep.join(entry or os.getcwd() for entry in sys.path)
        # A file and no pipe, so that all that was printed is there when the answer is.
        self._folder = TemporaryDirectory(prefix="gatewright-")
        printed = Path(self._folder.name, "printed")
        with printed.open("wb") as written:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "pipeline.testing.worker", str(patience_seconds)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=written,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,
            )
        self._printed = printed.open("rb")
        threading.Thread(target=self._listen, name="gatewright worker", daemon=True).start()

    @property
    def example(self) -> list[str]:
        shown: list[str] = json.loads(self._example)[1] if self._example else []
        return shown

    def ask(self, what: str, **given: Any) -> tuple[str, Any]:
        """What it answers, or anything else and what became of it. What it printed is printed here."""
        try:
            return self._asked(what, given)
        finally:
            sys.stderr.write(self._printed.read().decode(errors="replace"))

    def _asked(self, what: str, given: dict[str, Any]) -> tuple[str, Any]:
        self._example, self._idle = b"", False
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps([what, given]).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            return "ended", self._how_it_ended()
        seen, silent_seconds = self._signs, 0.0
        poll_seconds = self._patience_seconds / _POLLS
        while silent_seconds < (self._patience_seconds * _SILENT_PATIENCES if self._signs else _START_SECONDS):
            try:
                answer = self._answers.get(timeout=poll_seconds)
                self._idle = True
                return answer
            except queue.Empty:
                # Counted in polls, of which a machine that is stopped for an hour makes one.
                silent_seconds = silent_seconds + poll_seconds if seen == self._signs else 0.0
                seen = self._signs
        return "ended", "it does not end, and lets nothing else run that could say where it is"

    def end(self) -> None:
        """Let it end, if it can, and kill whatever is left of it and of what it has started."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS if self._idle else 0)
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL) if hasattr(os, "killpg") else self._process.kill()
        self._process.wait()
        self._printed.close()
        self._folder.cleanup()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break  # it ended while it spoke
                self._signs += 1
                if line.startswith(b'["example"'):
                    self._example = line
                elif not line.startswith(b'["alive"'):
                    self._answers.put(tuple(json.loads(line)))
        self._answers.put(("ended", self._how_it_ended()))

    def _how_it_ended(self) -> str:
        code = self._process.wait()
        how = f"signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"exit status {code}"
        return f"it ended the process in which it was tried, with {how}"
