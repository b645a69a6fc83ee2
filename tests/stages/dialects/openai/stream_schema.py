"""What a stream must be as a whole: its framing, its order, and what may be said once only (protocol.md 2.5, 2.6).

`parse_stream` reads the bytes as strictly as the schema reads objects; `check_chat_stream` and `check_text_stream`
check everything that was said before the end marker.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tests.stages.dialects.openai.schema import CHAT_CHUNK, TEXT_CHUNK, USAGE, Violation, check_error
from tests.stages.dialects.openai.shape import Check, demand

UsageRule = Literal["absent", "required", "optional"]
"""Without `include_usage`: absent. With it: required, or optional where the upstream does not count."""


@dataclass(frozen=True)
class ParsedStream:
    """`done`: it ended in `[DONE]`. `error`: it ended in an error event. Neither: it was cut."""

    chunks: list[Any]
    done: bool
    error: Any


def parse_stream(body: bytes) -> ParsedStream:
    """Every event is `data: ` with one line of JSON and a blank line; nothing follows `[DONE]` or an error."""
    demand(body == b"" or body.endswith(b"\n\n"), "body", "ends in a blank line")
    chunks: list[Any] = []
    done, error = False, None
    for at, event in enumerate(body.decode().split("\n\n")[:-1]):
        demand(not done and error is None, f"event {at}", "nothing after the end")
        demand(event.startswith("data: "), f"event {at}", f"begins with `data: `, not {event[:20]!r}")
        demand(len(event.splitlines()) == 1, f"event {at}", "one line, however it is split (law 32)")
        if event == "data: [DONE]":
            done = True
            continue
        value = json.loads(event[6:])
        demand(isinstance(value, dict), f"event {at}", f"an object, not {value!r}")
        if value.get("error"):
            check_error(value)
            error = value["error"]
        else:
            chunks.append(value)
    return ParsedStream(chunks, done, error)


def check_chat_stream(chunks: Sequence[Any], *, usage: UsageRule, complete: bool = True) -> None:
    """All chunks of a chat stream. `complete=False` checks a stream that an error or a cut ended."""
    ends = _check_stream(chunks, CHAT_CHUNK, usage, complete)
    _check_roles(chunks)
    _check_calls(chunks, ends)
    for chunk in chunks:
        for choice in chunk["choices"]:
            if choice["finish_reason"] is not None:
                demand(choice["delta"] == {}, "finish chunk", f"an empty delta, not {choice['delta']!r}")


def check_text_stream(chunks: Sequence[Any], *, usage: UsageRule, complete: bool = True) -> None:
    """All chunks of a text completion's stream."""
    _check_stream(chunks, TEXT_CHUNK, usage, complete)


def _check_stream(chunks: Sequence[Any], check: Check, usage: UsageRule, complete: bool) -> dict[int, str]:
    """Laws 24, 25 (the finish) and 26; how each choice ended."""
    ends: dict[int, str] = {}
    seen: set[int] = set()
    for at, chunk in enumerate(chunks):
        check(chunk, f"chunk {at}")
        for key in ("id", "object", "created", "model"):
            demand(chunk[key] == chunks[0][key], f"chunk {at}.{key}", f"the same in every chunk: {chunks[0][key]!r}")
        _check_usage(chunk, at, last=at == len(chunks) - 1, rule=usage)
        for choice in chunk["choices"]:
            index = choice["index"]
            demand(index not in ends, f"chunk {at}", f"nothing of choice {index} after its finish")
            seen.add(index)
            if choice["finish_reason"] is not None:
                ends[index] = choice["finish_reason"]
    if complete:
        demand(bool(seen), "stream", "some choice")
        demand(seen == ends.keys(), "stream", f"a finish chunk for each of {sorted(seen)}")
        demand(sorted(seen) == list(range(len(seen))), "stream", f"choices from 0 without a gap, not {sorted(seen)}")
        demand(usage != "required" or not chunks[-1]["choices"], "stream", "a usage chunk at the end")
    return ends


def _check_usage(chunk: Any, at: int, *, last: bool, rule: UsageRule) -> None:
    if rule == "absent":
        demand("usage" not in chunk, f"chunk {at}", "no usage")
        demand(bool(chunk["choices"]), f"chunk {at}", "choices: only the usage chunk has none")
        return
    demand("usage" in chunk, f"chunk {at}", "the key usage")
    if chunk["choices"]:
        demand(chunk["usage"] is None, f"chunk {at}.usage", "null")
        return
    demand(last, f"chunk {at}", "nothing after the usage chunk")
    USAGE(chunk["usage"], f"chunk {at}.usage")


def _check_roles(chunks: Sequence[Any]) -> None:
    """Law 25: the role once for each choice, and first."""
    seen: set[int] = set()
    for at, chunk in enumerate(chunks):
        for choice in chunk["choices"]:
            first = choice["index"] not in seen
            seen.add(choice["index"])
            demand(("role" in choice["delta"]) == first, f"chunk {at}", "the role in the choice's first delta only")


def _check_calls(chunks: Sequence[Any], ends: dict[int, str]) -> None:
    """Law 27: indices gap-free in order of appearance; id, type and name once each; ids distinct. Laws 16, 17."""
    calls: dict[int, list[str]] = {}
    for at, chunk in enumerate(chunks):
        for choice in chunk["choices"]:
            known = calls.setdefault(choice["index"], [])
            for fragment in choice["delta"].get("tool_calls", []):
                _check_fragment(fragment, known, f"chunk {at}.tool_calls")
    for index, reason in ends.items():
        demand(bool(calls[index]) or reason != "tool_calls", f"choice {index}", "no tool_calls without calls")
        demand(not calls[index] or reason != "stop", f"choice {index}", "not stop in spite of calls")


def _check_fragment(fragment: Any, known: list[str], path: str) -> None:
    function = fragment.get("function", {})
    if fragment["index"] < len(known):
        repeated = [key for key in ("id", "type") if key in fragment] + [key for key in ("name",) if key in function]
        demand(not repeated, path, f"{repeated} said twice")
        demand("arguments" in function, path, "later fragments carry arguments")
        return
    demand(fragment["index"] == len(known), path, f"index {len(known)}, not {fragment['index']}")
    demand("id" in fragment and "type" in fragment, path, "a first fragment has id and type")
    demand("name" in function and "arguments" in function, path, "a first fragment has name and arguments")
    if fragment["id"] in known:
        raise Violation(f"{path}: the id {fragment['id']!r} belongs to another call")
    known.append(fragment["id"])
