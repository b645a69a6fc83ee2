"""What sets apart the servers that speak this protocol (protocol.md 3.3, the rows "by profile").

OpenAI itself answers 400 to an argument that it does not know; others take more, under names of their own. Which field
says what to whom is in the table (`Writes.profiles`); here is what a field may hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OPENAI = "openai"
LLAMA_CPP = "llama.cpp"
VLLM = "vllm"
OPENROUTER = "openrouter"


@dataclass(frozen=True, slots=True)
class Profile:
    """The limits of one kind of server. None: it has none.

    `efforts` replaces the words for reasoning that it does not know by its nearest.
    """

    max_temperature: float | None = None
    max_stops: int | None = None
    max_text_logprobs: int | None = None
    efforts: Mapping[str, str] = field(default_factory=dict)


_LOW_TO_HIGH = {"minimal": "low", "xhigh": "high", "max": "high"}

PROFILES: Mapping[str, Profile] = {
    OPENAI: Profile(max_temperature=2, max_stops=4, max_text_logprobs=5),
    LLAMA_CPP: Profile(efforts=_LOW_TO_HIGH),
    VLLM: Profile(efforts=_LOW_TO_HIGH),
    OPENROUTER: Profile(max_temperature=2, max_stops=4, max_text_logprobs=5, efforts={"max": "xhigh"}),
}
"""The default first."""
