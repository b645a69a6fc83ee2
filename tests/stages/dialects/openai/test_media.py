"""What a picture or a sound is by its first bytes, of which there may be too few."""

from __future__ import annotations

from base64 import b64encode

import pytest

from stages.dialects.openai.media import audio_format, image_type


def encoded(data: bytes) -> str:
    return b64encode(data).decode()


@pytest.mark.parametrize(
    ("mark", "image", "audio"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png", None),
        (b"\xff\xd8\xff", "image/jpeg", None),
        (b"GIF8", "image/gif", None),
        (b"BM", "image/bmp", None),
        (b"RIFF1234WEBP", "image/webp", None),
        (b"RIFF1234WAVE", None, "wav"),
        (b"ID3", None, "mp3"),
        (b"\xff\xfb", None, "mp3"),
        (b"RIFF1234AVI ", None, None),
        (b"LIST1234WEBP", None, None),
        (b"LIST1234WAVE", None, None),
    ],
)
def test_a_mark_counts_whole_and_whatever_follows(mark: bytes, image: str | None, audio: str | None) -> None:
    for data in (mark, mark + b"\0", mark + bytes(range(256))):
        assert (image_type(encoded(data)), audio_format(encoded(data))) == (image or "image/jpeg", audio)
    for length in range(len(mark)):
        assert (image_type(encoded(mark[:length])), audio_format(encoded(mark[:length]))) == ("image/jpeg", None)


def test_a_frame_of_mpeg_audio_is_eleven_set_bits_and_layer_three() -> None:
    for second in range(256):
        is_frame = second >> 5 == 0b111 and second >> 1 & 0b11 == 0b01
        assert audio_format(encoded(bytes([0xFF, second]))) == ("mp3" if is_frame else None)
        assert audio_format(encoded(bytes([0xFE, second]))) is None


@pytest.mark.parametrize("data", ["", "*", "QQ", "é"])
def test_what_is_no_base64_is_nothing_known(data: str) -> None:
    assert (image_type(data), audio_format(data)) == ("image/jpeg", None)
