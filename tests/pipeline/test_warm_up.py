"""The first request is not the one that pays for imports: what is loaded on first use is loaded at the start."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import asyncio, sys
from pipeline import Pipeline, Request

async def main():
    async with Pipeline.from_config("configs/echo.yaml") as pipeline:
        before = set(sys.modules)
        assert "anyio._backends._asyncio" in before
        payload = {"messages": [{"role": "user", "content": "hi"}]}
        for stream in (False, True):
            response = await pipeline.handle(Request("chat", model="echo", payload=payload, stream=stream))
            await response.body.collect()
        print(*sorted(set(sys.modules) - before))

asyncio.run(main())
"""


def test_a_request_imports_nothing() -> None:
    """Run by the loop's own `run`, as a server does: `anyio.run` would load the backend by itself."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == []
