"""The process in which strangers' code is tried: `python -P -m pipeline.testing.worker SECONDS`, started by `isolated`.

It reads one JSON value a line and answers each with a line, on what were its standard input and output; whatever a
stage prints goes to standard error. Before each example it says what comes, and all the while that it lives. So whoever
started it knows how far it came, however it ends.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import threading
import warnings
from dataclasses import asdict, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pipeline.testing.verdict import Case, Unusable, Verdict
from pipeline.testing.watchdog import Watchdog, never_ends

if TYPE_CHECKING:
    from pipeline.testing.runner import Runner

STUCK = 70
_LONGEST_LINE = 4000


class _Line:
    """The way back to whoever started this process; two threads use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._out = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        # What was printed before the end of this process is wanted most of all.
        sys.stdout = os.fdopen(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
        self.said = os.fdopen(os.dup(0), "rb")
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)

    def say(self, what: str, value: Any = None, *, patience_seconds: float = -1) -> None:
        """Raises `OSError` when nobody listens any more. With patience, says nothing where another is speaking."""
        if self._lock.acquire(timeout=patience_seconds):
            try:
                self._out.write(json.dumps([what, value]).encode() + b"\n")
                self._out.flush()
            finally:
                self._lock.release()


def main(patience_seconds: float) -> None:
    line = _Line()
    line.say("alive")
    # Ctrl-C is for pytest, which ends this process too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()

    def stuck(place: str) -> None:
        try:
            line.say("stuck", never_ends(patience_seconds, place), patience_seconds=1)
        finally:
            os._exit(STUCK)

    def alive() -> None:
        try:
            line.say("alive", patience_seconds=0)
        except OSError:
            # pytest is gone without a word, and nobody else would end what hangs here.
            os._exit(STUCK)

    with Watchdog(patience_seconds, stuck, alive) as watchdog:
        _serve(line, watchdog)


def _serve(line: _Line, watchdog: Watchdog) -> None:
    # Only now, when the dog is watching and tells that this process lives: the kit takes a second to import.
    runner_class = import_module("pipeline.testing.runner").Runner

    def began(example: Any) -> None:
        watchdog.beat()
        line.say("example", [each[:_LONGEST_LINE] for each in example.lines()])

    runner: Runner = runner_class(began)
    while request := line.said.readline():
        watchdog.beat()
        what, given = json.loads(request)
        answer: tuple[str, Any]
        if what == "collect":
            try:
                answer = "collected", [asdict(case) for case in runner.collect(**given)]
            except Unusable as error:
                answer = "unusable", str(error)
        else:
            case = Case(**given.pop("case"))
            answer = "verdict", asdict(_warned(runner, case, given))
        watchdog.rest()  # before it is told: what is over must not be found stuck
        line.say(*answer)


def _warned(runner: Runner, case: Case, given: dict[str, Any]) -> Verdict:
    """The verdict, with what was warned of. pytest decides what becomes of warnings, by its own settings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        verdict = runner.run(case, **given)
    told = [(str(each.message), _built_in(each.category), each.filename, each.lineno) for each in caught]
    return replace(verdict, warnings=tuple(dict.fromkeys(told)))


def _built_in(category: type[Warning]) -> str:
    """One of the stage's own cannot be told where the stage is not imported."""
    return next(base.__name__ for base in category.__mro__ if base.__module__ == "builtins")


if __name__ == "__main__":
    main(float(sys.argv[1]))
