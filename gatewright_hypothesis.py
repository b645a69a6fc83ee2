"""What Hypothesis loads when it is imported: strategies for the engine's types, for `st.from_type(Request)`.

Outside the packages, like `gatewright_pytest`: Hypothesis imports the entry points of everything that is installed. So
only names are registered here, and the engine is imported when one of them is drawn.
"""

from __future__ import annotations

import importlib
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def setup() -> None:
    """Register the engine's types, or have it done once the engine is imported: nobody draws them before that."""
    if "pipeline" in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _WhenImported())


class _WhenImported(MetaPathFinder):
    """Finds nothing of its own: lets the others find `pipeline`, and registers its types when it has been run."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if name != "pipeline":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        loader: Any = spec.loader if spec is not None else None
        if loader is None:
            return spec
        run = loader.exec_module

        def run_and_register(module: ModuleType) -> None:
            run(module)
            _register()

        loader.exec_module = run_and_register
        return spec


def _register() -> None:
    strategies: Any = importlib.import_module("hypothesis.strategies")
    pipeline: Any = importlib.import_module("pipeline")

    def of(name: str) -> Any:
        return lambda kind: getattr(importlib.import_module("pipeline.testing.strategies.types"), name)

    for kind, name in ((pipeline.Request, "requests"), (pipeline.Payload, "payloads"), (pipeline.Event, "events")):
        strategies.register_type_strategy(kind, of(name))
