"""Models, as Ollama's discovery calls show them (protocol.md 1.7): from cards of any dialect (3.7).

A model of an Ollama server is given back in that server's own words. Of any other the gateway makes up what Ollama's
clients need to find: a stable digest, six details, a zero where nothing is known.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from pipeline import Data
from stages.dialects.ollama.timestamps import ZERO, nanoseconds, rfc3339
from stages.dialects.wire import as_dict, as_list, as_text

DIALECT = "ollama"
PARAMETERS = "parameters"
"""What a card's `extra` has beside the entry of the list: the text of `show`."""

VERSION = "0.12.11"
"""What the gateway can do, in the only words that clients have for it: with this one they use logprobs and tool ids."""

_FAR_AHEAD = "2318-01-01T00:00:00Z"
_UNTOLD = "-"


def encode_answer(operation: str, data: Data) -> Data:
    """The neutral answer to a discovery operation, as Ollama says it."""
    if operation == "models.show":
        return _show(as_dict(data.get("model")))
    if operation == "models.running":
        running = [_running(card) for card in _cards(data) if card.get("loaded") is not None]
        return {"models": sorted(running, key=_remaining, reverse=True)}
    if operation == "version":
        return {"version": as_text(data.get("version")) or VERSION}
    return {"models": [_listed(card) for card in sorted(_cards(data), key=_modified, reverse=True)]}


def _cards(data: Data) -> list[Data]:
    return [*map(as_dict, as_list(data.get("models")))]


def _modified(card: Data) -> int:
    """When it was changed, in nanoseconds: the list begins with the newest."""
    exact = nanoseconds(as_text(_native(card).get("modified_at")))
    return exact if exact is not None else card.get("created", 0) * 1_000_000_000


def _remaining(entry: Data) -> int:
    """When it leaves the memory; the list begins with what stays longest."""
    return nanoseconds(as_text(entry["expires_at"])) or 0


def _native(card: Data) -> Data:
    """The entry of an Ollama server's list; empty for a model of any other."""
    return {**card.get("extra", {})} if card.get("dialect") == DIALECT else {}


def _listed(card: Data) -> Data:
    native = _native(card)
    if native:
        return {**{k: v for k, v in native.items() if k != PARAMETERS}, "name": card["id"], "model": card["id"]}
    entry: Data = {
        "name": card["id"],
        "model": card["id"],
        "modified_at": _created(card),
        "size": 0,
        "digest": _made_up_digest(card),
        "details": _details(card),
    }
    if card.get("capabilities") is not None:
        entry["capabilities"] = [*card["capabilities"]]
    return entry


def _show(card: Data) -> Data:
    native = _native(card)
    answer: Data = {
        "modelfile": "",
        PARAMETERS: as_text(native.get(PARAMETERS)),
        "template": "",
        "details": _details(card),
        "model_info": _model_info(card),
        "modified_at": native.get("modified_at") or _created(card),
    }
    if card.get("capabilities") is not None:
        answer["capabilities"] = [*card["capabilities"]]
    return answer


def _running(card: Data) -> Data:
    """The server's own entry; of another dialect's model what its card says of being in memory.

    A server before 0.10.0 does not say how much context it has loaded. That is not made up for it: it may be far below
    the model's own limit (protocol.md 5.1).
    """
    own_name = {"name": card["id"], "model": card["id"]}
    loaded = as_dict(card.get("loaded"))
    if card.get("dialect") == DIALECT and "expires_at" in loaded:
        return {**loaded, **own_name}
    entry = {
        **own_name,
        "size": 0,
        "digest": as_text(_native(card).get("digest")) or _made_up_digest(card),
        "details": _details(card),
        "expires_at": _FAR_AHEAD,
        "size_vram": 0,
    }
    if card.get("context_length"):
        entry["context_length"] = card["context_length"]
    return {**entry, **loaded, **own_name}


def _details(card: Data) -> Data:
    native = _native(card).get("details")
    if isinstance(native, dict):
        return native
    family = as_text(card.get("owned_by"))
    return {
        "parent_model": "",
        "format": "",
        "family": family,
        "families": [family] if family else None,
        "parameter_size": "",
        "quantization_level": "",
    }


def _model_info(card: Data) -> Data:
    """Clients look for `<architecture>.context_length` (protocol.md 1.7), so there must be an architecture."""
    family = as_text(as_dict(_details(card)).get("family")) or _UNTOLD
    info: dict[str, Any] = {"general.architecture": family}
    if card.get("context_length"):
        info[f"{family}.context_length"] = card["context_length"]
    return info


def _created(card: Data) -> str:
    created = card.get("created", 0)
    return rfc3339(created) if created else ZERO


def _made_up_digest(card: Data) -> str:
    """Clients tell models apart by it, and keep it: the same model must have the same tomorrow."""
    return sha256(f"{card.get('owned_by', '')}{card['id']}".encode("utf-8", "replace")).hexdigest()
