"""Model lists, both ways (protocol.md 2.8)."""

from __future__ import annotations

from pipeline import Data, Discovery, ModelCard, UpstreamCall, UpstreamGarbage
from stages.dialects.openai.errors import decode_error
from stages.dialects.wire import NOT_JSON, as_dict, as_int, as_list, decode

_EXTENSIONS = ("context_length", "capabilities")
_KNOWN = frozenset({"id", "object", "created", "owned_by"})


def discovery() -> Discovery:
    """One call tells all that this protocol has to say."""
    reply = yield UpstreamCall("GET", "/models", headers=(("accept", "application/json"),))
    if reply.status != 200:
        raise decode_error(reply.status, reply.headers, reply.body)
    return decode_models(reply.body)


def decode_models(body: bytes) -> list[ModelCard]:
    """An upstream's list. Entries without an id are skipped; `data` may be null (pitfall 62)."""
    try:
        answer = decode(body)
    except NOT_JSON as error:
        raise UpstreamGarbage("The upstream's model list is not JSON.", detail=str(error)) from None
    if not isinstance(answer, dict) or "data" not in answer:
        raise UpstreamGarbage("The upstream's model list has no data.")
    return [_card(item) for item in map(as_dict, as_list(answer["data"])) if isinstance(item.get("id"), str)]


def _card(item: Data) -> ModelCard:
    owner = item.get("owned_by")
    return ModelCard(
        id=item["id"],
        created=as_int(item.get("created"), 0),
        owned_by=owner if isinstance(owner, str) else "",
        dialect="openai",
        extra={key: value for key, value in item.items() if key not in _KNOWN},
    )


def encode_model(card: Data) -> Data:
    """A neutral model card in OpenAI's form, with what is known of the model's abilities as extensions."""
    known = {name: card[name] for name in _EXTENSIONS if card.get(name) is not None}
    owner = card["owned_by"] or "unknown"
    return {"id": card["id"], "object": "model", "created": card["created"], "owned_by": owner, **known}


def encode_answer(data: Data) -> Data:
    """The neutral answers to `models.list` (`{"models": [...]}`) and `models.show` (`{"model": {...}}`)."""
    if "model" in data:
        return encode_model(data["model"])
    return {"object": "list", "data": [encode_model(card) for card in data.get("models", [])]}
