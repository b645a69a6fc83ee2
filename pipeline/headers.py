"""HTTP header fields as a small read-only multi-map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

Pair = tuple[str, str]
RawPair = tuple[bytes, bytes]


class Headers:
    """Header fields in their original order; names are compared without case (RFC 9110 5.1).

    `get` returns the first value. Values never appear in `repr`: one of them is usually a key.
    """

    __slots__ = ("_pairs", "_raw")

    def __init__(self, pairs: Iterable[Pair] | Mapping[str, str] = ()) -> None:
        items = pairs.items() if isinstance(pairs, Mapping) else pairs
        self._pairs: tuple[Pair, ...] | None = tuple((name.lower(), value) for name, value in items)
        self._raw: Sequence[RawPair] = ()

    @classmethod
    def from_raw(cls, raw: Sequence[RawPair]) -> Headers:
        """From the byte pairs of an ASGI scope or a transport, whose names are in lower case.

        They are decoded when someone looks, which is rarely at more than one or two. Latin-1 never fails and loses
        nothing (RFC 9110 5.5).
        """
        headers = cls.__new__(cls)
        headers._pairs = None
        headers._raw = raw
        return headers

    def get(self, name: str, default: str | None = None) -> str | None:
        if self._pairs is None:
            wanted = _raw_name(name)
            for raw_name, raw_value in self._raw:
                if raw_name == wanted:
                    return raw_value.decode("latin-1")
            return default
        name = name.lower()
        for key, value in self._pairs:
            if key == name:
                return value
        return default

    def all(self, name: str) -> list[str]:
        """Every value of `name`, in order."""
        name = name.lower()
        return [value for key, value in self if key == name]

    def with_(self, name: str, value: str) -> Headers:
        """These fields and one more, after them."""
        headers = Headers.__new__(Headers)
        headers._pairs = (*self, (name.lower(), value))
        headers._raw = ()
        return headers

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __iter__(self) -> Iterator[Pair]:
        if self._pairs is None:
            self._pairs = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in self._raw)
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._raw if self._pairs is None else self._pairs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Headers({', '.join(name for name, _ in self)})"


@lru_cache(maxsize=256)  # who looks for a field knows its name
def _raw_name(name: str) -> bytes:
    return name.lower().encode("latin-1")
