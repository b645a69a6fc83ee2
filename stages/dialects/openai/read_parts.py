"""The content of a client's message as neutral parts (protocol.md 2.3, 3.1)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from typing import Any

from pipeline import Audio, Data, Image, InvalidRequest, Losses, Part, Text
from stages.dialects.openai import expect
from stages.dialects.openai.base64_text import data_url, standard
from stages.dialects.openai.lost import lose, lose_others

_READABLE = ("text/", "application/json", "application/xml")


def read_content(content: Any, path: str, losses: Losses) -> tuple[Part, ...]:
    """Text, or an array of parts. Null and "" are no parts."""
    if isinstance(content, str):
        return (Text(content, path),) if content else ()
    if content is not None and not isinstance(content, list):
        raise expect.wrong(path, "a string or an array of parts")
    return tuple(part for at, given in enumerate(content or ()) for part in _part(given, f"{path}[{at}]", losses))


def _part(given: Any, path: str, losses: Losses) -> tuple[Part, ...]:
    part = expect.thing(given, path)
    if part is None:
        raise expect.wrong(path, "an object")
    kind = expect.required_text(part, "type", path)
    read = _READ.get(kind)
    if read is None:
        lose(losses, path, f"Content parts of type `{kind}` are not supported here.")
        return ()
    lose_others(losses, part, path, ("type", kind))
    return read(part, path, losses)


def _text(part: Data, path: str, losses: Losses) -> tuple[Part, ...]:
    return (Text(_words(part, "text", path), f"{path}.text"),)


def _refusal(part: Data, path: str, losses: Losses) -> tuple[Part, ...]:
    return (Text(_words(part, "refusal", path), f"{path}.refusal"),)


def _words(part: Data, key: str, path: str) -> str:
    """A text that must be there but may be empty."""
    words = expect.text(part.get(key), f"{path}.{key}")
    if words is None:
        raise InvalidRequest(f"`{path}` has no `{key}`.", param=path, code="missing_required_parameter")
    return words


def _image(part: Data, path: str, losses: Losses) -> tuple[Part, ...]:
    """A data URL of any media type. Nothing is fetched: a gateway that loads URLs can be sent anywhere."""
    where = f"{path}.image_url"
    given = part.get("image_url")
    if isinstance(given, str):
        url = given
    else:
        image = expect.required_thing(part, "image_url", path)
        url = expect.required_text(image, "url", where)
        lose_others(losses, image, where, ("url",))
    found = data_url(url)
    if found is None:
        message = "Images are only accepted as data URLs in base64: this gateway fetches nothing."
        raise InvalidRequest(message, param=where, code="invalid_image_url")
    media_type, encoded = found
    data = standard(encoded)
    if data is None:
        raise InvalidRequest("The image is not base64.", param=where, code="invalid_base64_image")
    return (Image(data, media_type or None, where),)


def _audio(part: Data, path: str, losses: Losses) -> tuple[Part, ...]:
    where = f"{path}.input_audio"
    audio = expect.required_thing(part, "input_audio", path)
    lose_others(losses, audio, where, ("data", "format"))
    encoded = expect.required_text(audio, "data", where)
    found = data_url(encoded)
    data = standard(found[1] if found is not None else encoded)
    if data is None:
        raise expect.invalid(f"{where}.data", f"`{where}.data` is not base64.")
    return (Audio(data, expect.text(audio.get("format"), f"{where}.format"), where),)


def _file(part: Data, path: str, losses: Losses) -> tuple[Part, ...]:
    """An image or a text is as good in the message itself; of all else a model server can make nothing."""
    where = f"{path}.file"
    file = expect.required_thing(part, "file", path)
    expect.text(file.get("file_id"), f"{where}.file_id")
    given = expect.text(file.get("file_data"), f"{where}.file_data")
    media_type, encoded = data_url(given or "") or ("", "")
    data = standard(encoded)
    inlined = data is not None and _inlined(media_type, data, where)
    if not inlined:
        lose(losses, where, "Only files whose `file_data` is a data URL of an image or a text are supported here.")
        return ()
    lose_others(losses, file, where, ("file_data",))
    return (inlined,)


def _inlined(media_type: str, data: str, path: str) -> Part | None:
    if media_type.startswith("image/"):
        return Image(data, media_type, path)
    if not media_type.startswith(_READABLE):
        return None
    try:
        return Text(b64decode(data).decode(), path)
    except UnicodeDecodeError:
        return None


_READ: dict[str, Callable[[Data, str, Losses], tuple[Part, ...]]] = {
    "text": _text,
    "refusal": _refusal,
    "image_url": _image,
    "input_audio": _audio,
    "file": _file,
}
