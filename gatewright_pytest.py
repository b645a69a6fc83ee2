"""The pytest plugin of the conformance kit: `pytest --gatewright-stage acme.redact`.

It lies outside the packages, as Hypothesis' own plugin does, because pytest imports every installed plugin at each
start, wanted or not, and importing a module imports the packages above it. Here that costs nothing and takes no line of
`pipeline` or of your package away from a coverage that starts later. The rest is imported once an option asks for it.
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

LONGEST_SEED = 1_000_000


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
        "--gatewright-config",
        action="append",
        default=[],
        metavar="PATH",
        help="hold the gateways of this config to the laws of chains, with stand-ins for what is outside. Repeatable",
    )
    group.addoption("--gatewright-law", action="append", default=[], metavar="ID", help="only these laws, such as L7")
    group.addoption(
        "--gatewright-profile", choices=["ci", "thorough"], default="ci", help="how long to look (default: ci)"
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
    held = ", ".join([*options.gatewright_stage, *options.gatewright_config])
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
    return bool(config.option.gatewright_stage or config.option.gatewright_config)


def _has_paths(config: pytest.Config) -> bool:
    return config.args_source is pytest.Config.ArgsSource.ARGS


def _items(session: pytest.Session, config: pytest.Config) -> Iterator[LawItem]:
    running: Any = importlib.import_module("pipeline.testing.running")
    options = config.option
    try:
        expected = running.read_xfails(options.gatewright_xfail) if options.gatewright_xfail else {}
        trials = running.all_trials(options.gatewright_stage, options.gatewright_config, options.gatewright_law)
    except running.Unusable as error:
        raise pytest.UsageError(str(error)) from error
    for trial in trials:
        item: LawItem = LawItem.from_parent(session, name=trial.name, nodeid=f"gatewright::{trial.name}", trial=trial)
        reason = expected.get((trial.kind, trial.law_id))
        if reason is not None:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
        yield item


class LawItem(pytest.Item):
    """One law, held against one stage."""

    def __init__(self, *, trial: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._trial = trial

    def runtest(self) -> None:
        spared = self._trial.spared()
        if spared:
            pytest.skip(spared)
        options = self.config.option
        self._trial.run(profile=options.gatewright_profile, seed=options.gatewright_seed)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The law, the smallest example and how to see it again; the traceback only if it is not the law's."""
        told: str | None = self._trial.told(excinfo.value, seed=self.config.option.gatewright_seed)
        return told if told is not None else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name
