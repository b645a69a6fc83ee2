"""`gatewright`: serve a config, check it, make a key; what is about kinds has files of its own."""

from __future__ import annotations

import os
import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import click

from pipeline.cli.create import create
from pipeline.cli.fail import fail
from pipeline.cli.stages import stages

if TYPE_CHECKING:
    from pipeline.runtime import Pipeline


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="gatewright")
def gatewright() -> None:
    """An LLM gateway assembled from config: a chain of stages between your clients and your model servers."""


@gatewright.command()
@click.argument("config", type=str)
@click.option("--host", help="Address to listen on [env GATEWRIGHT_HOST, default 127.0.0.1].")
@click.option("--port", type=click.IntRange(0, 65535), help="Port [env GATEWRIGHT_PORT, default 8000].")
@click.option("--uds", help="Unix socket to listen on instead [env GATEWRIGHT_UDS].")
@click.option("--workers", type=click.IntRange(1), help="Server processes [env GATEWRIGHT_WORKERS, default 1].")
@click.option("--log-format", type=click.Choice(["auto", "json", "console", "off"]), help="Access lines.")
def serve(config: str, **options: Any) -> None:
    """Serve the gateways of CONFIG until stopped."""
    # Imported here: `gatewright --help` must not pay for a web server.
    from pydantic import ValidationError

    from pipeline.config import ConfigError
    from pipeline.settings import ProcessSettings, misspelt

    for name, meant in misspelt(os.environ).items():
        fail(f"environment variable {name} is not a setting; did you mean {meant}?")
    try:
        from pipeline.adapters.serve import serve as run
    except ModuleNotFoundError as error:
        fail(f"{error.name} is not installed: pip install 'gatewright[server]'")
    given = {name: value for name, value in options.items() if value is not None}
    try:
        run(ProcessSettings(config=config, **given))
    except ConfigError as error:
        fail(str(error))
    except ValidationError as error:
        fail("\n".join(f"GATEWRIGHT_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()))


@gatewright.command()
@click.argument("config", type=str)
def check(config: str) -> None:
    """Check CONFIG without starting anything; every problem is printed with its place. Exit code 2 if there is one."""
    pipeline = _build(config)
    for gateway in pipeline.gateways.values():
        chain = " -> ".join(link.id for link in gateway.links)
        click.echo(f"{gateway.name}: {gateway.dialect.name} at {gateway.mount or '/'}: {chain}")


@gatewright.command()
@click.argument("id")
def key(id: str) -> None:
    """Make an API key for the caller ID; prints the key once and the line for the config."""
    value = f"gw-{id}-{secrets.token_urlsafe(32)}"
    click.echo(f"key (give it to the caller, it is not stored): {value}")
    click.echo(f"config: {{id: {id}, sha256: {sha256(value.encode()).hexdigest()}}}")


gatewright.add_command(stages)
gatewright.add_command(create)


def _build(config: str) -> Pipeline:
    from pipeline.build import build_file
    from pipeline.config import ConfigError

    try:
        return build_file(config)
    except ConfigError as error:
        fail(str(error))
