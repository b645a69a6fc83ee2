"""The messages of a chat (protocol.md 1.4, 3.1): one for each, whatever parts it has."""

from __future__ import annotations

from pipeline import Audio, Data, Image, Losses, Message, ModelCard, NeutralRequest, Part, Text
from stages.dialects.ollama.versions import supports
from stages.dialects.table import Content


def write_messages(asked: NeutralRequest, card: ModelCard | None, losses: Losses) -> list[Data]:
    names: dict[str, str] = {}
    written: list[Data] = []
    for message in asked.messages:
        written.append(_message(message, names, card, losses))
        if message.calls:
            names.update((call.id, call.name) for call in message.calls if call.id)
    return written


def _message(message: Message, names: dict[str, str], card: ModelCard | None, losses: Losses) -> Data:
    """`names` are those of the calls so far, by id: most servers go by the name of the tool, not by the id."""
    written: Data = {"role": message.role, "content": message.text}
    if message.reasoning:
        if supports(card, "think"):
            written["thinking"] = message.reasoning
        else:
            losses.drop(message.path, Content.PAST_REASONING.if_lost)
    images = [part.data for part in message.parts if not isinstance(part, Text) and _seen(part, card, losses)]
    if images:
        written["images"] = images
    if message.calls:
        written["tool_calls"] = [
            {
                **({"id": call.id} if call.id else {}),
                "function": {"index": index, "name": call.name, "arguments": call.arguments},
            }
            for index, call in enumerate(message.calls)
        ]
    if message.role == "tool":
        tool_name = message.tool_name or names.get(message.call_id or "")
        if message.call_id:
            written["tool_call_id"] = message.call_id
        if tool_name:
            written["tool_name"] = tool_name
    return written


def _seen(part: Part, card: ModelCard | None, losses: Losses) -> bool:
    """Whether the model takes it. Sound travels with the images, and a model without ears would take it for one."""
    if isinstance(part, Image) and card is not None and card.lacks("vision"):
        losses.drop(part.path, Content.IMAGE.if_lost, "The model does not take images.")
        return False
    if isinstance(part, Audio) and card is not None and card.lacks("audio"):
        losses.drop(part.path, Content.AUDIO.if_lost, "The model does not take audio.")
        return False
    return True
