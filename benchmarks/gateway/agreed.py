"""What every peer is configured with alike: the keys, and the names of the models."""

from __future__ import annotations

CLIENT_KEY = "sk-bench-0123456789abcdef"
"""The key that clients present. A peer that checks keys is configured with it."""

ORIGIN_KEY = "sk-origin-fedcba9876543210"
"""The key of the gateway for the origin, which refuses nothing: a peer that holds credentials sends it."""

ALIASES = {
    "chat-1k": "origin-1k",
    "chat-100k": "origin-100k",
    "chat-burst": "origin-burst",
    "chat-100cps": "origin-100cps",
    "chat-20cps": "origin-20cps",
}
"""The names of models that clients ask for, and what the origin calls them. Its answer depends on the name."""
