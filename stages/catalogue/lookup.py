"""From a name to the models that it may mean (protocol.md 5.2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline import ModelCard, Target
from stages.catalogue.aliases import Alias, Aliases
from stages.catalogue.upstream_list import UpstreamList

Find = Callable[[UpstreamList, str], ModelCard | None]


class Lookup:
    """Looks names up in what is known, and asks nobody.

    The order: an alias; an upstream's own name; an alias behind a provider's prefix; what an upstream's dialect takes
    the name for; the longest pattern; the default; and at last the upstreams that could not say what they serve.
    """

    def __init__(self, lists: Sequence[UpstreamList], aliases: Aliases, prefixes: Sequence[str]) -> None:
        self._lists = lists
        self._aliases = aliases
        self._prefixes = tuple(prefixes)

    def find(self, model: str) -> tuple[Target, ...]:
        """Where `model` is served, best first; empty if nowhere."""
        bare = [model.removeprefix(prefix) for prefix in self._prefixes if model.startswith(prefix)]
        exact = self._aliases.exact
        if model in exact:
            return self.behind(exact[model])
        if targets := _targets(self._lists, UpstreamList.named, model):
            return targets
        for name in bare:
            if name in exact:
                return self.behind(exact[name])
        for name in (model, *bare):
            if targets := _targets(self._lists, UpstreamList.meant, name):
                return targets
        for name in (model, *bare):
            if (alias := self._aliases.matching(name)) is not None:
                return self.behind(alias)
        if self._aliases.default is not None:
            return self.behind(self._aliases.default)
        return tuple(Target(one.upstream.name, model) for one in self._lists if one.cards is None)

    def behind(self, alias: Alias) -> tuple[Target, ...]:
        """Where an alias leads. Nobody need list its model: then an upstream whose list is unknown is the likeliest."""
        lists = self.lists_for(alias)
        return (
            _targets(lists, UpstreamList.named, alias.model)
            or _targets(lists, UpstreamList.meant, alias.model)
            or (Target(next((one for one in lists if one.cards is None), lists[0]).upstream.name, alias.model),)
        )

    def lists_for(self, alias: Alias) -> Sequence[UpstreamList]:
        """The lists that an alias may lead into; never empty."""
        if alias.upstream is None:
            return self._lists
        return [one for one in self._lists if one.upstream.name == alias.upstream]


def _targets(lists: Sequence[UpstreamList], find: Find, model: str) -> tuple[Target, ...]:
    """The model under the upstream's own spelling, at every upstream that has it."""
    found = ((one, find(one, model)) for one in lists)
    return tuple(Target(one.upstream.name, card.id, card) for one, card in found if card is not None)
