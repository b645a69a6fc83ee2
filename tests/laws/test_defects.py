"""What Ollama's own OpenAI layer loses or gets wrong (protocol.md section 4), and this gateway does not.

Each test is named by the number of its row. An OpenAI client asks; behind the gateway stands an Ollama server, spoken
to through its native API. Rows about `/v1/responses` (5, 40-46) concern a face that is not served, and rows 50 and 51
what no gateway can put right. Routing (28, 30, 31) is tested on the bundle that is shipped.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from pipeline import (
    Data,
    Event,
    Headers,
    InvalidRequest,
    Losses,
    ModelCard,
    NeutralRequest,
    Request,
    Target,
    UpstreamGarbage,
)
from stages.dialects.ollama import write
from tests.laws.answered import O_FROM_L, Pair, ends_once, serve, streamed, whole
from tests.laws.translated import OLLAMA, OPENAI, asked, o2l, written
from tests.stages.dialects.openai.schema import check_chat_completion, check_error

SAID: Data = {"model": "q", "created_at": "2026-01-02T03:04:05.9Z", "done": False}
DONE: Data = {**SAID, "done": True, "done_reason": "stop", "prompt_eval_count": 7, "eval_count": 9}
HI: Data = {"role": "assistant", "content": "Hi"}
EMPTY: Data = {"role": "assistant", "content": ""}
TOOL: Data = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
TEXT = Pair(OPENAI, OLLAMA, "completion", "completion", {"model": "asked", "prompt": "Hi", "logprobs": 0})
VECTORS = Pair(OPENAI, OLLAMA, "embedding", "embedding", {"model": "asked", "input": ["a", "b"]})


def chat(**fields: Any) -> Data:
    return {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **fields}


def texts(**fields: Any) -> Data:
    return {"model": "m", "prompt": "Hi", **fields}


def said(message: Data, **fields: Any) -> Data:
    return {**SAID, "message": message, **fields}


def done(message: Data = EMPTY, **fields: Any) -> Data:
    return {**DONE, "message": message, **fields}


def refused(body: Data, operation: str = "chat") -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        written(OPENAI, OLLAMA, body, operation)
    return caught.value


def for_card(body: Data, card: ModelCard) -> tuple[Data, Losses]:
    """What is sent for a model of which that is known, and what was lost."""
    losses = Losses()
    read = OPENAI.read(asked(OPENAI, "chat" if "messages" in body else "completion", body), losses)
    assert isinstance(read, NeutralRequest)
    (call,) = write.write(read, Target("up", "m", card), losses, profile="ollama")
    return dict(call.payload), losses


def history(*messages: Data) -> list[Data]:
    sent: list[Data] = o2l(chat(messages=list(messages)))["messages"]
    return sent


def test_row_1_the_limit_of_tokens_counts() -> None:
    assert o2l(chat(max_completion_tokens=5))["options"] == {"num_predict": 5}


def test_row_2_a_choice_of_tools_is_kept_or_refused() -> None:
    assert "tools" not in o2l(chat(tools=[TOOL], tool_choice="none"))
    assert refused(chat(tools=[TOOL], tool_choice="required")).param == "tool_choice"


@pytest.mark.parametrize(
    ("field", "value"),
    [("n", 2), ("logit_bias", {"1": 1}), ("modalities", ["text", "audio"]), ("web_search_options", {})],
)
def test_row_3_what_changes_the_answer_is_refused_by_name(field: str, value: Any) -> None:
    assert refused(chat(**{field: value})).param == field


@pytest.mark.parametrize(("field", "value"), [("verbosity", "low"), ("parallel_tool_calls", False), ("nonsense", 1)])
def test_row_3_what_is_left_out_is_told(field: str, value: Any) -> None:
    assert written(OPENAI, OLLAMA, chat(tools=[TOOL], **{field: value})).dropped == [field]


def test_row_4_an_error_in_the_middle_is_an_error() -> None:
    body = json.dumps(said(HI)).encode() + b'\n{"error":"boom"}\n'
    served = serve(O_FROM_L, [body], stream=True)
    assert not ends_once(O_FROM_L, served)
    error = json.loads(served.body.split(b"\n\n")[-2].removeprefix(b"data: "))
    assert error == {"error": {"message": "boom", "type": "api_error", "param": None, "code": "upstream_error"}}
    assert b"[DONE]" not in served.body


def test_row_6_an_end_without_done_is_an_error() -> None:
    served = serve(O_FROM_L, [json.dumps(said(HI)).encode() + b"\n"], stream=True)
    assert not ends_once(O_FROM_L, served)
    assert b'"upstream_incomplete"' in served.body


@pytest.mark.parametrize("operation", ["chat", "completion"], ids=["row_7", "row_8"])
def test_rows_7_and_8_nothing_is_invented(operation: str) -> None:
    (call,) = written(OPENAI, OLLAMA, chat() if operation == "chat" else texts(), operation).calls
    assert not call[1].get("options")


def test_row_8_a_zero_is_not_an_absence() -> None:
    (call,) = written(OPENAI, OLLAMA, texts(top_p=0), "completion").calls
    assert call[1]["options"] == {"top_p": 0}


def test_row_9_parts_are_one_message() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert history({"role": "user", "content": parts}) == [{"role": "user", "content": "a\nb"}]


def test_row_10_an_answer_in_parts_keeps_whose_it_is() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    *_, result = history(
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "text", "text": "sunny"}]},
    )
    assert result == {"role": "tool", "content": "sunny", "tool_call_id": "c1", "tool_name": "f"}
    parts = [{"type": "text", "text": "a"}]
    (thought,) = history({"role": "assistant", "content": parts, "reasoning": "hm"})
    assert (thought["content"], thought["thinking"]) == ("a", "hm")


def test_row_11_an_assistant_may_have_said_nothing() -> None:
    assert history({"role": "assistant", "content": None}) == [{"role": "assistant", "content": ""}]


@pytest.mark.parametrize("mime", ["image/gif", "image/bmp", "image/svg+xml", ""])
def test_row_12_any_picture_in_the_request_is_taken(mime: str) -> None:
    data = base64.b64encode(b"GIF89a").decode()
    part = {"type": "image_url", "image_url": {"url": f"data:{mime};base64,{data}"}}
    (message,) = history({"role": "user", "content": [part]})
    assert message["images"] == [data]


def test_row_12_a_picture_elsewhere_is_refused_by_name() -> None:
    part = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    error = refused(chat(messages=[{"role": "user", "content": [part]}]))
    assert (error.param, error.code) == ("messages[0].content[0].image_url", "invalid_image_url")


def test_row_13_refusals_are_text_and_files_are_refused_by_name() -> None:
    (message,) = history({"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]})
    assert message["content"] == "no"
    part = {"type": "file", "file": {"file_id": "f"}}
    error = refused(chat(messages=[{"role": "user", "content": [part]}]))
    assert (error.param or "").startswith("messages[0].content[0]")


def test_row_14_developers_are_heard() -> None:
    assert history({"role": "developer", "content": "x"}) == [{"role": "system", "content": "x"}]


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_row_15_past_reasoning_is_read_under_both_names(name: str) -> None:
    (message,) = history({"role": "assistant", "content": "a", name: "hm"})
    assert message["thinking"] == "hm"


def test_row_16_effort_is_no_error_where_there_is_no_thinking() -> None:
    sent, losses = for_card(chat(reasoning_effort="high"), ModelCard("m", capabilities=("completion",)))
    assert "think" not in sent
    assert losses.dropped == ["reasoning_effort"]


def test_row_17_usage_is_null_until_it_is_told() -> None:
    items = streamed(O_FROM_L, [said(HI), done()]).items
    assert [item["usage"] for item in items[:-1]] == [None] * (len(items) - 1)
    assert items[-1]["usage"] == {"prompt_tokens": 7, "completion_tokens": 9, "total_tokens": 16}
    (*others, last) = streamed(TEXT, [{**SAID, "response": "Hi"}, {**DONE, "response": ""}]).items
    assert {item["usage"] for item in others} == {None}
    assert last["choices"] == []


def test_row_18_a_text_is_continued_and_not_answered() -> None:
    (call,) = written(OPENAI, OLLAMA, texts(), "completion").calls
    assert (call[0], call[1]["raw"]) == ("completion", True)


def test_row_19_a_thinking_model_does_not_think_unheard() -> None:
    sent, _ = for_card(texts(), ModelCard("m", capabilities=("completion", "thinking")))
    assert sent["think"] is False


def test_row_20_log_probabilities_of_texts_are_told() -> None:
    (call,) = written(OPENAI, OLLAMA, texts(logprobs=0), "completion").calls
    assert call[1]["logprobs"] is True
    token = {"token": "Hi", "logprob": -0.5}
    answer = whole(TEXT, {**DONE, "response": "Hi", "logprobs": [token]})
    logprobs = answer["choices"][0]["logprobs"]
    assert (logprobs["tokens"], logprobs["token_logprobs"], logprobs["text_offset"]) == (["Hi"], [-0.5], [0])


def test_row_21_several_prompts_are_several_calls() -> None:
    calls = written(OPENAI, OLLAMA, texts(prompt=["a", "b"]), "completion").calls
    assert [body["prompt"] for _, body in calls] == ["a", "b"]


def test_row_22_one_time_for_all_chunks_and_no_empty_prompt() -> None:
    later = {**SAID, "created_at": "2026-01-02T03:05:00Z"}
    items = streamed(TEXT, [{**SAID, "response": "a"}, {**later, "response": "b"}, {**DONE, "response": ""}]).items
    assert len({item["created"] for item in items}) == 1
    (call,) = written(OPENAI, OLLAMA, texts(prompt=""), "completion").calls
    assert call[1]["prompt"] == " ", "an empty one would only load the model"


@pytest.mark.parametrize("word", ["vanished", "", None])
def test_row_23_no_reason_is_passed_on_that_clients_do_not_know(word: Any) -> None:
    assert whole(O_FROM_L, done(HI, done_reason=word))["choices"][0]["finish_reason"] == "stop"


def test_row_24_ids_do_not_collide() -> None:
    ids = set()
    for number in range(2000):
        request = Request("chat", model="m", payload=chat(), dialect="openai", id=f"req-{number}")
        complete = OPENAI.completer(request, model="m", id=request.id, clock=_Still())
        events = complete(_neutral())
        ids.add(events[0].data["id"])
    assert len(ids) == 2000
    assert min(map(len, ids)) >= len("chatcmpl-") + 24


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, '{"error":"model is required"}', (400, "missing_required_parameter", "model")),
        (404, '{"error":"model \'x\' not found"}', (404, "model_not_found", "model")),
        (400, '{"error":"x does not support tools"}', (400, "unsupported_parameter", "tools")),
        (500, '{"error":"boom"}', (502, "upstream_error", None)),
        (503, '{"error":"server busy, please try again."}', (503, "server_overloaded", None)),
    ],
    ids=["400", "404", "tools", "500", "503"],
)
def test_row_25_errors_have_their_types(status: int, body: str, expected: tuple[int, str, str | None]) -> None:
    error = OLLAMA.decode_error(status, Headers(), body.encode())
    assert (error.status, error.code, error.param) == expected
    check_error(json.loads(OPENAI.error_reply(error).body))


def test_row_26_where_to_sign_in_is_told_to_who_can() -> None:
    body = b'{"error":"unauthorized","signin_url":"https://ollama.com/connect?x=1"}'
    error = OLLAMA.decode_error(401, Headers(), body)
    assert error.status == 502, "the caller's key is fine"
    assert "https://ollama.com/connect?x=1" in (error.detail or "")
    assert "ollama.com" not in error.message, "it names the machine"


@pytest.mark.parametrize("status", [403, 500, 502])
def test_row_27_an_error_is_of_one_shape_whoever_makes_it(status: int) -> None:
    for body in (b"", b"<html>", b'{"error":"ollama cloud is disabled: x"}', b'{"error":{"message":"m"}}'):
        check_error(json.loads(OPENAI.error_reply(OLLAMA.decode_error(status, Headers(), body)).body))


def test_row_32_there_is_a_way_in_for_the_servers_own_options() -> None:
    sent = o2l(chat(num_ctx=512, top_k=3, min_p=0.1, repetition_penalty=1.2, keep_alive="5m"))
    assert sent["options"] == {"num_ctx": 512, "top_k": 3, "min_p": 0.1, "repeat_penalty": 1.2}
    assert sent["keep_alive"] == "5m"


def test_rows_33_and_34_answers_are_of_the_full_shape() -> None:
    call = {"function": {"index": 0, "name": "f", "arguments": {"a": 1}}}
    message = {**EMPTY, "tool_calls": [call]}
    answer = whole(O_FROM_L, done(message, logprobs=[{"token": "x", "logprob": -1}]))
    check_chat_completion(answer)
    (choice,) = answer["choices"]
    assert choice["message"]["content"] is None
    assert choice["message"]["refusal"] is None
    assert set(choice["message"]["tool_calls"][0]) == {"id", "type", "function"}
    (token,) = choice["logprobs"]["content"]
    assert (token["bytes"], token["top_logprobs"]) == ([120], [])
    assert whole(O_FROM_L, done(HI))["choices"][0]["logprobs"] is None


def test_row_35_counts_that_nobody_knows_are_left_out() -> None:
    assert set(whole(O_FROM_L, done(HI))["usage"]) == {"prompt_tokens", "completion_tokens", "total_tokens"}


@pytest.mark.parametrize("format", [{"type": "json_schema"}, {"type": "json_schema", "json_schema": {"name": "x"}}])
def test_row_36_a_schema_must_be_there(format: Data) -> None:
    assert (refused(chat(response_format=format)).param or "").startswith("response_format")


def test_row_37_a_stop_word_is_text() -> None:
    assert (refused(chat(stop=["a", 5])).param or "").startswith("stop")


def test_row_38_embeddings_of_what_is_no_text_are_refused() -> None:
    for given in ([1, 2], "", ["a", ""]):
        error = refused({"model": "m", "input": given}, "embedding")
        assert (error.param or "").startswith("input")


def test_row_38_a_vector_is_not_shorter_than_was_asked() -> None:
    asks = {**VECTORS.request, "dimensions": 3}
    answer = json.dumps({"model": "q", "embeddings": [[1.0, 0.0], [0.0, 1.0]]}).encode()
    served = serve(Pair(OPENAI, OLLAMA, "embedding", "embedding", asks), [answer], stream=False)
    assert isinstance(served.raised, InvalidRequest)
    assert served.raised.param == "dimensions"


def test_row_39_an_answer_without_vectors_is_none() -> None:
    served = serve(VECTORS, [b'{"model":"q","embeddings":[]}'], stream=False)
    assert isinstance(served.raised, UpstreamGarbage)


def test_row_47_an_integer_may_be_written_with_a_point() -> None:
    assert o2l(chat(max_tokens=100.0, seed=3.0))["options"] == {"num_predict": 100, "seed": 3}


def test_row_48_a_body_is_json_and_nothing_else() -> None:
    assert "application/json" in (OPENAI.content_types or ())
    assert "multipart/form-data" not in (OPENAI.content_types or ())
    with pytest.raises(InvalidRequest) as caught:
        OPENAI.decode_request("chat", json.dumps(chat()).encode() + b" junk", "")
    assert caught.value.code == "invalid_json"


def test_row_49_what_a_schema_loses_is_told_to_the_model() -> None:
    property = {"type": "string", "pattern": "^x+$", "description": "A name."}
    schema = {"type": "object", "properties": {"p": property}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    (sent,) = o2l(chat(tools=[tool]))["tools"]
    described = sent["function"]["parameters"]["properties"]["p"]["description"]
    assert described.startswith("A name.")
    assert "^x+$" in described


class _Still:
    """Time does not pass."""

    def monotonic(self) -> float:
        return 1.0

    def time(self) -> float:
        return 1.0


def _neutral() -> Event:
    return Event({"choices": [{"index": 0, "delta": {"content": "x"}, "finish_reason": None}]})
