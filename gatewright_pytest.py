"""The pytest plugin of the conformance kit: `pytest --gatewright-stage acme.redact`.

It lies outside the packages, as Hypothesis' own plugin does, because pytest imports every installed plugin at each
start, wanted or not, and importing a module imports the packages above it. Here that costs nothing and takes no line of
`pipeline` or of your package away from a coverage that starts later. The rest is imported once an option asks for it.
"""

from __future__ import annotations

import argparse
import builtins
import importlib
import random
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

LONGEST_SEED = 1_000_000
_RUNNER = pytest.StashKey[Any]()
_LONGEST_PATIENCE_SECONDS = 1_000_000.0
_STOPPED = pytest.StashKey[dict[tuple[str, str], str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gatewright", "gatewright conformance kit")
    group.addoption(
        "--gatewright-stage",
        action="append",
        default=[],
        metavar="KIND",
        help="hold the stage of this kind to the laws; `all` for every registered one. Repeatable. "
        "Without other arguments nothing else is run.",
    )
    group.addoption(
        "--gatewright-dialect",
        action="append",
        default=[],
        metavar="NAME",
        help="hold this dialect to the laws of dialects; `all` for every registered one. Repeatable",
    )
    group.addoption(
        "--gatewright-config",
        action="append",
        default=[],
        metavar="PATH",
        help="hold the gateways of this config to the laws of chains, with stand-ins for what is outside. Repeatable",
    )
    group.addoption("--gatewright-law", action="append", default=[], metavar="ID", help="only these laws, such as L7")
    group.addoption(
        "--gatewright-profile",
        choices=["ci", "thorough"],
        default="ci",
        help="how long to look: a few seconds for a kind, or 2,000 examples for each law, some minutes (default: ci)",
    )
    group.addoption(
        "--gatewright-seed",
        type=int,
        default=None,
        metavar="N",
        help="where to look (default: always the same places with the profile ci, others each time with thorough)",
    )
    group.addoption(
        "--gatewright-xfail",
        default=None,
        metavar="FILE",
        help="laws that are known to be broken, a line each: `acme.redact L7  # why`. One that holds again fails",
    )
    group.addoption(
        "--gatewright-patience",
        type=_patience,
        default=10.0,
        metavar="SECONDS",
        help="how long one example may take, in seconds of its own process (default: 10)",
    )
    group.addoption(
        "--gatewright-in-process",
        action="store_true",
        help="try the laws in pytest's own process, for a debugger or a profiler; what does not end hangs it then. "
        "--pdb and --trace do so too",
    )


def pytest_configure(config: pytest.Config) -> None:
    # xdist hands the options to its workers, so all of them look in the same places. A gate that is shut today by what
    # it let pass yesterday helps nobody: the short profile looks for the same things each time.
    option = config.option
    if _asked(config) and option.gatewright_seed is None:
        option.gatewright_seed = 0 if option.gatewright_profile == "ci" else random.randrange(LONGEST_SEED)


def pytest_report_header(config: pytest.Config) -> str | None:
    options = config.option
    if not _asked(config):
        return None
    held = ", ".join([*options.gatewright_stage, *options.gatewright_dialect, *options.gatewright_config])
    profile, seed = options.gatewright_profile, options.gatewright_seed
    return f"gatewright: {version('gatewright')}, held to the laws: {held}, profile: {profile}, seed: {seed}"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Without paths only the laws are run; with paths, both."""
    return True if _asked(config) and not _has_paths(config) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    if _asked(config):
        items.extend(_items(session, config))


def _asked(config: pytest.Config) -> bool:
    option = config.option
    return bool(option.gatewright_stage or option.gatewright_dialect or option.gatewright_config)


def _has_paths(config: pytest.Config) -> bool:
    return config.args_source is pytest.Config.ArgsSource.ARGS


def _items(session: pytest.Session, config: pytest.Config) -> Iterator[LawItem]:
    options = config.option
    runner = _runner(config)
    try:
        cases = runner.collect(
            stages=options.gatewright_stage,
            dialects=options.gatewright_dialect,
            configs=options.gatewright_config,
            laws=options.gatewright_law,
            xfail=options.gatewright_xfail or "",
        )
    except importlib.import_module("pipeline.testing.verdict").Unusable as error:
        raise pytest.UsageError(str(error)) from error
    for case in cases:
        name = f"{case.kind}::{case.id} {case.title}"
        item: LawItem = LawItem.from_parent(session, name=name, nodeid=f"gatewright::{name}", case=case)
        if case.expected:
            item.add_marker(pytest.mark.xfail(reason=case.expected, strict=True))
        yield item


def _runner(config: pytest.Config) -> Any:
    """In a process of its own, unless somebody wants to look into it."""
    if _RUNNER not in config.stash:
        options = config.option
        debugged = config.getoption("usepdb", False) or config.getoption("trace", False)
        if options.gatewright_in_process or debugged:
            runner = importlib.import_module("pipeline.testing.runner").Runner()
        else:
            runner = importlib.import_module("pipeline.testing.isolated").IsolatedRunner(options.gatewright_patience)
            config.add_cleanup(runner.close)
        config.stash[_RUNNER] = runner
    return config.stash[_RUNNER]


def _patience(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < _LONGEST_PATIENCE_SECONDS:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds above 0")
    return seconds


class LawBroken(Exception):
    """What there is to say is its text."""


class LawItem(pytest.Item):
    """One law, held against one stage, dialect or config."""

    def __init__(self, *, case: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._case = case

    def runtest(self) -> None:
        case, options = self._case, self.config.option
        stopped: dict[tuple[str, str], str] = self.config.stash.setdefault(_STOPPED, {})
        held = (case.on, case.name)
        if held in stopped:
            pytest.skip(f"not tried: {case.kind} went no further than {stopped[held]}")
        profile, seed = options.gatewright_profile, options.gatewright_seed
        verdict = _runner(self.config).run(case, profile=profile, seed=seed)
        try:
            for text, category, file, line in verdict.warnings:
                warnings.warn_explicit(text, getattr(builtins, category), file, line)
        except Warning:
            # Where warnings are errors: a law that is broken is the greater news.
            if verdict.outcome in ("kept", "spared"):
                raise
        if verdict.outcome == "spared":
            pytest.skip(verdict.text)
        # What is known to stop it stops nothing else.
        if verdict.outcome == "stopped" and not case.expected:
            stopped[held] = case.id
        if verdict.outcome != "kept":
            raise LawBroken(verdict.text)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The law, the example and how to see it again; the traceback only if it is not the law's."""
        return str(excinfo.value) if isinstance(excinfo.value, LawBroken) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name
