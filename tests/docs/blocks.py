"""The fenced code of a Markdown page, with what its info string says should be done with it.

    ```LANGUAGE ACTION key=value ...        or        ```LANGUAGE skip: the reason why this cannot be executed

What the test does with each:

    python run                executes it; the blocks of one page share their names, in order
    python test               executes it, then runs each test_... in it, on asyncio and on trio
    python save file=NAME     writes it to the page's folder, for a later block that runs it
    python file=NAME.py       writes it to the page's folder, from where later blocks import it; imports it
    yaml check [file=NAME]    loads and builds it with Pipeline.from_config; kept as NAME for later blocks
    yaml save file=NAME       writes it to the page's folder, for a later block that names it
    yaml refused=CODE         loads and builds it, and wants exactly this problem
    toml entry-points         installs its entry points, so that later blocks find the kinds
    console echo              runs each $ command against a running configs/echo.yaml; compares what follows it
    console served config=NAME  the same against a server of that config, which an earlier block has saved
    console run [exit=N]      the same without a server
    console fresh [in=DIR]    the same in an environment that has gatewright's wheel and no checkout, offline
    console fresh-served config=NAME [in=DIR]   the same against a server of that config in that environment
    console serve             starts the server, waits until it is ready, stops it
    console make              asks make what it would do
    text, mermaid             nothing: they are pictures

Expected output is compared without regard to white space, and `...` in it stands for anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
PICTURES = frozenset({"text", "mermaid"})

_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<info>[^`\n]*)\n(?P<code>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block. `line` is where its code begins, `reason` why it is not executed, if it is not."""

    page: Path
    line: int
    language: str
    action: str
    code: str
    options: dict[str, str] = field(default_factory=dict)
    reason: str | None = None

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks_of(page: Path) -> list[Block]:
    """The blocks of a page, in order."""
    return parse(page, page.read_text("utf-8"))


def parse(page: Path, text: str) -> list[Block]:
    found: list[Block] = []
    for match in _FENCE.finditer(text):
        language, _, rest = match["info"].strip().partition(" ")
        line = text.count("\n", 0, match.start("code")) + 1
        skipped, _, reason = rest.partition("skip:")
        if reason and not skipped.strip():
            found.append(Block(page, line, language, "skip", match["code"], reason=reason.strip()))
            continue
        words = rest.split()
        options = dict(word.split("=", 1) for word in words if "=" in word)
        action = " ".join(word for word in words if "=" not in word)
        found.append(Block(page, line, language, action or next(iter(options), ""), match["code"], options))
    return found


def stray_fences(text: str) -> list[int]:
    """Lines that look like a fence and belong to no block: indented, unclosed, or of tildes."""
    inside = {
        number
        for match in _FENCE.finditer(text)
        for number in range(text.count("\n", 0, match.start()) + 1, text.count("\n", 0, match.end()) + 2)
    }
    lines = enumerate(text.splitlines(), start=1)
    return [number for number, line in lines if line.lstrip().startswith(("```", "~~~")) and number not in inside]
