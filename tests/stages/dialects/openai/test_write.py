"""Neutral requests as a model server of this protocol is asked (protocol.md 3.3, 3.5, 3.6)."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from pipeline import (
    AnswerFormat,
    Audio,
    Image,
    InvalidRequest,
    Losses,
    Message,
    NeutralRequest,
    Part,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    TranslationRules,
)
from tests.stages.dialects.openai.translated import PIXEL, write

HI = Message("user", (Text("Hi"),), path="messages[0]")
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
HINTS = Losses(TranslationRules(emulate=frozenset({"json_hint"})))


def chat(*messages: Message, **fields: Any) -> NeutralRequest:
    return NeutralRequest("chat", messages=messages or (HI,), **fields)


def content(*parts: Part) -> Any:
    return write(chat(Message("user", parts)))["messages"][0]["content"]


def test_the_least_request_says_nothing_that_nobody_said() -> None:
    assert write(chat()) == {"messages": [{"role": "user", "content": "Hi"}], "stream": False}


def test_law_11_a_stream_is_asked_for_with_its_counts() -> None:
    assert write(chat(stream=True))["stream"] is True
    assert write(chat(stream=True))["stream_options"] == {"include_usage": True}


def test_texts_become_one() -> None:
    assert content(Text("a"), Text(""), Text("b")) == "a\n\nb"
    assert content() == ""


def raw(head: bytes) -> str:
    return b64encode(head + bytes(9)).decode()


@pytest.mark.parametrize(
    ("image", "media_type"),
    [
        (Image(PIXEL), "image/png"),
        (Image(PIXEL, "image/tiff"), "image/tiff"),
        (Image(raw(b"\xff\xd8\xff\xe0")), "image/jpeg"),
        (Image(raw(b"GIF89a")), "image/gif"),
        (Image(raw(b"RIFF\0\0\0\0WEBP")), "image/webp"),
        (Image(raw(b"BM")), "image/bmp"),
        (Image(raw(b"????")), "image/jpeg"),
        (Image("QQ=="), "image/jpeg"),
    ],
)
def test_pictures_are_data_urls_of_what_they_are(image: Image, media_type: str) -> None:
    url = f"data:{media_type};base64,{image.data}"
    assert content(Text("a"), image, Text("")) == [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    assert content(Text(""), image) == [{"type": "image_url", "image_url": {"url": url}}]


@pytest.mark.parametrize(
    ("part", "format"),
    [
        (Audio("QQ==", "flac"), "flac"),
        (Audio(raw(b"ID3\4")), "mp3"),
        (Audio("QQ=="), "wav"),
        (Image(raw(b"RIFF\0\0\0\0WAVE")), "wav"),
        (Image(raw(b"\xff\xfb\x90")), "mp3"),
    ],
)
def test_sounds_are_told_from_pictures(part: Part, format: str) -> None:
    data = part.data if not isinstance(part, Text) else ""
    assert content(part) == [{"type": "input_audio", "input_audio": {"data": data, "format": format}}]


def test_calls_and_answers() -> None:
    call = ToolCall("f", {"b": 1, "a": "é"}, "x")
    thread = (
        Message("assistant", calls=(call,)),
        Message("tool", (Text("12"),), call_id="x"),
        Message("assistant", (Text("a"),), calls=(ToolCall("f", {}, "y"),)),
        Message("tool", call_id="y"),
        Message("assistant"),
    )
    function = {"name": "f", "arguments": '{"b":1,"a":"é"}'}
    assert write(chat(*thread))["messages"] == [
        {"role": "assistant", "content": None, "tool_calls": [{"id": "x", "type": "function", "function": function}]},
        {"role": "tool", "content": "12", "tool_call_id": "x"},
        {
            "role": "assistant",
            "content": "a",
            "tool_calls": [{"id": "y", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "content": "", "tool_call_id": "y"},
        {"role": "assistant", "content": ""},
    ]


@pytest.mark.parametrize(
    ("profile", "field"),
    [("openai", None), ("vllm", "reasoning"), ("openrouter", "reasoning"), ("llama.cpp", "reasoning_content")],
)
def test_past_reasoning_goes_to_those_who_take_it(profile: str, field: str | None) -> None:
    losses = Losses()
    where = "messages[0].thinking"
    turn = Message("assistant", (Text("a"),), reasoning="hm", path="messages[0]", reasoning_path=where)
    [written] = write(chat(turn), losses, profile)["messages"]
    assert written == {"role": "assistant", "content": "a", **({field: "hm"} if field else {})}
    assert losses.dropped == ([] if field else [where])


def test_tools() -> None:
    tools = (Tool("f", "d", SCHEMA), Tool("g"), Tool("h", parameters={}))
    payload = write(chat(tools=tools))
    assert payload["tools"] == [
        {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}},
        *(
            {"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
            for name in "gh"
        ),
    ]
    assert "tool_choice" not in payload


F, G = ({"type": "function", "function": {"name": name}} for name in "fg")


@pytest.mark.parametrize(
    ("choice", "written"),
    [
        (ToolChoice("none"), "none"),
        (ToolChoice("auto"), "auto"),
        (ToolChoice("required"), "required"),
        (ToolChoice("required", ("f",)), F),
        (ToolChoice("auto", ("f",)), {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [F]}}),
        (
            ToolChoice("required", ("f", "g")),
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [F, G]}},
        ),
    ],
)
def test_the_choice_of_tools(choice: ToolChoice, written: Any) -> None:
    assert write(chat(tools=(Tool("f"), Tool("g")), tool_choice=choice))["tool_choice"] == written
    assert "tool_choice" not in write(chat(tool_choice=choice))


def test_a_schema_is_asked_for_leniently() -> None:
    expected = {"name": "response", "schema": SCHEMA, "strict": False}
    asked = chat(format=AnswerFormat(SCHEMA))
    assert write(asked, HINTS)["response_format"] == {"type": "json_schema", "json_schema": expected}
    assert len(write(asked, HINTS)["messages"]) == 1
    named = write(chat(format=AnswerFormat(SCHEMA, "mine")))["response_format"]
    assert named["json_schema"]["name"] == "mine"


@pytest.mark.parametrize(
    ("messages", "roles", "first"),
    [
        ((HI,), ["system", "user"], "Respond in JSON."),
        ((Message("system", (Text("Be kind."),)), HI), ["system", "user"], "Be kind.\n\nRespond in JSON."),
        ((Message("system"), HI), ["system", "user"], "Respond in JSON."),
        ((Message("user", (Text("As Json!"),)),), ["user"], "As Json!"),
    ],
)
def test_json_is_asked_for_in_words_where_nobody_did(messages: Any, roles: list[str], first: str) -> None:
    asked = chat(*messages, format=AnswerFormat())
    written = write(asked, HINTS)
    assert written["response_format"] == {"type": "json_object"}
    assert [message["role"] for message in written["messages"]] == roles
    assert written["messages"][0]["content"] == first
    assert len(write(asked, Losses())["messages"]) == len(messages)


def test_prompts_are_one_call() -> None:
    asked = NeutralRequest("completion", prompts=(Text("a"), Text("b")), stream=True)
    expected = {"prompt": ["a", "b"], "stream": True, "stream_options": {"include_usage": True}}
    assert write(asked) == expected
    assert write(NeutralRequest("completion", prompts=(Text("a"),))) == {"prompt": "a", "stream": False}


def test_raw_text_has_no_form() -> None:
    with pytest.raises(InvalidRequest) as caught:
        write(NeutralRequest("completion", prompts=(Text("a"),), format=AnswerFormat(path="format")))
    assert caught.value.param == "format"


def test_inputs() -> None:
    asked = NeutralRequest("embedding", inputs=(Text("a"), Text("b")))
    assert write(asked) == {"input": ["a", "b"], "encoding_format": "float"}
    assert write(NeutralRequest("embedding", inputs=(Text("a"),)))["input"] == "a"
