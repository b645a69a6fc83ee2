"""`${env:NAME}`, `${file:PATH}` and, in bundles, `${with:NAME}` inside text values. `$${` is a literal `${`.

One pass and no second look: what a variable or a file holds is never scanned for references again, so a value with a
`${` in it can neither break a config nor read another file. Keys of mappings are left alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from pipeline.config.place import Place
from pipeline.config.problems import nearest
from pipeline.config.tree import Node, SecretText, Unresolved

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<body>[^{}]*)\}|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_LAST_NEWLINE = re.compile(r"\r?\n\Z")
_MAX_FILE_BYTES = 1 << 20

Scheme = Callable[[str, Place], Node]


class References:
    """Replaces the references in a tree by what they stand for, with everything about one kind of file decided once.

    A relative path counts from the file the reference is written in. Variables and files that are unset, empty or
    unreadable are problems, never an empty value: an empty key is how a gateway ends up open.
    """

    def __init__(self, environ: Mapping[str, str], parameter: Scheme | None = None) -> None:
        self._environ = environ
        self._schemes: dict[str, Scheme] = {"env": self._env, "file": self._file}
        if parameter is not None:
            self._schemes["with"] = parameter

    def expand(self, place: Place) -> Node:
        """The place's tree with every reference resolved; what could not be is `Unresolved`, its reason reported."""
        match place.node.value:
            case dict():
                entries = {key: self.expand(child) for key, child in (place.entries() or {}).items()}
                return Node(entries, place.node.mark, place.node.keys)
            case list():
                return Node([self.expand(item) for item in place.items() or ()], place.node.mark)
            case str() as text if "${" in text:
                return self._expand_text(text, place)
            case _:
                return place.node

    def _expand_text(self, text: str, place: Place) -> Node:
        whole = _REFERENCE.fullmatch(text)
        if whole and whole["body"] is not None:
            return self._resolve(whole["body"], place)
        pieces: list[str] = []
        end = 0
        for match in _REFERENCE.finditer(text):
            pieces += text[end : match.start()], self._piece(match, place)
            end = match.end()
        pieces.append(text[end:])
        if any(isinstance(piece, Unresolved) for piece in pieces):
            return place.lost()
        secret = any(isinstance(piece, SecretText) for piece in pieces)
        return Node((SecretText if secret else str)("".join(pieces)), place.node.mark)

    def _piece(self, match: re.Match[str], place: Place) -> str:
        if match[0] == "$${":
            return "${"
        if match["body"] is None:
            place.report("reference-syntax", "'${' without its '}' (write '$${' for a literal '${')")
            return Unresolved()
        value = self._resolve(match["body"], place).value
        if isinstance(value, str):
            return value
        if isinstance(value, bool | int | float):
            return json.dumps(value)
        place.report("not-interpolable", f"'${{{match['body']}}}' inside text must be text, a number or a boolean")
        return Unresolved()

    def _resolve(self, body: str, place: Place) -> Node:
        scheme, colon, argument = body.partition(":")
        if not colon or not argument:
            hint = f"${{env:{body}}}" if _NAME.fullmatch(body) else None
            place.report("reference-syntax", f"'${{{body}}}' is not of the form '${{scheme:name}}'", hint=hint)
        elif scheme in self._schemes:
            return self._schemes[scheme](argument, place)
        elif scheme == "with":
            place.report("unknown-scheme", "'${with:...}' has a meaning only in a bundle")
        else:
            place.report("unknown-scheme", f"unknown scheme {scheme!r}", hint=nearest(scheme, self._schemes))
        return place.lost()

    def _env(self, name: str, place: Place) -> Node:
        if not _NAME.fullmatch(name):
            place.report("reference-syntax", f"{name!r} cannot be the name of an environment variable")
            return place.lost()
        value = self._environ.get(name)
        if value:
            return Node(SecretText(value), place.node.mark)
        if value is None:
            place.report("unset-variable", f"environment variable {name!r} is not set")
        else:
            place.report("empty-variable", f"environment variable {name!r} is empty")
        return place.lost()

    def _file(self, name: str, place: Place) -> Node:
        try:
            with (Path(place.node.mark.file).parent / name).open("rb") as source:
                data = source.read(_MAX_FILE_BYTES + 1)
            text = _LAST_NEWLINE.sub("", data.decode())
        except UnicodeDecodeError:
            place.report("unreadable-file", f"file {name!r} is not UTF-8 text")
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            reason = getattr(error, "strerror", None) or "not a usable path"
            place.report("unreadable-file", f"file {name!r} cannot be read: {reason}")
        else:
            if text and len(data) <= _MAX_FILE_BYTES:
                return Node(SecretText(text), place.node.mark)
            if text:
                place.report("unreadable-file", f"file {name!r} is larger than {_MAX_FILE_BYTES} bytes")
            else:
                place.report("empty-file", f"file {name!r} is empty")
        return place.lost()
