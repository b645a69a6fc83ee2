"""Strategies for requests as OpenAI clients write them (protocol.md 2.2, 2.3, 2.6, 2.7)."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pipeline import Data
from stages.dialects import conformance_values as values
from stages.dialects.conformance_values import MODEL, bent, optional

_MIMES = st.sampled_from(["image/png", "image/jpeg", "image/svg+xml", ""])
_STOPS = st.none() | values.filled_texts | st.lists(values.texts, max_size=4)
_LIMITS = st.integers(1, 9999) | st.integers(1, 99).map(float)
_json_schema = st.builds(
    lambda schema, more: {"schema": schema, **more},
    values.schemas,
    optional(
        name=st.just("answer"),
        description=st.just("d"),
        strict=st.booleans(),
    ),
).map(lambda schema: {"name": "answer", **schema})
_formats = st.sampled_from([{"type": "text"}, {"type": "json_object"}]) | _json_schema.map(
    lambda schema: {"type": "json_schema", "json_schema": schema}
)
_functions = st.builds(
    lambda name, more: {"name": name, **more},
    values.names,
    optional(
        description=values.filled_texts,
        parameters=values.schemas | st.just({}),
        strict=st.booleans() | st.none(),
    ),
)
_tools = st.lists(_functions.map(lambda function: {"type": "function", "function": function}), min_size=1, max_size=2)


@st.composite
def picture_parts(draw: st.DrawFn) -> Data:
    """A data URL; its base64 in either alphabet, with or without padding."""
    text = values.standard(draw(values.pictures))
    text = draw(st.sampled_from([text, text.replace("+", "-").replace("/", "_"), text.rstrip("=")]))
    detail: Data = draw(st.sampled_from([{}, {"detail": "low"}]))
    return {"type": "image_url", "image_url": {"url": f"data:{draw(_MIMES)};base64,{text}", **detail}}


text_parts = values.texts.map(lambda text: {"type": "text", "text": text})
_words = values.texts | st.lists(text_parts, min_size=1, max_size=3)
_named: st.SearchStrategy[Data] = st.sampled_from([{}, {}, {"name": "ann"}, {"name": None}])


@st.composite
def spoken(draw: st.DrawFn) -> list[Data]:
    """One turn that is no tool call."""
    role = draw(st.sampled_from(["system", "developer", "user", "user", "assistant"]))
    content: Any = draw(_words)
    if role == "user":
        content = draw(_words | st.lists(text_parts | picture_parts(), min_size=1, max_size=4))
    more: Data = {}
    if role == "assistant":
        content = draw(st.none() | _words)
        more = draw(_reasoning)
    return [{"role": role, "content": content, **draw(_named), **more}]


_reasoning: st.SearchStrategy[Data] = values.filled_texts.flatmap(
    lambda text: st.sampled_from(
        [{}, {}, {"reasoning": text}, {"reasoning_content": text}, {"reasoning": text, "reasoning_content": text}]
    )
)


@st.composite
def thread(draw: st.DrawFn, start: int = 0) -> list[Data]:
    """An assistant's calls and the answers to all of them, in any order. `start` numbers the ids."""
    called = draw(st.lists(st.tuples(values.names, values.arguments), min_size=1, max_size=3))
    write = draw(st.sampled_from([values.compact, values.spaced]))
    nothing = draw(st.sampled_from(["", "{}", " { } "]))
    calls: list[Data] = [
        {
            "id": f"call_{start + at}",
            "type": "function",
            "function": {"name": name, "arguments": write(given) if given else nothing},
        }
        for at, (name, given) in enumerate(called)
    ]
    content: Data = draw(st.sampled_from([{}, {"content": None}, {"content": ""}, {"content": "let me see"}]))
    answers = draw(st.permutations(calls))
    return [
        {"role": "assistant", **content, "tool_calls": calls, **draw(_reasoning)},
        *({"role": "tool", "tool_call_id": call["id"], "content": draw(_words), **draw(_named)} for call in answers),
    ]


