"""Neutral turns as messages of this protocol (protocol.md 3.3; the normal form NO of section 6)."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import Audio, Data, Image, Losses, Message, Part, Text, ToolCall
from stages.dialects.openai.media import audio_format, image_type
from stages.dialects.openai.table import WRITES
from stages.dialects.openai.tool_ids import with_tool_ids
from stages.dialects.table import Content
from stages.dialects.wire import encode

_JSON_HINT = "Respond in JSON."
_REASONING = [
    (row.field.rpartition(".")[2], row.profiles or ()) for row in WRITES if row.means is Content.PAST_REASONING
]


def write_messages(messages: Sequence[Message], losses: Losses, profile: str) -> list[Data]:
    """All turns, with tool ids completed by rule T."""
    reasoning = next((field for field, profiles in _REASONING if profile in profiles), None)
    return [_message(message, losses, reasoning) for message in with_tool_ids(messages, losses)]


def with_json_hint(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Ask for JSON in words too: OpenAI answers 400 to `json_object` where no message speaks of JSON.

    Put at the end of the system message that opens a conversation: some templates allow only that one.
    """
    if any("json" in message.text.lower() for message in messages):
        return tuple(messages)
    if messages and messages[0].role == "system":
        first = messages[0]
        parts = (*first.parts, Text(f"\n{_JSON_HINT}" if first.text else _JSON_HINT))
        return (Message("system", parts, path=first.path), *messages[1:])
    return (Message("system", (Text(_JSON_HINT),)), *messages)


def _message(message: Message, losses: Losses, reasoning: str | None) -> Data:
    content = _content(message)
    written: Data = {"role": message.role, "content": content}
    if message.calls:
        # N3: with calls an empty text is null, else "" (pitfall 37).
        written["content"] = content or None
        written["tool_calls"] = [_call(call) for call in message.calls]
    if message.role == "tool":
        written["tool_call_id"] = message.call_id
    if message.reasoning:
        if reasoning is None:
            # Some demand to get it back, some answer 400 to it (pitfall 41).
            losses.drop(message.reasoning_path or message.path, Content.PAST_REASONING.if_lost)
        else:
            written[reasoning] = message.reasoning
    return written


def _content(message: Message) -> str | list[Data]:
    for part in message.parts:
        if not isinstance(part, Text):
            return [_part(part) for part in message.parts if not isinstance(part, Text) or part.text]
    return message.text


def _part(part: Part) -> Data:
    match part:
        case Text(text):
            return {"type": "text", "text": text}
        case Audio(data, format):
            return _audio(data, format or audio_format(data) or "wav")
        case Image(data, None) if format := audio_format(data):
            return _audio(data, format)
        case Image(data, media_type):
            return {"type": "image_url", "image_url": {"url": f"data:{media_type or image_type(data)};base64,{data}"}}


def _audio(data: str, format: str) -> Data:
    return {"type": "input_audio", "input_audio": {"data": data, "format": format}}


def _call(call: ToolCall) -> Data:
    arguments = encode(call.arguments).decode()
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}
