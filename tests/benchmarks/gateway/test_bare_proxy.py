"""The bare proxy runs on the very server that `gatewright serve` runs on; whatever is changed there is changed here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]

# Each is started in a process of its own, up to the call that would serve, and says how it would.
_SAY = """
import gc, json, sys, uvicorn

def say(app, **options):
    frozen = gc.get_freeze_count() > 0
    print(json.dumps({"options": options, "threshold": gc.get_threshold(), "frozen": frozen}))

uvicorn.run = say
"""
OURS = f"""{_SAY}
from pipeline.adapters.serve import serve
from pipeline.settings import ProcessSettings
serve(ProcessSettings(config=sys.argv[1]))
"""
BARE = f"""{_SAY}
sys.argv[1:] = ["--port", "1", "--origin-port", "2"]
from benchmarks.gateway.bare_proxy import main
main()
"""


def said(script: str) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEWRIGHT_")}
    command = [sys.executable, "-c", script, "configs/echo.yaml"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_server_and_garbage_collector_are_set_as_those_of_gatewright() -> None:
    ours, bare = said(OURS), said(BARE)
    assert ours["options"]["http"] == "httptools"
    unsaid = {name: ours["options"].pop(name) for name in ("factory", "uds", "workers")}
    assert unsaid == {"factory": False, "uds": None, "workers": 1}  # uvicorn's own defaults
    assert (bare["options"].pop("port"), ours["options"].pop("port")) == (1, 8000)
    assert bare == ours