@st.composite
def conversations(draw: st.DrawFn) -> list[Data]:
    """One to four turns or threads of well-formed history."""
    out: list[Data] = []
    for at in range(draw(st.integers(1, 4))):
        out += draw(spoken()) if draw(st.integers(0, 2)) else draw(thread(start=10 * at))
    return out


_shared: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.none() | st.floats(0, 2),
    "top_p": st.none() | st.floats(0, 1),
    "frequency_penalty": st.none() | st.floats(-2, 2),
    "presence_penalty": st.none() | st.floats(-2, 2),
    "seed": st.none() | st.integers(0, 2**31 - 1),
    "stop": _STOPS,
    "n": st.sampled_from([1, None]),
    "logit_bias": st.sampled_from([{}, None]),
    "user": st.just("u"),
}
_hints: dict[str, st.SearchStrategy[Any]] = {
    "metadata": st.sampled_from([{}, {"a": "b"}]),
    "store": st.booleans(),
    "service_tier": st.sampled_from(["auto", "default"]),
    "prediction": st.just({"type": "content", "content": "x"}),
    "modalities": st.sampled_from([["text"], None]),
    "safety_identifier": st.just("s"),
    "prompt_cache_key": st.just("k"),
    "parallel_tool_calls": st.just(True),
}
_chat: dict[str, st.SearchStrategy[Any]] = {
    **_shared,
    **_hints,
    "max_tokens": st.none() | _LIMITS,
    "max_completion_tokens": st.none() | _LIMITS,
    "response_format": _formats | st.none(),
    "reasoning_effort": st.sampled_from([None, "none", "minimal", "low", "medium", "high", "xhigh", "max"]),
}
_beyond: dict[str, st.SearchStrategy[Any]] = {
    "verbosity": st.sampled_from(["low", "medium", "high", None]),
    "service_tier": st.sampled_from(["flex", "priority"]),
    "parallel_tool_calls": st.just(False),
    "seed": st.integers(-(2**63), 2**63 - 1),
    "top_k": st.integers(1, 99),
    "min_p": st.floats(0, 1),
    "repetition_penalty": st.floats(0.5, 2),
    "num_ctx": st.integers(4, 9999),
    "keep_alive": st.sampled_from(["5m", 0, 60]),
    "think": st.sampled_from([True, False, "high"]),
    "options": st.sampled_from([{"num_gpu": 1}, {"top_k": 5, "typical_p": 0.5}]),
    "ollama": st.sampled_from([{"truncate": False}, {"options": {"mirostat": 1}, "keep_alive": "1h"}]),
}


def _common(draw: st.DrawFn, fields: Data) -> Data:
    request: Data = {"model": MODEL, "messages": draw(conversations()), **draw(optional(**fields))}
    if draw(st.booleans()):
        request["stream"] = draw(st.sampled_from([True, False, None]))
    if request.get("stream") and draw(st.booleans()):
        request["stream_options"] = {"include_usage": draw(st.booleans())}
    if draw(st.integers(0, 2)) == 0:
        request["tools"] = draw(_tools)
        request |= draw(st.sampled_from([{}, {}, {"tool_choice": "auto"}, {"tool_choice": "none"}]))
    return request | draw(
        st.sampled_from([{}, {}, {"logprobs": False}, {"logprobs": True}, {"logprobs": True, "top_logprobs": 3}])
    )


@st.composite
def common_chats(draw: st.DrawFn) -> Data:
    """Subset C."""
    return _common(draw, _chat)


