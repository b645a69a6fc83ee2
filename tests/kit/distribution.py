"""A stranger's distribution without an installer: a module and its metadata in a folder that Python looks into."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parents[2]

HEAD = """
from pydantic import Field
from pipeline import Body, END, Event, Handler, Host, Request, Response, StageSettings, stage
"""


def distribution(folder: Path, source: str, **stages: str) -> Path:
    """Write `acme.py`, offering `stages`: `redact="Redact"` makes the kind `acme.redact`."""
    folder.joinpath("acme.py").write_text(HEAD + dedent(source), "utf-8")
    metadata = folder / "acme-1.0.dist-info"
    metadata.mkdir()
    metadata.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n", "utf-8")
    rows = "".join(f"acme.{kind} = acme:{name}\n" for kind, name in stages.items())
    metadata.joinpath("entry_points.txt").write_text(f"[gatewright.stages]\n{rows}", "utf-8")
    return folder


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pytest as a stranger runs it, in `folder`."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    command = [sys.executable, "-m", "pytest", "-p", "gatewright_pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
