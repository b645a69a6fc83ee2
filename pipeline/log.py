"""The log of rare events: an unexpected exception, an observer that raised. What every request has is the access line.

It is the standard library's logger `gatewright`, so an application that embeds the engine sees it where it sees
everything else. A traceback is written as the interpreter writes it, never with the values of local variables: those
are prompts and keys.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

NAME = "gatewright"


def event_log() -> Any:
    """A structlog logger onto it: `log.warning("key store unreachable", store=name)`."""
    import structlog  # on first use: with rich installed it doubles the cost of importing the engine

    return structlog.wrap_logger(
        logging.getLogger(NAME), wrapper_class=structlog.stdlib.BoundLogger, processors=[_to_logging]
    )


def write_events(format: Literal["json", "console", "off"]) -> None:
    """Send the log to standard error in the form of the access lines; for the server, which owns its process."""
    handler: logging.Handler = logging.NullHandler() if format == "off" else logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if format == "json" else logging.Formatter("%(levelname)s %(message)s"))
    logger = logging.getLogger(NAME)
    logger.handlers = [handler]
    logger.propagate = False


def _to_logging(logger: Any, method: str, event: MutableMapping[str, Any]) -> tuple[tuple[str], dict[str, Any]]:
    exc_info = event.pop("exc_info", None)
    text = str(event.pop("event"))
    fields = " ".join(f"{name}={value!r}" for name, value in event.items())
    return (f"{text} {fields}".rstrip(),), {"exc_info": exc_info}


class _JsonFormatter(logging.Formatter):
    """One line of JSON per record, its traceback in one field."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()
