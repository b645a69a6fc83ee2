"""Ollama's model names (protocol.md 5.3): what a name means, how it is shown, and when two names mean one model."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Source = Literal["cloud", "local"]

DEFAULT_HOST = "registry.ollama.ai"
DEFAULT_NAMESPACE = "library"
DEFAULT_TAG = "latest"

_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}")
_NAMESPACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,79}")
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")
_CLOUD_TAG = "-cloud"
# What client libraries put before a name to say which provider they mean (protocol.md 5.2).
_PROVIDER_PREFIXES = ("ollama/", "ollama_chat/")


@dataclass(frozen=True, slots=True)
class Name:
    """A valid name with its defaults filled in, spelled as it was given.

    `source` is where the model must run, None where the name does not say. It is part of the request, not of the name:
    two names that differ in it alone are displayed alike.
    """

    host: str
    namespace: str
    model: str
    tag: str
    source: Source | None = None


def split_source(text: str) -> tuple[str, Source | None] | None:
    """`text` without its source suffix, and the source; None if it has two of them.

    The same suffix twice is refused as well: what is left would be read as a source once more.
    """
    base, source = _cut_source(text.strip())
    return None if source is not None and _cut_source(base)[1] is not None else (base, source)


def _cut_source(text: str) -> tuple[str, Source | None]:
    before, colon, tag = text.rpartition(":")
    suffix = tag.strip().lower()
    if not colon or "/" in tag:
        return text, None
    if suffix == "cloud":
        return before, "cloud"
    if suffix == "local":
        return before, "local"
    if suffix.endswith(_CLOUD_TAG):
        return f"{before}:{tag.strip()[: -len(_CLOUD_TAG)]}", "cloud"
    return text, None


def parse(text: str) -> Name | None:
    """The name, or None for what is none. Never raises.

    Read from the right: tag, model, namespace, host with an optional scheme. An empty part next to a separator is no
    part at all, so the name is none. `@digest` is not accepted.
    """
    split = split_source(text)
    if split is None:
        return None
    rest, source = split
    tag = DEFAULT_TAG
    if rest.rfind(":") > rest.rfind("/"):
        rest, _, tag = rest.rpartition(":")
    rest, has_namespace, model = rest.rpartition("/")
    rest, has_host, namespace = rest.rpartition("/")
    scheme, has_scheme, host = rest.rpartition("://")
    if not has_namespace:
        namespace = DEFAULT_NAMESPACE
    if not has_host:
        host = DEFAULT_HOST
    valid = (
        _HOST.fullmatch(host)
        and _NAMESPACE.fullmatch(namespace)
        and _PART.fullmatch(model)
        and _PART.fullmatch(tag)
        and (scheme or not has_scheme)
    )
    return Name(host, namespace, model, tag, source) if valid else None


def display(name: Name) -> str:
    """As Ollama's lists show it: without what is the default, except for the tag, which is always there."""
    shown = f"{name.model}:{name.tag}"
    if name.host.lower() != DEFAULT_HOST:
        return f"{name.host}/{name.namespace}/{shown}"
    return shown if name.namespace.lower() == DEFAULT_NAMESPACE else f"{name.namespace}/{shown}"


def key(name: Name) -> str:
    """Equal for two names of one model: each part is compared without regard to case."""
    return f"{name.host}/{name.namespace}/{name.model}:{name.tag}".lower()


def lookup_names(model: str) -> tuple[str, ...]:
    """The keys under which an installed model may be meant by `model`, best first: as it is, then without a provider.

    What is no name stands for itself. A model that runs in the cloud has a key of its own: a name that does not say
    so must never lead to it, because the prompt would leave the machine.
    """
    meant = [model, *(model.removeprefix(prefix) for prefix in _PROVIDER_PREFIXES if model.startswith(prefix))]
    return tuple(dict.fromkeys(map(_lookup_key, meant)))


def _lookup_key(text: str) -> str:
    name = parse(text)
    if name is None:
        return text
    return key(name) + (_CLOUD_TAG if name.source == "cloud" else "")
