"""Laws 15-21: whole answers (protocol.md 6)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import Data, Heard, HeardCall
from tests.laws.answered import CHATS, CROSSED, L_FROM_O, MODEL, O_FROM_L, STRAIGHT, Pair, ends_once, serve, whole
from tests.laws.often import among, often
from tests.laws.translated import KITS, OPENAI
from tests.stages.dialects.openai.schema import check_chat_completion, check_text_completion

crossed = pytest.mark.parametrize("pair", CROSSED, ids=str)
every = pytest.mark.parametrize("pair", [*CROSSED, *STRAIGHT], ids=str)


def understood(pair: Pair, given: Heard, got: Heard) -> tuple[Heard, Heard]:
    """Both, less what this way cannot carry.

    Ids of calls that the upstream does not number are made; text completions have no reasoning and no calls (3.5); a
    reason that Ollama has no word for stays OpenAI's.
    """
    if any(not call.id for call in given.calls):
        given, got = (replace(h, calls=tuple(replace(call, id="") for call in h.calls)) for h in (given, got))
    if pair.operation == "completion" and pair.client is OPENAI:
        given = replace(given, reasoning="", calls=())
    return given, got


def exact(calls: tuple[HeardCall, ...]) -> str:
    """Their arguments with the order of the keys, which `==` does not see."""
    return json.dumps([call.arguments for call in calls])


@often
@given(answer=KITS["ollama"].answers("chat").filter(lambda answer: answer.get("done_reason") in ("stop", "length")))
def test_law_15_an_ollama_answer_comes_back(answer: Data) -> None:
    there = whole(O_FROM_L, answer)
    back = whole(L_FROM_O, there)
    heard_back, heard = (KITS["ollama"].heard("chat", each) for each in (back, answer))
    heard, heard_back = understood(L_FROM_O, heard, heard_back)
    assert heard_back == heard
    assert exact(heard_back.calls) == exact(heard.calls)
    assert back["done_reason"] == answer["done_reason"]
    assert [complete(token) for token in back.get("logprobs", [])] == list(map(complete, answer.get("logprobs", [])))


def complete(token: Data) -> Data:
    """A token with the bytes and alternatives that servers may leave out."""
    tops = [{"bytes": list(top["token"].encode()), **top} for top in token.get("top_logprobs", [])]
    return {"bytes": list(token["token"].encode()), **token, "top_logprobs": tops}


@crossed
@among(5)
@given(data=st.data())
def test_laws_15_to_19_a_whole_answer_says_the_same_on_the_other_side(pair: Pair, data: st.DataObject) -> None:
    answer = data.draw(KITS[pair.upstream.name].answers(pair.there))
    got = whole(pair, answer)
    heard, meant = understood(
        pair,
        KITS[pair.upstream.name].heard(pair.there, answer),
        KITS[pair.client.name].heard(pair.operation, got),
    )
    assert meant == heard
    assert exact(meant.calls) == exact(heard.calls), "law 19"


@often
@given(answer=KITS["ollama"].answers("chat"))
def test_law_16_the_finish_reason_is_one_that_there_is_and_length_wins(answer: Data) -> None:
    finish = whole(O_FROM_L, answer)["choices"][0]["finish_reason"]
    assert finish in ("stop", "length", "tool_calls", "content_filter", "function_call")
    assert (finish == "length") == (answer.get("done_reason") == "length")


@often
@given(answer=KITS["ollama"].answers("chat"))
def test_law_17_it_is_tool_calls_if_there_are_some(answer: Data) -> None:
    choice = whole(O_FROM_L, answer)["choices"][0]
    called = bool(answer["message"].get("tool_calls"))
    assert (choice["finish_reason"] == "tool_calls") == (called and answer.get("done_reason") != "length")
    assert bool(choice["message"].get("tool_calls")) == called


@pytest.mark.parametrize("pair", [pair for pair in CROSSED if pair.client is OPENAI], ids=str)
@often
@given(data=st.data())
def test_law_18_the_total_is_the_sum(pair: Pair, data: st.DataObject) -> None:
    answer = data.draw(KITS["ollama"].answers(pair.there))
    usage = whole(pair, answer)["usage"]
    counts = (answer.get("prompt_eval_count", 0), answer.get("eval_count", 0))
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == counts
    assert usage["total_tokens"] == sum(counts)
    assert all(type(usage[key]) is int for key in ("prompt_tokens", "completion_tokens", "total_tokens"))


@often
@given(answer=KITS["openai"].answers("chat"))
def test_law_18_counts_that_are_not_told_are_not_made_up(answer: Data) -> None:
    got = whole(L_FROM_O, answer)
    usage = answer.get("usage", {})
    for ours, theirs in (("prompt_eval_count", "prompt_tokens"), ("eval_count", "completion_tokens")):
        assert got.get(ours, 0) == usage.get(theirs, 0)
        assert usage or ours not in got


@pytest.mark.parametrize("pair", CHATS, ids=str)
@often
@given(data=st.data())
def test_law_19_arguments_are_the_upstreams_object(pair: Pair, data: st.DataObject) -> None:
    kit, there = KITS[pair.client.name], KITS[pair.upstream.name]
    answer = data.draw(there.answers("chat"))
    got = kit.heard("chat", whole(pair, answer)).calls
    assert exact(got) == exact(there.heard("chat", answer).calls)


@every
@among(9)
@given(data=st.data())
def test_laws_20_and_21_a_whole_answer_is_what_clients_require(pair: Pair, data: st.DataObject) -> None:
    got = whole(pair, data.draw(KITS[pair.upstream.name].answers(pair.there)))
    KITS[pair.client.name].check(pair.operation, got, model=MODEL)
    if pair.client is OPENAI:
        (check_text_completion if pair.operation == "completion" else check_chat_completion)(got)


@pytest.mark.parametrize("pair", CHATS, ids=str)
@often
@given(data=st.data())
def test_law_21_the_model_is_the_one_asked_for_in_a_stream_too(pair: Pair, data: st.DataObject) -> None:
    there = KITS[pair.upstream.name]
    served = serve(pair, [there.encode(data.draw(there.streams("chat")))], stream=True)
    assert ends_once(pair, served)
    items = KITS[pair.client.name].parse(served.body).items
    assert {item["model"] for item in items} == {MODEL}
