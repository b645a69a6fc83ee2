"""Answers decoded from another dialect, as the chunks that a server of this one would send (protocol.md 3.2, 3.5).

Only what is neutral is taken over: native fields of another protocol mean nothing to this one's clients. One event may
say several things at once (text and calls on its last line); a stream of this protocol says each in a chunk of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipeline import Data, Request
from stages.dialects.openai.logprobs import text_logprobs
from stages.dialects.openai.read_tools import uses_legacy_functions
from stages.dialects.wire import as_count, as_dict, as_list, as_text


def said_of(choice: Data) -> str:
    """The visible text: a chat may be answered by a server that continues texts, and the other way round."""
    return as_text(choice.get("text")) or as_text(as_dict(choice.get("delta")).get("content"))


def _chunk(data: Data, choices: Sequence[Data]) -> Data:
    chunk: Data = {"choices": choices}
    if "created" in data:
        chunk["created"] = data["created"]
    return chunk


def _usage(data: Data) -> list[Data]:
    return [{**_chunk(data, []), "usage": data["usage"]}] if isinstance(data.get("usage"), dict) else []


class ForeignChat:
    """Chat events of another dialect. Calls are numbered in order of appearance: some number all of them 0.

    Whoever asked for the answer whole reads no chunks: then an event stays one.
    """

    def __init__(self, request: Request) -> None:
        self._stream = request.stream
        self._legacy = uses_legacy_functions(request.payload)
        # Whoever asked for a tier is told which one it got (protocol.md 3.1).
        self._extra = {"service_tier": "default"} if request.payload.get("service_tier") is not None else {}
        self._begun: set[int] = set()
        self._calls: dict[int, int] = {}

    def __call__(self, data: Data) -> list[Data]:
        parts: list[Data] = []
        for at, choice in enumerate(map(as_dict, as_list(data.get("choices")))):
            index = as_count(choice.get("index"), at)
            parts += self._steps(index, choice) if self._stream else [self._at_once(index, choice)]
        if self._stream:
            chunks = [_chunk(data, [part]) for part in parts] + _usage(data)
        else:
            chunks = [{**_chunk(data, parts), "usage": data.get("usage")}]
        return [{**self._extra, **chunk} for chunk in chunks] if self._extra else chunks

    def _at_once(self, index: int, choice: Data) -> Data:
        said: Data = {}
        for delta in self._deltas(index, choice):
            for key, value in delta.items():
                said[key] = [*said[key], *value] if key in said else value  # only calls come more than once
        logprobs = choice.get("logprobs")
        return {
            "index": index,
            "delta": said,
            "logprobs": {"content": logprobs.get("content")} if isinstance(logprobs, dict) else None,
            "finish_reason": self._finish(index, choice.get("finish_reason")),
        }

    def _steps(self, index: int, choice: Data) -> list[Data]:
        """The role, the deltas, the finish. Log-probabilities go with the text, or with what there is."""
        steps: list[Data] = []
        if index not in self._begun:
            self._begun.add(index)
            steps.append({"index": index, "delta": {"role": "assistant", "content": ""}})
        deltas = self._deltas(index, choice)
        carrier = None
        if isinstance(choice.get("logprobs"), dict):
            deltas = deltas or [{"content": ""}]
            carrier = next((delta for delta in deltas if "content" in delta), deltas[0])
        for delta in deltas:
            logprobs = {"content": choice["logprobs"].get("content")} if delta is carrier else None
            steps.append({"index": index, "delta": delta, "logprobs": logprobs})
        if finish := self._finish(index, choice.get("finish_reason")):
            steps.append({"index": index, "delta": {}, "finish_reason": finish})
        return steps

    def _deltas(self, index: int, choice: Data) -> list[Data]:
        delta = as_dict(choice.get("delta"))
        deltas: list[Data] = []
        if reasoning := as_text(delta.get("reasoning")) or as_text(choice.get("reasoning")):
            deltas.append({"reasoning": reasoning})
        if content := said_of(choice):
            deltas.append({"content": content})
        if refusal := as_text(delta.get("refusal")):
            deltas.append({"refusal": refusal})
        for call in map(as_dict, as_list(delta.get("tool_calls") or choice.get("tool_calls"))):
            function = as_dict(call.get("function"))
            number = self._number(index, begins=bool(function.get("name")))
            if not self._legacy:
                deltas.append({"tool_calls": [{"index": number, "id": call.get("id"), "function": function}]})
            elif number == 0:
                # The legacy form has room for one call.
                told = {name: function[name] for name in ("name", "arguments") if name in function}
                deltas.append({"function_call": told})
        return deltas

    def _number(self, index: int, *, begins: bool) -> int:
        """The number of a call that `begins` here, or of the last one."""
        counted = self._calls.get(index, 0)
        if not begins and counted:
            return counted - 1
        self._calls[index] = counted + 1
        return counted

    def _finish(self, index: int, finish: str | None) -> str | None:
        called = self._legacy and index in self._calls
        return "function_call" if called and finish in ("stop", "tool_calls") else finish


class ForeignText:
    """Text events of another dialect, or chat events where the text was continued by a chat.

    The prompts that an `echo` puts before the answers are put there here (protocol.md 3.5). Reasoning has no field.
    """

    def __init__(self, request: Request) -> None:
        payload = request.payload
        given = payload.get("prompt") if payload.get("echo") is True else None
        self._prompts = [as_text(prompt) for prompt in (given if isinstance(given, list) else [given])]
        self._copies = max(1, as_count(payload.get("n"), 1))
        self._offsets: dict[int, int] = {}

    def __call__(self, data: Data) -> list[Data]:
        choices = [
            self._choice(as_count(choice.get("index"), at), choice)
            for at, choice in enumerate(map(as_dict, as_list(data.get("choices"))))
        ]
        said = [choice for choice in choices if choice["text"] or choice["logprobs"] or choice["finish_reason"]]
        return [*([_chunk(data, said)] if said else []), *_usage(data)]

    def _choice(self, index: int, choice: Data) -> Data:
        text = said_of(choice)
        if index not in self._offsets:
            prompt = self._prompt(index)
            self._offsets[index] = len(prompt)
            text = prompt + text
        logprobs, self._offsets[index] = text_logprobs(choice.get("logprobs"), self._offsets[index])
        return {"index": index, "text": text, "logprobs": logprobs, "finish_reason": choice.get("finish_reason")}

    def _prompt(self, index: int) -> str:
        at = index // self._copies
        return self._prompts[at] if at < len(self._prompts) else ""