@st.composite
def chats(draw: st.DrawFn) -> Data:
    """With what is lost or emulated too."""
    request = _common(draw, {**_chat, **_beyond})
    legacy: list[Data] = [
        {"role": "assistant", "content": None, "function_call": {"name": "find", "arguments": "{}"}},
        {"role": "function", "name": "find", "content": "x"},
    ]
    refused: list[Data] = [{"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}]
    endings: list[list[Data]] = [[], [], legacy, refused]
    request["messages"] = [*request["messages"], *draw(st.sampled_from(endings))]
    return request


@st.composite
def completions(draw: st.DrawFn) -> Data:
    """Text completions of one prompt."""
    request: Data = {"model": MODEL, "prompt": draw(values.filled_texts)}
    request |= draw(
        optional(
            **_shared,
            max_tokens=st.none() | st.integers(1, 999),
            suffix=st.sampled_from([None, ""]),
            logprobs=st.none() | st.integers(0, 5),
            echo=st.just(False),
            best_of=st.just(1),
        )
    )
    if draw(st.booleans()):
        request["stream"] = draw(st.booleans())
    return request


embeddings = st.builds(
    lambda given, more: {"model": MODEL, "input": given, **more},
    values.filled_texts | st.lists(values.filled_texts, min_size=1, max_size=4),
    optional(dimensions=st.integers(1, 9), encoding_format=st.sampled_from(["float", "base64"]), user=st.just("u")),
)

_wild_function = optional(name=bent(values.texts), arguments=bent(values.texts | values.arguments.map(values.compact)))
_wild_part = optional(
    type=bent(st.sampled_from(["text", "image_url", "input_audio", "file", "refusal", "x"])),
    text=bent(values.texts),
    image_url=bent(optional(url=bent(st.sampled_from(["data:;base64,AAAA", "http://x/y.png", "data:,%", "é"])))),
    input_audio=bent(optional(data=bent(st.just("AAAA")), format=bent(st.just("wav")))),
    file=bent(optional(file_id=bent(st.just("f")))),
)
_wild_message = optional(
    role=bent(st.sampled_from(["system", "developer", "user", "assistant", "tool", "function", "x"])),
    content=bent(values.texts | st.lists(bent(_wild_part), max_size=3)),
    tool_calls=bent(
        st.lists(
            bent(optional(id=bent(st.just("c1")), type=bent(st.just("function")), function=bent(_wild_function))),
            max_size=2,
        )
    ),
    tool_call_id=bent(st.just("c1")),
    reasoning=bent(values.texts),
    function_call=bent(_wild_function),
    name=bent(values.names),
)


def wild(operation: str) -> st.SearchStrategy[Any]:
    """JSON shaped like a request."""
    fields = {key: bent(right) for key, right in {**_chat, **_beyond}.items()}
    fields |= {
        "stream": bent(st.booleans()),
        "stream_options": bent(st.just({"include_usage": True})),
        "tools": bent(
            st.lists(
                bent(
                    optional(
                        type=bent(st.sampled_from(["function", "custom"])),
                        function=bent(
                            optional(
                                name=bent(values.names), parameters=bent(values.schemas), strict=bent(st.booleans())
                            )
                        ),
                    )
                ),
                max_size=2,
            )
        ),
        "tool_choice": bent(
            st.sampled_from(["auto", "none", "required", {"type": "function", "function": {"name": "f"}}])
        ),
        "functions": bent(st.just([{"name": "f"}])),
        "function_call": bent(st.sampled_from(["auto", "none", {"name": "f"}])),
        "logprobs": bent(st.booleans() | st.integers(-1, 6)),
        "top_logprobs": bent(st.integers(-1, 21)),
        "n": bent(st.integers(0, 3)),
        "audio": bent(st.just({})),
        "web_search_options": bent(st.just({})),
        "encoding_format": bent(st.just("base64")),
        "dimensions": bent(st.integers(-1, 3)),
        "echo": bent(st.booleans()),
        "suffix": bent(values.texts),
    }
    asked: Data = {
        "chat": {"messages": bent(st.lists(bent(_wild_message), min_size=1, max_size=3))},
        "completion": {"prompt": bent(values.texts | st.lists(values.texts, max_size=2) | st.just([1, 2]))},
        "embedding": {"input": bent(values.texts | st.lists(values.texts, max_size=2) | st.just([[1, 2]]))},
    }[operation]
    right = st.builds(
        lambda must, more: must | more,
        st.fixed_dictionaries({"model": st.just(MODEL), **asked}),
        optional(**fields),
    )
    return st.integers(0, 19).flatmap(lambda die: values.anything if die == 0 else right)
