"""Settings of the process, from the environment (`GATEWRIGHT_...`) and the command line. The gateways are elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ProcessSettings(BaseSettings):
    """How the server runs; what it serves is the config document's business.

    Precedence: command line, environment, default. Secrets belong to the document, as `${env:...}` or `${file:...}`.
    """

    model_config = SettingsConfigDict(env_prefix="GATEWRIGHT_", frozen=True, extra="ignore", hide_input_in_errors=True)

    config: str = Field(default="", description="Path of the config document.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 lets the system choose.")
    uds: str | None = Field(default=None, description="Path of a Unix socket to listen on instead.")
    workers: int = Field(default=1, ge=1, le=256, description="Server processes.")
    log_format: Literal["auto", "json", "console", "off"] = Field(
        default="auto", description="Access lines: readable in a terminal, JSON otherwise."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Server's own log.")
    max_body_bytes: int = Field(default=10 * 1024 * 1024, gt=0, description="Largest request body.")
    backlog: int = Field(default=2048, gt=0, description="Connections that may wait to be accepted.")
    keepalive_seconds: int = Field(default=75, gt=0, description="How long an idle client connection is kept.")
    grace_seconds: int = Field(default=30, ge=0, description="How long running requests may go on after SIGTERM.")


def misspelt(names: Iterable[str]) -> dict[str, str]:
    """Environment variables that look like a setting and are none, with the setting they look like.

    Only near misses count: a document may refer to `GATEWRIGHT_` variables of its own.
    """
    known = [f"GATEWRIGHT_{field.upper()}" for field in ProcessSettings.model_fields]
    given = [name for name in names if name.startswith("GATEWRIGHT_") and name not in known]
    close = {name: get_close_matches(name, known, n=1, cutoff=0.85) for name in given}
    return {name: matches[0] for name, matches in close.items() if matches}
