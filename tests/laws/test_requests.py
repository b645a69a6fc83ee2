"""Laws 1-5 and 9-13: requests there and back again (protocol.md 6).

All 50 laws are in this folder but 48, which is about stages that do not exist yet (rate limits).
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Data
from tests.laws.often import often
from tests.laws.translated import KITS, OLLAMA, OPENAI, REASONING, l2o, o2l, written

KIT_O, KIT_L = KITS["openai"], KITS["ollama"]
PROFILES = ["openai", REASONING]


def told_to(profile: str, request: Data, key: str) -> Data:
    """`request` as far as `profile` can be told: OpenAI proper is not told of past reasoning (protocol.md 3.3)."""
    if profile == REASONING:
        return request
    messages = [{k: v for k, v in message.items() if k != key} for message in request["messages"]]
    return {**request, "messages": messages}


@often
@given(request=KIT_O.common_requests())
@pytest.mark.parametrize("profile", PROFILES)
def test_law_1_an_openai_request_comes_back_as_its_normal_form(profile: str, request: Data) -> None:
    back = KIT_O.settled(l2o(o2l(request), profile=profile))
    assert back == told_to(profile, KIT_O.normal(request), "reasoning")


@often
@given(request=KIT_L.common_requests())
@pytest.mark.parametrize("profile", PROFILES)
def test_law_2_an_ollama_request_comes_back_as_its_normal_form(profile: str, request: Data) -> None:
    back = KIT_L.settled(o2l(l2o(request, profile=profile)))
    assert back == told_to(profile, KIT_L.normal(request), "thinking")


@often
@given(request=KIT_O.common_requests())
def test_law_3_the_normal_form_of_openai_is_a_fixed_point(request: Data) -> None:
    assert KIT_O.normal(KIT_O.normal(request)) == KIT_O.normal(request)


@often
@given(request=KIT_L.common_requests())
def test_law_3_the_normal_form_of_ollama_is_a_fixed_point(request: Data) -> None:
    assert KIT_L.normal(KIT_L.normal(request)) == KIT_L.normal(request)


@often
@given(request=KIT_O.common_requests())
def test_law_4_the_normal_form_of_openai_means_the_same(request: Data) -> None:
    assert KIT_L.settled(o2l(KIT_O.normal(request))) == KIT_L.settled(o2l(request))


@often
@given(request=KIT_L.common_requests())
def test_law_4_the_normal_form_of_ollama_means_the_same(request: Data) -> None:
    """Ids that rule T makes are compared by their place: in the normal form they stand written out."""
    plain = l2o(request)
    normal = l2o(KIT_L.normal(request))
    assert by_place(KIT_O.settled(normal)) == by_place(KIT_O.settled(plain))


def by_place(request: Data) -> Data:
    """Every call id by the place of its call."""
    known: Data = {}
    messages = []
    for at, message in enumerate(request["messages"]):
        message = dict(message)
        if message.get("tool_calls"):
            known |= {call["id"]: f"{at}:{i}" for i, call in enumerate(message["tool_calls"])}
            message["tool_calls"] = [{**call, "id": known[call["id"]]} for call in message["tool_calls"]]
        if message["role"] == "tool":
            message["tool_call_id"] = known[message["tool_call_id"]]
        messages.append(message)
    return {**request, "messages": messages}


@often
@given(request=KIT_O.requests("chat"))
def test_law_5_reading_and_writing_for_ollama_are_pure(request: Data) -> None:
    before = copy.deepcopy(request)
    assert written(OPENAI, OLLAMA, request) == written(OPENAI, OLLAMA, copy.deepcopy(request))
    assert request == before


@often
@given(request=KIT_L.requests("chat"), data=st.data())
def test_law_5_rule_t_gives_the_same_ids_whatever_follows(request: Data, data: st.DataObject) -> None:
    """A client repeats its history with every turn, so an id made for it must not change with what is added."""
    assert written(OLLAMA, OPENAI, request) == written(OLLAMA, OPENAI, copy.deepcopy(request))
    longer = {**request, "messages": [*request["messages"], {"role": "user", "content": "and then?"}]}
    said = l2o(longer)["messages"]
    assert said[: len(request["messages"])] == l2o(request)["messages"]


@often
@given(request=KIT_O.common_requests())
def test_law_9_for_ollama_each_message_stays_one_message_with_its_role(request: Data) -> None:
    assert KIT_L.roles(o2l(request)) == KIT_O.roles(request)


@often
@given(request=KIT_L.common_requests())
def test_law_9_for_openai_each_message_stays_one_message_with_its_role(request: Data) -> None:
    assert KIT_O.roles(l2o(request)) == KIT_L.roles(request)


@often
@given(request=KIT_O.common_requests())
def test_law_10_every_picture_reaches_ollama_byte_for_byte(request: Data) -> None:
    assert KIT_L.images(o2l(request)) == KIT_O.images(request)


@often
@given(request=KIT_L.common_requests())
def test_law_10_every_picture_reaches_openai_byte_for_byte(request: Data) -> None:
    assert KIT_O.images(l2o(request)) == KIT_L.images(request)


@often
@given(request=KIT_O.requests("chat"))
def test_law_11_ollama_is_always_told_whether_to_stream(request: Data) -> None:
    assert o2l(request)["stream"] == bool(request.get("stream"))


@often
@given(request=KIT_L.requests("chat"))
def test_law_11_ollama_clients_stream_unless_they_say_no(request: Data) -> None:
    wants = request["stream"] if request.get("stream") is not None else True
    upstream = l2o(request)
    assert upstream["stream"] == wants
    assert upstream.get("stream_options") == ({"include_usage": True} if wants else None)


@often
@given(request=KIT_O.requests("chat").filter(lambda request: request.get("tools")))
def test_law_12_no_tools_are_sent_where_none_may_be_called(request: Data) -> None:
    assert "tools" not in o2l({**request, "tool_choice": "none"})
    assert o2l({**request, "tool_choice": "auto"})["tools"]


@st.composite
def torn(draw: st.DrawFn) -> Data:
    """History that is not well formed: messages of a good one are missing, twice there, or in another place."""
    request: Data = draw(KIT_L.requests("chat"))
    messages = draw(st.lists(st.sampled_from(request["messages"]), min_size=1, max_size=8))
    return {**request, "messages": messages}


@often
@given(request=KIT_L.requests("chat") | torn())
def test_law_13_every_call_is_answered_and_every_answer_has_its_call(request: Data) -> None:
    well_threaded(l2o(request)["messages"])


def well_threaded(messages: list[Any]) -> None:
    """What OpenAI demands of tool calls (protocol.md 2.3); it answers 400 to anything else."""
    open_ids: list[str] = []
    seen: set[str] = set()
    for at, message in enumerate(messages):
        if message["role"] == "tool":
            assert message["tool_call_id"] in open_ids, f"message {at} answers no open call"
            open_ids.remove(message["tool_call_id"])
            continue
        if message["role"] == "system":
            continue  # no turn: 2.3 and rule T speak of user and assistant
        assert not open_ids, f"message {at} comes before {open_ids} are answered"
        open_ids = [call["id"] for call in message.get("tool_calls", ())]
        assert len(set(open_ids)) == len(open_ids)
        assert not seen & set(open_ids), "ids are unique within a request"
        seen |= set(open_ids)
        for call in message.get("tool_calls", ()):
            assert isinstance(json.loads(call["function"]["arguments"]), dict)
    assert not open_ids, f"{open_ids} stay unanswered"
