"""Running the application on uvicorn with httptools and uvloop: the cheapest ordinary server, with clean shutdown."""

from __future__ import annotations

import os
import signal
import sys

import uvicorn

from pipeline.adapters.asgi import GatewayApp
from pipeline.adapters.garbage import collect_seldom
from pipeline.build import build_file
from pipeline.log import write_events
from pipeline.observe import LogFormat, access_log
from pipeline.settings import ProcessSettings


def application() -> GatewayApp:
    """The application that the environment describes: what each worker process builds for itself."""
    return make_app(ProcessSettings())


def make_app(settings: ProcessSettings) -> GatewayApp:
    """Build the config of `settings` into an application. Raises `ConfigError`; starts nothing."""
    log_format = _log_format(settings)
    write_events(log_format)
    access = access_log(log_format)
    app = GatewayApp(build_file(settings.config, access=access, max_body_bytes=settings.max_body_bytes))
    collect_seldom()
    return app


def serve(settings: ProcessSettings) -> None:
    """Serve until SIGTERM or SIGINT, then let running requests finish within `grace_seconds`.

    With several workers each process builds its own pipeline from the environment, so the settings are put there.
    Raises `ConfigError` before anything listens.
    """
    for name, value in settings.model_dump(exclude_none=True).items():
        os.environ[f"GATEWRIGHT_{name.upper()}"] = str(value)
    # At its end uvicorn raises the signal again, for whoever handled it before: an orderly end is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    app: GatewayApp | str = make_app(settings)
    if settings.workers > 1:
        app = "pipeline.adapters.serve:application"
    uvicorn.run(
        app,
        factory=isinstance(app, str),
        host=settings.host,
        port=settings.port,
        uds=settings.uds,
        workers=settings.workers,
        loop="auto" if sys.platform == "win32" else "uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        interface="asgi3",
        access_log=False,
        log_level=settings.log_level,
        server_header=False,
        proxy_headers=False,  # nothing here asks who the client is, and a header would be the wrong one to ask
        backlog=settings.backlog,
        timeout_keep_alive=settings.keepalive_seconds,
        timeout_graceful_shutdown=settings.grace_seconds,
    )


def _log_format(settings: ProcessSettings) -> LogFormat:
    if settings.log_format == "auto":
        return "console" if sys.stdout.isatty() else "json"
    return settings.log_format
