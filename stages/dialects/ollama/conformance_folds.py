"""What an Ollama answer says, whole or line by line, read as its clients read it (protocol.md 1.12)."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pipeline import Data, Heard, HeardCall, Parsed

_FINISH = {"length": "length", "content_filter": "content_filter"}


def fold(operation: str, items: Sequence[Data]) -> Data:
    """The whole answer of a complete stream: texts joined, calls and logprobs gathered, the rest of the last."""
    parts = [item["message"] if operation == "chat" else item for item in items]
    text = "content" if operation == "chat" else "response"
    said: Data = {text: "".join(part.get(text, "") for part in parts)}
    thinking = "".join(part.get("thinking", "") for part in parts)
    called = [call for part in parts for call in part.get("tool_calls") or ()]
    said |= {"thinking": thinking} if thinking else {}
    said |= {"tool_calls": called} if called else {}
    logprobs = [token for item in items for token in item.get("logprobs") or ()]
    whole = {"message": {"role": "assistant", **said}} if operation == "chat" else said
    last = {
        key: value for key, value in items[-1].items() if key not in ("message", "response", "thinking", "tool_calls")
    }
    return {**last, "created_at": items[0]["created_at"], **whole, **({"logprobs": logprobs} if logprobs else {})}


def heard(operation: str, answer: Data) -> Heard:
    """What a whole answer says. A reason that OpenAI has no word for is a stop (protocol.md 3.2)."""
    said = answer["message"] if operation == "chat" else answer
    return Heard(
        said["content" if operation == "chat" else "response"],
        said.get("thinking", ""),
        tuple(
            HeardCall(call["function"]["name"], call["function"]["arguments"], call.get("id", ""))
            for call in said.get("tool_calls", ())
        ),
        _FINISH.get(answer.get("done_reason", ""), "stop"),
        (answer.get("prompt_eval_count", 0), answer.get("eval_count", 0)),
        tuple((token["token"], token["logprob"]) for token in answer.get("logprobs", ())),
    )


def encode(items: Sequence[Data], *, done: bool = True) -> bytes:
    """Lines as the server writes them, with what is not ASCII as it is. The last item is the end marker."""
    return b"".join(json.dumps(item, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for item in items)


def failed(message: str) -> bytes:
    """An error in a stream (protocol.md 1.10.5)."""
    return encode([{"error": message}])


def parse(body: bytes) -> Parsed:
    """As ollama-python and ollama-js do: a blank line or a key `error` in a line that is none fails them."""
    assert body == b"" or body.endswith(b"\n"), "the last line is ended"
    lines = body.decode().splitlines()
    assert len(lines) == body.count(b"\n"), "as many lines as line feeds, however lines are split (law 32)"
    items: list[Data] = []
    done, error = False, None
    for line in lines:
        assert line.strip(), "a blank line"
        assert not done, "nothing follows the done line"
        assert error is None, "nothing follows an error"
        value = json.loads(line)
        assert isinstance(value, dict), f"a line that is no object: {line!r}"
        if "error" in value:
            assert set(value) == {"error"}, f"an error line has nothing else: {value}"
            error = value["error"]
            assert isinstance(error, str), value
            assert error, "clients take an empty error for none"
        else:
            items.append(value)
            done = value.get("done") is True
    return Parsed(items, done, error)
