"""The stage `acme.redact` for gatewright."""

from acme_redact.stage import Redact

__all__ = ["Redact"]
