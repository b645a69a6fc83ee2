"""What `images` holds and where it stands (protocol.md 1.2, 1.4, 3.3)."""

from __future__ import annotations

from base64 import b64encode

import pytest

from pipeline import Audio, Image, Part, Text
from tests.stages.dialects.ollama.asking import JPEG, PNG, WAV, neutral, refused


def parts(content: str, *images: str) -> tuple[Part, ...]:
    (message,) = neutral("chat", {"messages": [{"role": "user", "content": content, "images": list(images)}]}).messages
    return message.parts


def shown(content: str, count: int) -> str:
    """The parts as text, images as their numbers in angle brackets."""
    images = [b64encode(f"image {at}".encode()).decode() for at in range(count)]
    names = {data: f"<{at}>" for at, data in enumerate(images)}
    return "|".join(part.text if isinstance(part, Text) else names[part.data] for part in parts(content, *images))


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF87a", "image/gif"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\n\0\0\0WEBPVP8 ", "image/webp"),
        (b"BM6", "image/bmp"),
        (b"unknown", "image/jpeg"),
        (b"RIFF1234AVI ", "image/jpeg"),
        (b" \x89PNG\r\n\x1a\n", "image/jpeg"),
        (b"", "image/jpeg"),
    ],
)
def test_an_image_is_what_it_begins_with(start: bytes, kind: str) -> None:
    for data in (start, start + b"\0" * 100):
        text = b64encode(data).decode()
        assert parts("", text) == (Image(text, kind if start else "image/jpeg", "messages[0].images[0]"),)


@pytest.mark.parametrize(
    ("start", "kind"),
    [(b"RIFF\n\0\0\0WAVEfmt ", "wav"), (b"ID3\x04", "mp3"), (b"\xff\xfb\x90", "mp3"), (b"\xff\xf3\x90", "mp3")],
)
def test_sound_travels_as_an_image(start: bytes, kind: str) -> None:
    text = b64encode(start).decode()
    assert parts("", text) == (Audio(text, kind, "messages[0].images[0]"),)


def test_lines_in_base64_are_read_as_the_server_does() -> None:
    assert parts("", PNG[:8] + "\r\n" + PNG[8:] + "\n") == (Image(PNG, "image/png", "messages[0].images[0]"),)


@pytest.mark.parametrize(
    ("data", "at"),
    [
        ("data:image/png;base64," + PNG, 4),
        ("https://example.com/a.png", 5),
        ("aGk", 3),
        ("aGk=aGk=", 3),
        ("a===", 1),
        ("aG-_", 2),
        ("é", 0),
        ("aGk=\nx", 3),
    ],
)
def test_what_is_no_base64_is_refused_in_the_servers_words(data: str, at: int) -> None:
    error = refused("chat", {"messages": [{"role": "user", "images": [PNG, data]}]})
    assert (error.status, error.param) == (400, "messages[0].images[1]")
    assert error.message == f"illegal base64 data at input byte {at}"


@pytest.mark.parametrize(
    ("content", "count", "expected"),
    [
        ("see", 0, "see"),
        ("", 1, "<0>"),
        ("see", 2, "see|<0>|<1>"),
        ("a [img] b", 1, "a |<0>| b"),
        ("[img]", 1, "<0>"),
        ("[img] a [img]", 2, "<0>| a |<1>"),
        ("[img] a", 2, "<0>| a|<1>"),
        ("[img] a [img]", 1, "<0>| a [img]"),
        ("[img-1] a [img-0]", 2, "<1>| a |<0>"),
        ("[img-1] a [img]", 2, "<1>| a |<0>"),
        ("[img] a [img-0]", 2, "<1>| a |<0>"),
        ("a [img-7] b", 1, "a [img-7] b|<0>"),
        ("[img-0] a [img-0]", 1, "<0>| a [img-0]"),
        ("a [img] b", 0, "a [img] b"),
        ("[IMG] [img-] [img-x]", 1, "[IMG] [img-] [img-x]|<0>"),
    ],
)
def test_markers_place_images(content: str, count: int, expected: str) -> None:
    assert shown(content, count) == expected


def test_a_prompt_has_images_too() -> None:
    (message,) = neutral("completion", {"prompt": "a [img] b", "images": [PNG, JPEG, WAV]}).messages
    assert message.parts == (
        Text("a ", "prompt"),
        Image(PNG, "image/png", "images[0]"),
        Text(" b", "prompt"),
        Image(JPEG, "image/jpeg", "images[1]"),
        Audio(WAV, "wav", "images[2]"),
    )
    assert refused("completion", {"images": ["%"]}).param == "images[0]"
