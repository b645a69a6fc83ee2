"""Pictures, sounds and files in a client's message (protocol.md 3.1)."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from pipeline import Audio, Image, Losses, Part, Text
from tests.stages.dialects.openai.translated import PIXEL, ignoring, read, refused

HERE = "messages[0].content[0]"


def parts(*given: Any, losses: Losses | None = None) -> tuple[Part, ...]:
    return read({"messages": [{"role": "user", "content": list(given)}]}, losses=losses).messages[0].parts


def picture(url: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def file(**fields: Any) -> dict[str, Any]:
    return {"type": "file", "file": fields}


def refusal(part: Any) -> tuple[str | None, str | None]:
    return refused({"messages": [{"role": "user", "content": [part]}]})


@pytest.mark.parametrize(
    ("url", "media_type", "data"),
    [
        (f"data:image/png;base64,{PIXEL}", "image/png", PIXEL),
        (f"data:IMAGE/Tiff;charset=x;BASE64,{PIXEL}", "image/tiff", PIXEL),
        (f"data:;base64,{PIXEL}", None, PIXEL),
        ("data:image/png;base64,-_-_", "image/png", "+/+/"),
        ("data:image/png;base64,QQ", "image/png", "QQ=="),
        ("data:image/png;base64,Q Q=\n=", "image/png", "QQ=="),
    ],
)
def test_data_urls_in_any_spelling(url: str, media_type: str | None, data: str) -> None:
    expected = (Image(data, media_type, f"{HERE}.image_url"),)
    assert parts(picture(url)) == expected
    assert parts({"type": "image_url", "image_url": url}) == expected


@pytest.mark.parametrize(
    "url", ["https://example.org/a.png", "http://a", "file:///etc/passwd", "data:image/png,x", PIXEL]
)
def test_nothing_is_fetched(url: str) -> None:
    assert refusal(picture(url)) == (f"{HERE}.image_url", "invalid_image_url")


@pytest.mark.parametrize("data", ["", "===", "A", "QQQQA", "Ä", "Q!Q="])
def test_what_is_not_base64(data: str) -> None:
    assert refusal(picture(f"data:image/png;base64,{data}")) == (f"{HERE}.image_url", "invalid_base64_image")


def test_the_order_of_texts_and_pictures_is_kept() -> None:
    url = f"data:image/png;base64,{PIXEL}"
    found = parts(
        picture(url), {"type": "text", "text": "a"}, {**picture(url), "image_url": {"url": url, "detail": "low"}}
    )
    assert [type(part) for part in found] == [Image, Text, Image]


def test_sounds() -> None:
    audio = {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}
    assert parts(audio) == (Audio("UklG", "wav", f"{HERE}.input_audio"),)
    assert refusal({"type": "input_audio", "input_audio": {"data": "!"}}) == (
        f"{HERE}.input_audio.data",
        "invalid_value",
    )


def test_files_are_put_into_the_message_if_they_are_pictures_or_text() -> None:
    text = b64encode("Grüße".encode()).decode()
    assert parts(file(file_data=f"data:text/markdown;base64,{text}", filename="a.md")) == (
        Text("Grüße", f"{HERE}.file"),
    )
    assert parts(file(file_data=f"data:image/png;base64,{PIXEL}")) == (Image(PIXEL, "image/png", f"{HERE}.file"),)


@pytest.mark.parametrize(
    "part",
    [
        file(file_id="file-1"),
        file(file_data="data:application/pdf;base64,QQ=="),
        file(file_data="data:text/plain;base64,/w=="),
        file(file_data="QQ=="),
        file(),
    ],
)
def test_other_files_are_refused_or_lost(part: dict[str, Any]) -> None:
    assert refusal(part) == (f"{HERE}.file", "unsupported_parameter")
    assert parts(part, {"type": "text", "text": "a"}, losses=ignoring()) == (Text("a", "messages[0].content[1].text"),)


@pytest.mark.parametrize(
    ("part", "param", "code"),
    [
        ("x", HERE, "invalid_type"),
        (None, HERE, "invalid_type"),
        ({}, HERE, "missing_required_parameter"),
        ({"type": "video_url", "video_url": {}}, HERE, "unsupported_parameter"),
        ({"type": "text"}, HERE, "missing_required_parameter"),
        ({"type": "text", "text": 5}, f"{HERE}.text", "invalid_type"),
        ({"type": "image_url"}, HERE, "missing_required_parameter"),
        ({"type": "image_url", "image_url": {}}, f"{HERE}.image_url", "missing_required_parameter"),
        ({"type": "image_url", "image_url": 5}, f"{HERE}.image_url", "invalid_type"),
        ({"type": "image_url", "image_url": {"url": 5}}, f"{HERE}.image_url.url", "invalid_type"),
        ({"type": "file", "file": {"file_data": 5}}, f"{HERE}.file.file_data", "invalid_type"),
    ],
)
def test_what_no_part_is(part: Any, param: str, code: str) -> None:
    assert refusal(part) == (param, code)


def test_unknown_fields_of_a_part_are_reported_and_hints_are_not() -> None:
    losses = Losses()
    parts({"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}, "mood": 1}, losses=losses)
    assert losses.dropped == [f"{HERE}.mood"]
