"""Other names for models."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pydantic import Field

from pipeline import SettingsError, StageSettings
from stages.catalogue.wildcards import wildcard


class Alias(StageSettings):
    """Where a name leads, when the upstream must be said too."""

    model: str = Field(description="The model's name at the upstream.")
    upstream: str | None = Field(default=None, description="The upstream; default: whichever lists the model.")


class Aliases:
    """Exact names, patterns from the longest to the shortest, and what is left over."""

    def __init__(
        self, aliases: Mapping[str, str | Alias], default: str | Alias | None, upstreams: Collection[str]
    ) -> None:
        """Raises `SettingsError` for one that leads to an upstream outside the catalogue."""
        given = {name: _alias(alias) for name, alias in aliases.items()}
        self.default = None if default is None else _alias(default)
        for name, alias in given.items():
            _check(alias, f"alias {name!r}", "aliases", upstreams)
        if self.default is not None:
            _check(self.default, "the default", "default", upstreams)
        self.exact = {name: alias for name, alias in given.items() if "*" not in name}
        patterns = sorted((name for name in given if "*" in name), key=len, reverse=True)
        self._patterns = [(wildcard(pattern), given[pattern]) for pattern in patterns]

    def matching(self, name: str) -> Alias | None:
        """The alias of the longest pattern that `name` matches."""
        return next((alias for pattern, alias in self._patterns if pattern.fullmatch(name)), None)


def _alias(given: str | Alias) -> Alias:
    return given if isinstance(given, Alias) else Alias(model=given)


def _check(alias: Alias, what: str, field: str, upstreams: Collection[str]) -> None:
    if alias.upstream is not None and alias.upstream not in upstreams:
        raise SettingsError(f"{what} names {alias.upstream!r}, not one of `upstreams`", field=field)
