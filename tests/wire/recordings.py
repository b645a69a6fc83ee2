"""What real servers said, kept as files: `tests/wire/recorded/<server>/<name>.json`, written by record.py.

Why: a translator is tested against thousands of cuts, delays and orders of the same bytes. These bytes should be a real
server's, but the server need not run each time. A body is exactly what came once the transfer coding was undone; only
the file shows it line by line. The borders of its chunks are not kept, since they mean nothing: Ollama's own API sends
a line a chunk, but its OpenAI layer the last three events in one, and llama.cpp whatever is ready.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("recorded")
Body = dict[str, Any] | str | None


@dataclass(frozen=True)
class Request:
    """`body` is a JSON object, or text that is none where that was the point, or nothing for a GET."""

    method: str
    path: str
    body: Body


@dataclass(frozen=True)
class Recording:
    """One exchange. `headers` have lower-case names, in the order they came, without the date."""

    name: str
    server: str
    request: Request
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body of an answer that is no stream."""
        return json.loads(self.body)


@cache
def load(name: str) -> Recording:
    """The recording of that name, such as `ollama/chat-stream`."""
    content = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    return Recording(
        name,
        content["server"],
        Request(**content["request"]),
        content["status"],
        content["headers"],
        "".join(content["body"]).encode(),
    )


def all(server: str = "*") -> tuple[Recording, ...]:
    """Every recording, or those of `ollama` or of `llama_cpp`, by name."""
    found = sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob(f"{server}/*.json"))
    if not found:
        raise LookupError(f"no recordings of {server!r}")  # a test with no cases would pass for ever
    return tuple(load(name) for name in found)


def save(recording: Recording) -> int:
    """Write it where `load` finds it; the size of the file."""
    content = {
        "server": recording.server,
        "request": vars(recording.request),
        "status": recording.status,
        "headers": recording.headers,
        # After each \n only: `str.splitlines` would also cut at characters that a model may say.
        "body": [line for line in recording.body.decode().replace("\n", "\n\0").split("\0") if line],
    }
    path = FOLDER / f"{recording.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
