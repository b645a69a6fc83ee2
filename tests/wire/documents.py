"""Config documents for the gateways under test. JSON is YAML too, so a document is data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.wire.answers import MODEL

KEY = "gw-canary-key-0123456789"
UPSTREAM_KEY = "sk-canary-upstream-0123456789"
PROMPT = "canary prompt: nobody logs this"
CANARIES = (KEY, UPSTREAM_KEY, "canary prompt")


def document(
    url: str, *, shape: str = "complete", aliases: dict[str, str] | None = None, listed: bool = False, **upstream: Any
) -> dict[str, Any]:
    """One upstream behind one OpenAI gateway with one key.

    The model's name leads straight to the upstream, so that a script sees nothing but the call it is about;
    `listed=True` has the upstream asked for its list instead.
    """
    names = {MODEL: MODEL} if aliases is None else aliases
    return {
        "version": 1,
        "resources": {
            "upstreams": {
                "up": {
                    "dialect": "openai",
                    "base_url": f"{url}/v1",
                    "api_key": UPSTREAM_KEY,
                    "transport": "httpx2",
                    **upstream,
                }
            },
            "keys": {"team": {"keys": [{"id": "tester", "key": KEY}]}},
            "catalogues": {"names": {"upstreams": ["up"], "aliases": {} if listed else names, "refresh_seconds": None}},
        },
        "gateways": {
            "openai": {
                "use": "openai",
                "with": {"upstream": "up", "keys": ["team"], "catalogue": "names", "shape": shape},
            }
        },
    }


def write(folder: Path, content: dict[str, Any]) -> Path:
    """The document as a file that the loader accepts."""
    path = folder / "gateway.yaml"
    path.write_text(json.dumps(content, indent=1))
    return path


def chat(**fields: Any) -> dict[str, Any]:
    """A chat request with the canary prompt."""
    return {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}], **fields}
