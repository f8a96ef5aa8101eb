"""The docs as tests read them: Markdown pages, the rows of their tables, their links and the commands they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_ROW = re.compile(r"^\| `([^`]+)`([^|]*)\|(.*)\|$", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """The text without its fenced blocks."""
        return _FENCE.sub("", self.text)

    def fences(self) -> list[tuple[str, str]]:
        """The fenced blocks, each with its language."""
        return _FENCE.findall(self.text)

    def blocks(self, language: str) -> list[str]:
        """The fenced blocks of a language."""
        return [body for found, body in self.fences() if found == language]

    def commands(self) -> Iterator[str]:
        """What is typed at a `$` in console blocks; a line that ends in a backslash goes on in the next."""
        for block in self.blocks("console"):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("$ "):
                    yield line.removeprefix("$ ").strip()

    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    def anchors(self) -> set[str]:
        """The fragments that its headings can be reached by, as code hosts make them."""
        plain = (re.sub(r"[`*]", "", heading).lower() for heading in _HEADING.findall(self.prose))
        return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}

    def rows(self) -> dict[str, str]:
        """The tables' rows: what stands in backticks in the first column, and the rest of the row."""
        return {first + more.strip(): rest.strip() for first, more, rest in _ROW.findall(self.prose)}

    def section(self, heading: str) -> Page | None:
        """Where a heading stands, as a page of its own; None where it does not."""
        found = re.search(rf"^(#+) {re.escape(heading)}$", self.text, re.MULTILINE)
        if found is None:
            return None
        rest = self.text[found.end() :]
        end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
        part = Page(self.path)
        part.__dict__["text"] = rest[: end.start()] if end else rest
        return part


def pages() -> list[Page]:
    """Every page of the docs, README and CONTRIBUTING among them."""
    return [Page(path) for path in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])]


def reference(name: str) -> Page:
    return Page(ROOT / "docs/reference" / f"{name}.md")
