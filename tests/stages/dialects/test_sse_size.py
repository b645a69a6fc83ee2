"""Long events cost what their bytes cost: no piece makes the framer look again at what it has looked at."""

from __future__ import annotations

import pytest

import stages.dialects.sse as sse
from stages.dialects.sse import SseFramer, data_of

KB = 1024


class CountingPattern:
    """Stands in for the compiled pattern: adds up how many bytes each search had before it."""

    def __init__(self, pattern: object) -> None:
        self._pattern = pattern
        self.looked_at = 0

    def search(self, buffer: bytearray, position: int) -> object:
        self.looked_at += len(buffer) - position
        return self._pattern.search(buffer, position)  # type: ignore[attr-defined]  # a re.Pattern, which is final


def feed(line: int, piece: int) -> list[bytes]:
    stream = b"data: " + b"x" * line + b"\n\n"
    framer = SseFramer()
    return [frame for at in range(0, len(stream), piece) for frame in framer.feed(stream[at : at + piece])]


@pytest.mark.parametrize(("line", "piece"), [(8_000_000, 64 * KB), (200_000, 1)])
def test_law_38_each_byte_is_searched_a_bounded_number_of_times(
    line: int, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    patterns = [CountingPattern(sse._BLANK_LINE), CountingPattern(sse._BLANK_LINE_WITHOUT_CR)]
    monkeypatch.setattr(sse, "_BLANK_LINE", patterns[0])
    monkeypatch.setattr(sse, "_BLANK_LINE_WITHOUT_CR", patterns[1])
    frames = feed(line, piece)
    assert [len(data_of(frame) or b"") for frame in frames] == [line]
    # A search looks at its piece and at most three bytes before it.
    assert line <= sum(pattern.looked_at for pattern in patterns) <= (line + 8) * (1 + 3 / piece) + 2 * piece + 3
