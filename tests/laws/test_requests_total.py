"""Laws 6-8 and 14: any request is translated or refused in words, and nothing is invented or lost in silence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Data, Dialect, IfLost, InvalidRequest
from tests.laws.often import often
from tests.laws.paths import could_exist, exists, general, leaves, without
from tests.laws.translated import KITS, OLLAMA, OPENAI, Written, o2l, written

WAYS = [(OPENAI, OLLAMA), (OLLAMA, OPENAI)]
way = pytest.mark.parametrize(("client", "upstream"), WAYS, ids=["o2l", "l2o"])
GENERATING = ["chat", "completion", "embedding"]


@way
@pytest.mark.parametrize("operation", GENERATING)
@often
@given(data=st.data())
def test_law_6_any_json_is_a_request_or_a_refusal_that_names_its_place(
    client: Dialect, upstream: Dialect, operation: str, data: st.DataObject
) -> None:
    body = data.draw(KITS[client.name].wild_requests(operation))
    profile = data.draw(st.sampled_from(upstream.profiles))
    emulate = data.draw(st.sampled_from([frozenset[str](), frozenset({"n", "tool_choice", "json_hint"})]))
    error = refusal(client, upstream, body, operation, profile, emulate)
    if error is None:
        return
    assert 400 <= error.status < 500
    assert error.message
    if isinstance(body, dict):
        assert error.param, f"a param: {error.message}"
        assert exists(error.param, body) or could_exist(error.param, body), f"{error.param} is no place in {body}"


def refusal(
    client: Dialect, upstream: Dialect, body: Any, operation: str, profile: str, emulate: frozenset[str]
) -> InvalidRequest | None:
    try:
        written(client, upstream, body, operation, profile=profile, emulate=emulate)
    except InvalidRequest as error:
        return error
    return None


@way
@pytest.mark.parametrize("operation", GENERATING)
@pytest.mark.parametrize("body", [None, True, 5, "x", [], [{}]])
def test_law_6_what_is_no_object_is_refused(client: Dialect, upstream: Dialect, operation: str, body: Any) -> None:
    """There is no place in it to name."""
    with pytest.raises(InvalidRequest):
        written(client, upstream, body, operation)


SOURCES = {
    "temperature": ("temperature",),
    "top_p": ("top_p",),
    "frequency_penalty": ("frequency_penalty",),
    "presence_penalty": ("presence_penalty",),
    "seed": ("seed",),
    "stop": ("stop",),
    "num_predict": ("max_completion_tokens", "max_tokens"),
    "top_k": ("top_k",),
    "min_p": ("min_p",),
    "repeat_penalty": ("repetition_penalty",),
    "num_ctx": ("num_ctx",),
}
"""The fields of an OpenAI request that an option may come from (protocol.md 3.1); each may stand in `options` too."""


@often
@given(request=KITS["openai"].requests("chat"))
def test_law_7_no_option_is_invented(request: Data) -> None:
    extensions = {**request.get("options", {}), **request.get("ollama", {}).get("options", {})}
    for name in o2l(request).get("options", {}):
        sources = SOURCES.get(name, ())
        assert name in extensions or any(request.get(source) is not None for source in sources), name


@often
@given(request=KITS["openai"].requests("chat"))
def test_law_7_without_sampling_fields_there_are_no_options(request: Data) -> None:
    named = {source for sources in SOURCES.values() for source in sources} | {"options", "ollama"}
    bare = {key: value for key, value in request.items() if key not in named}
    assert not o2l(bare).get("options")


@often
@given(request=KITS["openai"].requests("completion"))
def test_law_7_no_option_of_a_completion_is_invented(request: Data) -> None:
    sent = written(OPENAI, OLLAMA, request, "completion").body
    for name in sent.get("options", {}):
        assert any(request.get(source) is not None for source in SOURCES[name]), name


# The kind of a part, of a tool or of a call says what its other fields mean: it is not itself told.
STRUCTURE = ("type",)


@way
@pytest.mark.parametrize("operation", GENERATING)
@often
@given(data=st.data())
def test_law_8_what_is_not_passed_on_is_reported_or_harmless(
    client: Dialect, upstream: Dialect, operation: str, data: st.DataObject
) -> None:
    kit = KITS[client.name]
    request = data.draw(kit.requests(operation))
    full = written(client, upstream, request, operation)
    reported = [*full.dropped, *full.changed]
    assert [name for name in reported if not exists(name, request)] == [], "reports name what the caller wrote"
    for path, value in leaves(request):
        if path.endswith(STRUCTURE) or value in (None, "", [], {}):
            continue
        if any(covers(name, path) for name in reported):
            continue
        if kit.is_harmless(operation, general(path), value) or says_nothing(path, request):
            continue
        assert matters(client, upstream, operation, without(path, request), full), f"{path} is lost in silence"


def covers(name: str, path: str) -> bool:
    """Whether a report of `name` tells of the field at `path`. One of a whole message tells of nothing in it."""
    return path == name or (path.startswith((f"{name}.", f"{name}[")) and not name.endswith("]"))


def says_nothing(path: str, request: Data) -> bool:
    """Of two names for one thing the first counts (protocol.md 3.1); what is said of what is not there is nothing."""
    if path == "max_tokens":
        return request.get("max_completion_tokens") is not None
    if path == "max_completion_tokens":
        return bool(request[path] == request.get("max_tokens"))
    if path == "top_logprobs":
        return not request.get("logprobs")
    if path in ("parallel_tool_calls", "tool_choice") or path.startswith("tools["):
        return not request.get("tools") or request.get("tool_choice") == "none"
    # Equal texts under both names collapse into one.
    return path.endswith(("reasoning", "reasoning_content")) and exists(other_name(path), request)


def other_name(path: str) -> str:
    return path.removesuffix("_content") if path.endswith("_content") else f"{path}_content"


def matters(client: Dialect, upstream: Dialect, operation: str, less: Any, full: Written) -> bool:
    """Whether a request that lacks one field is another one for the upstream."""
    try:
        return written(client, upstream, less, operation).calls != full.calls
    except InvalidRequest:
        return True


@way
@pytest.mark.parametrize("operation", GENERATING)
@often
@given(data=st.data())
def test_law_14_an_unknown_key_changes_the_report_alone(
    client: Dialect, upstream: Dialect, operation: str, data: st.DataObject
) -> None:
    request = data.draw(KITS[client.name].requests(operation))
    value = data.draw(st.none() | st.booleans() | st.just({"a": [1]}))
    plain = written(client, upstream, request, operation)
    more = written(client, upstream, {"x_unknown": 1, **request, "y_unknown": value}, operation)
    assert more.calls == plain.calls
    assert more.changed == plain.changed
    assert [path for path in more.dropped if path not in ("x_unknown", "y_unknown")] == plain.dropped
    # Ollama's server ignores such a key in silence (3.3); an OpenAI client is told (3.1), unless it says nothing.
    told = {"x_unknown", *(["y_unknown"] if value is not None else [])} if client is OPENAI else set()
    assert told == {path for path in more.dropped if path in ("x_unknown", "y_unknown")}


@way
@often
@given(data=st.data())
def test_law_8_a_rule_for_a_field_decides_whether_its_loss_is_refused(
    client: Dialect, upstream: Dialect, data: st.DataObject
) -> None:
    """What is reported by default is refused where a config says so, and the refusal names it."""
    request = data.draw(KITS[client.name].requests("chat"))
    reported = written(client, upstream, request).dropped
    for path in reported:
        with pytest.raises(InvalidRequest) as refused:
            written(client, upstream, request, fields={general(path): IfLost.REJECT})
        assert general(refused.value.param or "") == general(path)
