"""The stage `acme.cache` for gatewright."""

from acme_cache.stage import Cache

__all__ = ["Cache"]
