"""What the engine hands to every stage and resource: a clock, a log, randomness, and the named resources."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from pipeline.clock import Clock, SystemClock
from pipeline.dialect import Dialect
from pipeline.log import event_log
from pipeline.resources import Catalogue, KeyStore, Upstream
from pipeline.transport import Transport, TransportOptions


class UnknownName(LookupError):
    """Settings name a resource or kind that does not exist. The builder reports it, as `code`, with file and line."""

    code: ClassVar[str] = "unknown-name"

    def __init__(self, what: str, name: str, available: Sequence[str]) -> None:
        super().__init__(f"there is no {what} named {name!r}")
        self.name = name
        self.available = tuple(available)


class UnknownKind(UnknownName):
    """No installed distribution offers that kind."""

    code: ClassVar[str] = "unknown-kind"


class SettingsError(ValueError):
    """Settings that are well formed but cannot work; raised by a constructor, reported with file and line.

    `field` is the settings field to point at, if one is to blame.
    """

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Host:
    """The engine, as a stage sees it. Resources are shared objects; ask for them in the constructor, by name.

    `resource(group, name)` is how every kind is reached; the typed accessors below are for the kinds whose Protocol
    lives in `pipeline`. Raises `UnknownName`, so a wrong reference is a start-up error.
    """

    def __init__(
        self,
        *,
        resource: Callable[[str, str], Any],
        implementation: Callable[[str, str], Any],
        clock: Clock | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
        log: Any = None,
    ) -> None:
        self.resource = resource
        self._implementation = implementation
        self._dialects: dict[str, Dialect] = {}
        self._upstreams: dict[str, Upstream] = {}
        self.clock: Clock = clock if clock is not None else SystemClock()
        self.random_bytes = random_bytes
        self._log = log

    @property
    def log(self) -> Any:
        """A structlog logger for rare events; what every request has goes into its access line (see `note`)."""
        if self._log is None:
            self._log = event_log()
        return self._log

    def upstream(self, name: str) -> Upstream:
        """Looked up per request in some stages, as dialects are."""
        if name not in self._upstreams:
            self._upstreams[name] = self.resource("upstreams", name)
        return self._upstreams[name]

    def key_store(self, name: str) -> KeyStore:
        found: KeyStore = self.resource("keys", name)
        return found

    def catalogue(self, name: str) -> Catalogue:
        found: Catalogue = self.resource("catalogues", name)
        return found

    def dialect(self, name: str) -> Dialect:
        """One instance a host: dialects are stateless, and looking one up is per-request work in some stages."""
        if name not in self._dialects:
            self._dialects[name] = self._implementation("dialect", name)()
        return self._dialects[name]

    def transport(self, kind: str, options: TransportOptions) -> Transport:
        """A new transport of `kind`, owned by the caller: it starts and stops it."""
        found: Transport = self._implementation("transport", kind)(options)
        return found
