"""Strategies for requests as Ollama clients write them (protocol.md 1.3-1.6)."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pipeline import Data
from stages.dialects import conformance_values as values
from stages.dialects.conformance_values import MODEL, bent, optional

_options: dict[str, st.SearchStrategy[Any]] = {
    "temperature": st.none() | st.floats(0, 2),
    "top_p": st.floats(0, 1),
    "seed": st.integers(-1, 2**31 - 1),
    "stop": st.lists(values.texts, max_size=4) | values.filled_texts,
    "frequency_penalty": st.floats(-2, 2),
    "presence_penalty": st.floats(-2, 2),
    "num_predict": st.integers(-2, 9999),
    "num_ctx": st.integers(4, 9999),
    "num_gpu": st.integers(-1, 3),
    "num_thread": st.just(2),
    "use_mmap": st.booleans(),
    "num_keep": st.just(4),
    "mirostat": st.just(1),
    "unheard_of": st.just("x"),
}
_samplers: dict[str, st.SearchStrategy[Any]] = {
    "top_k": st.integers(0, 99),
    "min_p": st.floats(0, 1),
    "typical_p": st.floats(0, 1),
    "repeat_penalty": st.floats(0.5, 2),
    "repeat_last_n": st.integers(-1, 64),
}
_functions = st.builds(
    lambda name, parameters, more: {"name": name, "parameters": parameters, **more},
    values.names,
    values.schemas,
    optional(description=values.filled_texts),
)
_tools = st.lists(_functions.map(lambda function: {"type": "function", "function": function}), min_size=1, max_size=2)
_formats = st.sampled_from([None, "", "json"]) | values.schemas
_thinks = st.sampled_from([True, False, "low", "medium", "high", "max", None])


@st.composite
def spoken(draw: st.DrawFn) -> list[Data]:
    """One turn that is no tool call."""
    role = draw(st.sampled_from(["system", "user", "User", "USER", "assistant"]))
    message: Data = {"role": role, "content": draw(values.texts)}
    if role.lower() == "user" and draw(st.booleans()):
        message["images"] = [values.standard(picture) for picture in draw(st.lists(values.pictures, max_size=3))]
    if role == "assistant" and draw(st.booleans()):
        message["thinking"] = draw(values.texts)
    if draw(st.integers(0, 5)) == 0 and not message["content"]:
        del message["content"]
    return [message]


@st.composite
def thread(draw: st.DrawFn, start: int = 0) -> list[Data]:
    """Calls and the answers to all of them. Clients drop ids and names, so some answers tell neither."""
    called = draw(st.lists(st.tuples(values.names, values.arguments), min_size=1, max_size=3))
    identified = draw(st.booleans())
    order = draw(st.sampled_from(["none", "zero", "own", "shuffled"]))
    numbers = list(range(len(called)))
    if order == "shuffled":
        numbers = draw(st.permutations(numbers))
    calls: list[Data] = []
    for at, (name, given) in enumerate(called):
        function: Data = {"name": name, "arguments": given}
        if order != "none":
            function["index"] = 0 if order == "zero" else numbers[at]
        calls.append({**({"id": f"call_{start + at}"} if identified else {}), "function": function})
    thinking: Data = draw(st.sampled_from([{}, {"thinking": "hm"}]))
    first = {"role": "assistant", "content": draw(st.sampled_from(["", "let me see"])), **thinking, "tool_calls": calls}
    # Which answer is whose must be clear: by id, by name, or by the order of the calls as their indices give it.
    ordered = [calls[number] for number in _places(numbers)] if order == "shuffled" else calls
    told = draw(st.sampled_from(["id", "id and name", "name", "nothing"] if identified else ["name", "nothing"]))
    answered = draw(st.permutations(ordered)) if told != "nothing" else ordered
    answers = []
    for call in answered:
        answer: Data = {"role": "tool", "content": draw(values.texts)}
        if "id" in told:
            answer["tool_call_id"] = call["id"]
        if "name" in told:
            answer["tool_name"] = call["function"]["name"]
        answers.append(answer)
    return [first, *answers]


def _places(numbers: list[int]) -> list[int]:
    """Where each number stands."""
    return [numbers.index(number) for number in range(len(numbers))]


@st.composite
def conversations(draw: st.DrawFn) -> list[Data]:
    """One to four turns or threads of well-formed history."""
    out: list[Data] = []
    for at in range(draw(st.integers(1, 4))):
        out += draw(spoken()) if draw(st.integers(0, 2)) else draw(thread(start=10 * at))
    return out


def _chat(draw: st.DrawFn, options: dict[str, st.SearchStrategy[Any]]) -> Data:
    request: Data = {"model": MODEL, "messages": draw(conversations())}
    request |= draw(
        optional(
            format=_formats,
            think=_thinks,
            tools=_tools,
            stream=st.booleans() | st.none(),
            options=optional(**options),
            keep_alive=st.sampled_from(["5m", "1h30m", 0, -1, 60.5]),
            truncate=st.just(False),
            shift=st.booleans(),
        )
    )
    return request | draw(
        st.sampled_from([{}, {}, {"logprobs": False}, {"logprobs": True}, {"logprobs": True, "top_logprobs": 3}])
    )


@st.composite
def common_chats(draw: st.DrawFn) -> Data:
    """Subset C."""
    return _chat(draw, _options)


@st.composite
def chats(draw: st.DrawFn) -> Data:
    """With what is lost too."""
    request = _chat(draw, {**_options, **_samplers, "temperature": st.floats(0, 9)})
    return request | draw(st.sampled_from([{}, {"truncate": True}, {"top_logprobs": 2}]))


@st.composite
def completions(draw: st.DrawFn) -> Data:
    """`/api/generate` with a prompt."""
    request: Data = {"model": MODEL, "prompt": draw(values.filled_texts)}
    picture = values.pictures.map(lambda picture: [values.standard(picture)])
    request |= draw(
        st.just({"raw": True})
        | optional(
            system=values.filled_texts,
            images=picture,
            format=_formats,
            think=_thinks,
            context=st.just([1, 2]),
            raw=st.just(False),
        )
    )
    return request | draw(
        optional(
            stream=st.booleans(),
            options=optional(**_options, **_samplers),
            keep_alive=st.sampled_from(["5m", -1]),
            logprobs=st.booleans(),
        )
    )


embeddings = st.builds(
    lambda given, more: {"model": MODEL, "input": given, **more},
    values.filled_texts | st.lists(values.filled_texts, min_size=1, max_size=4),
    optional(
        dimensions=st.integers(1, 9), truncate=st.booleans(), keep_alive=st.just("5m"), options=optional(**_options)
    ),
)

_wild_call = optional(
    id=bent(st.just("c1")),
    function=bent(optional(name=bent(values.names), index=bent(st.integers(-1, 2)), arguments=bent(values.arguments))),
)
_wild_message = optional(
    role=bent(st.sampled_from(["system", "user", "assistant", "tool", "Tool", "x"])),
    content=bent(values.texts),
    thinking=bent(values.texts),
    images=bent(st.lists(bent(st.sampled_from(["AAAA", "iVBORw0KGgo=", "data:;base64,AAAA", "é", "AAA"])), max_size=2)),
    tool_calls=bent(st.lists(bent(_wild_call), max_size=2)),
    tool_name=bent(values.names),
    tool_call_id=bent(st.just("c1")),
)


def wild(operation: str) -> st.SearchStrategy[Any]:
    """JSON shaped like a request."""
    options = {key: bent(right) for key, right in {**_options, **_samplers}.items()}
    function = optional(name=bent(values.names), parameters=bent(values.schemas))
    shared: dict[str, st.SearchStrategy[Any]] = {
        "stream": bent(st.booleans()),
        "options": bent(optional(**options)),
        "keep_alive": bent(st.sampled_from(["5m", "x", "10", -1])),
        "truncate": bent(st.booleans()),
        "shift": bent(st.booleans()),
        "format": bent(_formats),
        "think": bent(_thinks),
        "logprobs": bent(st.booleans()),
        "top_logprobs": bent(st.integers(-1, 21)),
        "tools": bent(st.lists(bent(optional(type=bent(st.just("function")), function=bent(function))), max_size=2)),
        "_debug_render_only": bent(st.booleans()),
        "suffix": bent(values.texts),
        "raw": bent(st.booleans()),
        "system": bent(values.texts),
        "template": bent(values.texts),
        "context": bent(st.just([1])),
        "images": bent(st.just(["AAAA"])),
        "dimensions": bent(st.integers(-1, 3)),
        "Model": bent(st.just(MODEL)),
    }
    asked = {
        "chat": {"messages": bent(st.lists(bent(_wild_message), max_size=3))},
        "completion": {"prompt": bent(values.texts)},
        "embedding": {"input": bent(values.texts | st.lists(bent(values.texts), max_size=2))},
        "embedding.single": {"prompt": bent(values.texts)},
    }[operation]
    right = st.builds(
        lambda must, more: must | more,
        st.fixed_dictionaries({"model": st.just(MODEL), **asked}),
        optional(**shared),
    )
    return st.integers(0, 19).flatmap(lambda die: values.anything if die == 0 else right)
