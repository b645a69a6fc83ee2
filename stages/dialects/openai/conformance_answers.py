"""Strategies for answers as OpenAI's servers write them, whole and as streams (protocol.md 2.4-2.7)."""

from __future__ import annotations

import base64
import struct
from typing import Any

from hypothesis import strategies as st

from pipeline import Data
from stages.dialects import conformance_values as values
from stages.dialects.conformance_values import cut

_HEAD = {"id": "chatcmpl-1", "created": 1_700_000_000, "model": "theirs"}
_usage = st.builds(
    lambda prompt, completion: {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    },
    values.counts,
    values.counts,
)


@st.composite
def tokens(draw: st.DrawFn) -> Data:
    """One token with all its keys, perhaps with an alternative."""

    def entry() -> Data:
        token = draw(values.pieces)
        return {"token": token, "logprob": draw(values.logarithms), "bytes": list(token.encode())}

    return {**entry(), "top_logprobs": [entry() for _ in range(draw(st.integers(0, 2)))]}


@st.composite
def calls(draw: st.DrawFn) -> list[Data]:
    """Tool calls of distinct ids."""
    called = draw(st.lists(st.tuples(values.names, values.arguments), max_size=3))
    return [
        {"id": f"call_x{at}", "type": "function", "function": {"name": name, "arguments": values.compact(given)}}
        for at, (name, given) in enumerate(called)
    ]


@st.composite
def chats(draw: st.DrawFn) -> Data:
    """A whole chat answer of one choice."""
    called = draw(calls() | st.just([]))
    text = draw(values.texts)
    message: Data = {"role": "assistant", "content": text or (None if called else ""), "refusal": None}
    if called:
        message["tool_calls"] = called
    reasoning = draw(values.texts)
    if reasoning:
        message[draw(st.sampled_from(["reasoning", "reasoning_content"]))] = reasoning
    finish = draw(st.sampled_from(["tool_calls" if called else "stop", "length", "content_filter"]))
    logprobs = {"content": draw(st.lists(tokens(), min_size=1, max_size=3)), "refusal": None}
    choice = {
        "index": 0,
        "message": message,
        "logprobs": draw(st.sampled_from([None, logprobs])),
        "finish_reason": finish,
    }
    answer: Data = {**_HEAD, "object": "chat.completion", "choices": [choice]}
    return answer | ({"usage": draw(_usage)} if draw(st.integers(0, 4)) else {})


@st.composite
def completions(draw: st.DrawFn) -> Data:
    """A whole text completion of one choice."""
    text = draw(values.texts)
    said = draw(st.lists(st.tuples(values.pieces, values.logarithms), min_size=1, max_size=3))
    logprobs = {
        "tokens": [token for token, _ in said],
        "token_logprobs": [number for _, number in said],
        "top_logprobs": [{token: number} for token, number in said],
        "text_offset": [sum(len(token) for token, _ in said[:at]) for at in range(len(said))],
    }
    choice = {
        "index": 0,
        "text": text,
        "logprobs": draw(st.sampled_from([None, logprobs])),
        "finish_reason": draw(st.sampled_from(["stop", "length", "content_filter"])),
    }
    return {**_HEAD, "id": "cmpl-1", "object": "text_completion", "choices": [choice], "usage": draw(_usage)}


@st.composite
def embeddings(draw: st.DrawFn) -> Data:
    """Vectors in any order of their numbers, as lists or as base64 of float32."""
    vectors = draw(st.lists(st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=4), min_size=1, max_size=4))
    packed = draw(st.booleans())
    data = [
        {"object": "embedding", "index": at, "embedding": pack(vector) if packed else vector}
        for at, vector in enumerate(vectors)
    ]
    used = draw(values.counts)
    usage = {"prompt_tokens": used, "total_tokens": used}
    return {"object": "list", "data": draw(st.permutations(data)), "model": "theirs", "usage": usage}


def pack(vector: list[float]) -> str:
    """Little-endian float32 in base64 (protocol.md 2.7)."""
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def unpack(embedding: Any) -> list[float]:
    """The float32 values of either form."""
    if isinstance(embedding, str):
        raw = base64.b64decode(embedding, validate=True)
        return list(struct.unpack(f"<{len(raw) // 4}f", raw))
    return list(struct.unpack(f"<{len(embedding)}f", struct.pack(f"<{len(embedding)}f", *embedding)))


@st.composite
def streams(draw: st.DrawFn, operation: str) -> list[Data]:
    """A whole answer, cut up: fragments of several calls interleave, usage comes at the end or beside the finish."""
    answer = draw(chats() if operation == "chat" else completions())
    choice = answer["choices"][0]
    if operation == "completion":
        steps = [{"text": piece} for piece in cut(draw, choice["text"])]
    else:
        steps = _deltas(draw, choice["message"])
    entries: list[Data] = [{"index": 0, **step, "logprobs": None, "finish_reason": None} for step in steps]
    if choice["logprobs"] is not None:
        _spread(draw, entries, choice["logprobs"], operation)
    empty: Data = {"text": ""} if operation == "completion" else {"delta": {}}
    entries.append({"index": 0, **empty, "logprobs": None, "finish_reason": choice["finish_reason"]})
    kind = "text_completion" if operation == "completion" else "chat.completion.chunk"
    head = {**_HEAD, "object": kind}
    items: list[Data] = [{**head, "choices": [entry]} for entry in entries]
    if "usage" in answer:
        beside = draw(st.booleans())
        items[-1:] = (
            [items[-1] | {"usage": answer["usage"]}]
            if beside
            else [items[-1], {**head, "choices": [], "usage": answer["usage"]}]
        )
    return items


def _deltas(draw: st.DrawFn, message: Data) -> list[Data]:
    reasoning = next((key for key in ("reasoning", "reasoning_content") if key in message), "")
    deltas: list[Data] = [{"role": "assistant", "content": ""}]
    deltas += [{reasoning: piece} for piece in cut(draw, message.get(reasoning, ""))]
    deltas += [{"content": piece} for piece in cut(draw, message["content"] or "")]
    queues: list[list[Data]] = []
    for at, call in enumerate(message.get("tool_calls", ())):
        function = call["function"]
        first = {**call, "index": at, "function": {"name": function["name"], "arguments": ""}}
        pieces = cut(draw, function["arguments"])
        queues.append([first, *({"index": at, "function": {"arguments": piece}} for piece in pieces)])
    # A call begins only after the one before it has begun; then their fragments come in any order.
    begun = 0
    while any(queues):
        ready = [queue for at, queue in enumerate(queues) if queue and at <= begun]
        queue = draw(st.sampled_from(ready))
        begun += queue is queues[min(begun, len(queues) - 1)] and "id" in queue[0]
        deltas.append({"tool_calls": [queue.pop(0)]})
    return [{"delta": delta} for delta in deltas]


def _spread(draw: st.DrawFn, entries: list[Data], logprobs: Data, operation: str) -> None:
    """Put the tokens on the entries, in order."""
    size = len(logprobs["tokens"] if operation == "completion" else logprobs["content"])
    if not entries:
        entries.append({"index": 0, "text": "", "logprobs": None, "finish_reason": None})
    places = sorted(draw(st.lists(st.integers(0, len(entries) - 1), min_size=size, max_size=size)))
    for place in set(places):
        own = [at for at in range(size) if places[at] == place]
        entries[place]["logprobs"] = {
            key: [listed[at] for at in own] if listed is not None else None for key, listed in logprobs.items()
        }
