"""What an Ollama server serves: its list, what each model can do, what is in memory (protocol.md 5.1).

None of these calls makes a model generate or load. Only the list itself must succeed: servers older than `show`'s
capabilities, `ps` or `version` are still servers, and one broken model must not hide the others.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipeline import (
    Data,
    Discovery,
    GatewayError,
    ModelCard,
    Reply,
    UpstreamCall,
    UpstreamGarbage,
    UpstreamRefusedUs,
    UpstreamUnavailable,
)
from stages.dialects.ollama.cards import DIALECT, PARAMETERS, encode_answer
from stages.dialects.ollama.names import DEFAULT_NAMESPACE, lookup_names, parse
from stages.dialects.ollama.timestamps import unix
from stages.dialects.wire import NOT_JSON, as_count, as_dict, as_list, as_text, decode, encode

__all__ = ["discovery", "encode_answer"]

_LONGEST_PARAMETERS = 4096
_ACCEPT = (("accept", "application/json"),)
_JSON = (*_ACCEPT, ("content-type", "application/json"))
_Asking = Generator[UpstreamCall, Reply, Data]


def discovery(known: Sequence[ModelCard]) -> Discovery:
    """The cards of all models, in the server's order. Raises typed errors if there is no list.

    `known` cards of the same digest spare their `show`: a digest never changes its meaning.
    """
    reply = yield UpstreamCall("GET", "/api/tags", headers=_ACCEPT)
    entries = _entries(reply)
    version = as_text((yield from _ask(UpstreamCall("GET", "/api/version", headers=_ACCEPT))).get("version")) or None
    cards = yield from _described([_card(entry, version) for entry in entries], known)
    running = yield from _ask(UpstreamCall("GET", "/api/ps", headers=_ACCEPT))
    loaded = {lookup_names(_name(entry))[0]: entry for entry in map(as_dict, as_list(running.get("models")))}
    return [replace(card, loaded=loaded.get(lookup_names(card.id)[0])) for card in cards]


def _entries(reply: Reply) -> list[Data]:
    """The models of a list, each id once. Entries without a name are skipped; `models` may be null."""
    if reply.status in (401, 403):
        # 403 without a body is also what the server says to a strange Host or Origin (protocol.md 1.1).
        raise UpstreamRefusedUs("The model server does not let the gateway see its models.")
    if reply.status != 200:
        kind = UpstreamUnavailable if reply.status >= 500 or reply.status == 429 else UpstreamGarbage
        raise kind("The model server's list could not be had.", detail=f"status {reply.status} of /api/tags")
    try:
        answer = decode(reply.body)
    except NOT_JSON as error:
        raise UpstreamGarbage("The model server's list is not JSON.", detail=str(error)) from None
    if not isinstance(answer, dict) or "models" not in answer:
        raise UpstreamGarbage("The model server's list has no models.")
    named: dict[str, Data] = {}
    for entry in map(as_dict, as_list(answer["models"])):
        named.setdefault(_name(entry), entry)
    return [entry for name, entry in named.items() if name]


def _ask(call: UpstreamCall) -> _Asking:
    """The answer's object, or an empty one: what is asked here is nice to know, and nothing more."""
    try:
        reply = yield call
    except GatewayError:
        return {}
    return _object(reply) or {}


def _object(reply: Reply) -> Data | None:
    if reply.status != 200:
        return None
    try:
        return as_dict(decode(reply.body)) or None
    except NOT_JSON:
        return None


def _described(cards: list[ModelCard], known: Sequence[ModelCard]) -> Generator[UpstreamCall, Reply, list[ModelCard]]:
    """The cards with what `show` tells of those of which the list does not tell enough. One call a digest."""
    told = {_digest(card): card for card in known if PARAMETERS in card.extra and _digest(card)}
    described: list[ModelCard] = []
    reachable = True
    for card in cards:
        if card.capabilities is not None and card.context_length is not None:
            described.append(card)
            continue
        other = told.get(_digest(card))
        if other is None and reachable:
            try:
                reply = yield UpstreamCall("POST", "/api/show", encode({"model": card.id}), _JSON)
            except GatewayError:
                reachable = False  # it has just answered the list: do not wait for each of its models in vain
            else:
                shown = _object(reply)
                if shown is not None:
                    other = _shown(card, shown)
                    told.update({_digest(card): other} if _digest(card) else {})
        described.append(_with(card, other) if other is not None else card)
    return described


def _card(entry: Data, version: str | None) -> ModelCard:
    name = _name(entry)
    parsed = parse(name)
    return ModelCard(
        id=name,
        created=max(0, int(unix(as_text(entry.get("modified_at"))) or 0)),
        owned_by=parsed.namespace if parsed is not None else DEFAULT_NAMESPACE,
        extra=entry,
        capabilities=_capabilities(entry),
        context_length=as_count(as_dict(entry.get("details")).get("context_length"), 0) or None,
        server_version=version,
        dialect=DIALECT,
    )


def _shown(card: ModelCard, shown: Data) -> ModelCard:
    """`card` with what `show` says. The key `parameters`, empty where it is long, also says that it was asked."""
    parameters = as_text(shown.get(PARAMETERS))
    extra = {PARAMETERS: parameters if len(parameters) <= _LONGEST_PARAMETERS else ""}
    length = _context_length(as_dict(shown.get("model_info")))
    return replace(card, capabilities=_capabilities(shown), context_length=length, extra=extra)


def _with(card: ModelCard, other: ModelCard) -> ModelCard:
    """`card`, and from `other`, of the same digest, what the list leaves open."""
    capabilities = card.capabilities if card.capabilities is not None else other.capabilities
    extra = {**card.extra, PARAMETERS: other.extra[PARAMETERS]}
    if capabilities is not None:
        extra["capabilities"] = [*capabilities]
    length = card.context_length if card.context_length is not None else other.context_length
    return replace(card, capabilities=capabilities, context_length=length, extra=extra)


def _name(entry: Mapping[str, Any]) -> str:
    return as_text(entry.get("model")) or as_text(entry.get("name"))


def _digest(card: ModelCard) -> str:
    return as_text(card.extra.get("digest"))


def _capabilities(said: Data) -> tuple[str, ...] | None:
    """None where nothing is said, or only nothing: a model that can do nothing at all would not be listed."""
    return tuple(word for word in as_list(said.get("capabilities")) if isinstance(word, str)) or None


def _context_length(model_info: Data) -> int | None:
    """The model's own limit, named after its architecture; also where the architecture is not said."""
    architecture = as_text(model_info.get("general.architecture"))
    return next((length for length in _lengths(model_info, architecture) if length), None)


def _lengths(model_info: Data, architecture: str) -> Iterator[int]:
    yield as_count(model_info.get(f"{architecture}.context_length"), 0)
    for key, value in model_info.items():
        if key.endswith(".context_length"):
            yield as_count(value, 0)
