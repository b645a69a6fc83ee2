"""Every example of the README and of docs/ is executed; one that is not says why, and few may.

The conventions are the table at the top of `tests/docs/blocks.py`. Blocks of a page run in its order, because a reader
follows it in that order and later examples use what earlier ones made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.config import ConfigError
from tests.docs.blocks import PAGES, PICTURES, ROOT, Block, blocks_of, parse, stray_fences
from tests.docs.echo_server import Server
from tests.docs.page_session import PageSession, matches

MOST_SKIPPED = 3
BLOCKS = [block for page in PAGES for block in blocks_of(page) if block.language not in PICTURES]
EXECUTED = [block for block in BLOCKS if block.reason is None]


class Reader:
    """Follows the pages; remembers what it has done, so that a test run alone has what stands above it."""

    def __init__(self, session: Callable[[Path], PageSession]) -> None:
        self._session = session
        self._sessions: dict[Path, PageSession] = {}
        self._ended: dict[str, BaseException | None] = {}

    def read(self, wanted: Block) -> None:
        """Execute the page down to `wanted`; raise only what `wanted` raises: each block has its own test."""
        if wanted.page not in self._sessions:
            self._sessions[wanted.page] = self._session(wanted.page)
        for block in EXECUTED:
            if block.page == wanted.page and block.line <= wanted.line and block.where not in self._ended:
                try:
                    self._sessions[wanted.page].execute(block)
                except Exception as error:
                    self._ended[block.where] = error
                else:
                    self._ended[block.where] = None
        ended = self._ended[wanted.where]
        if ended is not None:
            raise ended

    def close(self) -> None:
        for session in self._sessions.values():
            session.close()


@pytest.fixture(scope="module")
def echo_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Server]]:
    """`gatewright serve configs/echo.yaml`, started when a block first needs it."""
    servers: list[Server] = []

    def running() -> Server:
        if not servers:
            servers.append(Server("gatewright serve configs/echo.yaml", tmp_path_factory.mktemp("echo"), {}))
        return servers[0]

    yield running
    for server in servers:
        server.stop()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, echo_server: Callable[[], Server]) -> Iterator[Reader]:
    reader = Reader(lambda page: PageSession(tmp_path_factory.mktemp(page.stem), echo_server))
    yield reader
    reader.close()


@pytest.mark.wire
@pytest.mark.parametrize("block", EXECUTED, ids=lambda block: block.where)
def test_example_works(block: Block, reader: Reader) -> None:
    reader.read(block)


def test_every_block_says_what_is_to_be_done_with_it(tmp_path: Path, echo_server: Callable[[], Server]) -> None:
    session = PageSession(tmp_path, echo_server)
    assert [f"{block.where} {block.language} {block.action}" for block in EXECUTED if not session.knows(block)] == []


def test_few_blocks_are_not_executed_and_each_says_why() -> None:
    skipped = {block.where: block.reason for block in BLOCKS if block.reason is not None}
    assert len(skipped) <= MOST_SKIPPED, skipped
    assert all(reason and len(reason.split()) >= 4 for reason in skipped.values()), skipped


def test_every_saved_block_is_used_by_a_later_one() -> None:
    saved = [block for block in EXECUTED if block.action in ("save", "file")]
    later = {
        block.where: [
            other.code + other.options.get("config", "")
            for other in EXECUTED
            if other.page == block.page and other.line > block.line
        ]
        for block in saved
    }
    assert [b.where for b in saved if not any(Path(b.options["file"]).stem in code for code in later[b.where])] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_example_hides_in_a_fence_that_is_not_read(page: Path) -> None:
    assert stray_fences(page.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("```python run\n1\n```\n", []),
        ("    ```python run\n    1\n    ```\n", [1, 3]),
        ("```python run\n1\n", [1]),
        ("~~~python\n1\n~~~\n", [1, 3]),
        ("````text\n```python\n```\n````\n", []),
    ],
)
def test_stray_fences_are_found(text: str, lines: list[int]) -> None:
    assert stray_fences(text) == lines


def test_an_info_string_is_read() -> None:
    text = "a\n```yaml check file=x.yaml\nb: 1\n```\n\n```console skip: it would run the tests\n$ make test\n```\n"
    check, skip = parse(Path("page.md"), text)
    assert (check.language, check.action, check.options, check.line) == ("yaml", "check", {"file": "x.yaml"}, 3)
    assert (skip.action, skip.reason) == ("skip", "it would run the tests")


@pytest.mark.parametrize(
    ("expected", "output", "same"),
    [
        ("", "anything", True),
        ('{"a": 1}', '{"a":1}\n', True),
        ('{"a": 1, ...}', '{"a":1,"b":2}', True),
        ('{"a": 1}', '{"a":1,"b":2}', False),
        ("a.c", "abc", False),
        ("...end", "the end, not", False),
    ],
)
def test_output_is_compared_exactly_but_for_white_space_and_dots(expected: str, output: str, same: bool) -> None:
    assert matches(expected, output) is same


@pytest.mark.parametrize(
    "fault",
    [
        Block(ROOT / "x.md", 1, "python", "run", "assert 1 == 2\n"),
        Block(ROOT / "x.md", 1, "python", "test", "async def test_x():\n    assert 1 == 2\n"),
        Block(ROOT / "x.md", 1, "python", "test", "x = 1\n"),
        Block(ROOT / "x.md", 1, "yaml", "check", "version: 1\ngateways: {}\n"),
        Block(ROOT / "x.md", 1, "yaml", "refused", "version: 1\ngateways: {}\n", {"refused": "unknown-key"}),
        Block(ROOT / "x.md", 1, "console", "run", "$ echo one\ntwo\n"),
        Block(ROOT / "x.md", 1, "console", "run", "$ false\n"),
        Block(ROOT / "x.md", 1, "console", "run", "no command\n"),
    ],
    ids=lambda block: f"{block.language} {block.action} {block.code.splitlines()[-1]}",
)
def test_a_wrong_example_fails(fault: Block, tmp_path: Path, echo_server: Callable[[], Server]) -> None:
    with pytest.raises((AssertionError, ConfigError)):
        PageSession(tmp_path, echo_server).execute(fault)
