"""A run that is killed leaves none of its servers behind."""

from __future__ import annotations

import os
import select
import subprocess
import sys

import pytest

from benchmarks.gateway.servers import ROOT

RUN = """
from benchmarks.gateway.servers import origin

with origin(core=None) as (pid, _):
    print(pid, flush=True)
    input()
"""


@pytest.mark.wire
def test_a_server_ends_with_the_run_that_started_it() -> None:
    with subprocess.Popen([sys.executable, "-c", RUN], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        gone = os.pidfd_open(int(run.stdout.readline()))
        run.kill()
    assert select.select([gone], [], [], 30)[0] == [gone]
    os.close(gone)
