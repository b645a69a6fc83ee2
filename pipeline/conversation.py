"""A conversation as no provider writes it: what a dialect reads a chat request into, and another writes it from.

Every item remembers its `path` in the caller's own request (`messages[2].content[0].image_url`), so that whoever cannot
say it names a place that the caller can find. Nothing here is validated: the reader of a dialect answers for its items.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from pipeline.events import Data

Role = Literal["system", "user", "assistant", "tool"]


class Text(msgspec.Struct, frozen=True):
    """Words, in the order in which they stand among the other parts."""

    text: str
    path: str = ""


class Image(msgspec.Struct, frozen=True):
    """A picture as standard, padded base64. `media_type` is None where the caller did not say."""

    data: str
    media_type: str | None = None
    path: str = ""


class Audio(msgspec.Struct, frozen=True):
    """Sound as standard, padded base64. `format` is a short name such as `wav`, None where the caller did not say."""

    data: str
    format: str | None = None
    path: str = ""


Part = Text | Image | Audio


class ToolCall(msgspec.Struct, frozen=True):
    """A call that the model made. `arguments` is the object, not its JSON text; some protocols have no `id`."""

    name: str
    arguments: Data
    id: str | None = None
    path: str = ""


class Message(msgspec.Struct, frozen=True):
    """One turn. A turn of role `tool` answers the call `call_id`, of the tool `tool_name`, as far as they are known.

    `reasoning_path` is where the reasoning stands in the caller's request, "" where only the message is known.
    """

    role: Role
    parts: tuple[Part, ...] = ()
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    call_id: str | None = None
    tool_name: str | None = None
    path: str = ""
    reasoning_path: str = ""

    @property
    def text(self) -> str:
        """The words alone, their parts joined by a line feed (protocol.md 3.1: text parts become one message)."""
        texts = [part.text for part in self.parts if isinstance(part, Text)]
        return texts[0] if len(texts) == 1 else "\n".join(texts)


class Tool(msgspec.Struct, frozen=True):
    """A function that the model may call. `parameters` is a JSON Schema, None where there is none."""

    name: str
    description: str | None = None
    parameters: Data | None = None
    path: str = ""


class ToolChoice(msgspec.Struct, frozen=True):
    """Whether tools must be called, and which may be: `names` None means all of them."""

    mode: Literal["auto", "none", "required"]
    names: tuple[str, ...] | None = None
    path: str = ""


class AnswerFormat(msgspec.Struct, frozen=True):
    """The answer must be JSON; of this `schema`, or any where it is None."""

    schema: Data | None = None
    name: str | None = None
    path: str = ""
