"""Links lead somewhere, what is to be typed exists, and the glossary says each noun once."""

from __future__ import annotations

import importlib.util
import re
import shlex

import pytest

from tests.docs.commands import command_line
from tests.docs.pages import ROOT, Page, pages, reference

PAGES = pages()
KNOWN_PROGRAMS = frozenset({"broadstreet", "make", "python", "mosquitto_pub", "mosquitto_sub", "curl", "git", "cd"})


def at(page: Page) -> str:
    return page.path.relative_to(ROOT).as_posix()


def wrong_links(page: Page) -> list[str]:
    """Relative links that lead nowhere, and absolute ones that lead to a host of a package."""
    wrong = []
    for link in page.links():
        if re.match(r"[a-z]+:", link):
            continue
        target, _, fragment = link.partition("#")
        path = (page.path.parent / target).resolve() if target else page.path
        is_lost = not path.exists() or (fragment and path.suffix == ".md" and fragment not in Page(path).anchors())
        if is_lost:
            wrong.append(link)
    return wrong


def wrong_command(words: list[str]) -> str | None:
    """What is wrong with a command that a page shows, or None."""
    program, rest = words[0].rpartition("/")[2], words[1:]
    if program == "make":
        targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        unknown = [word for word in rest if "=" not in word and word not in targets]
        return f"make has no target {unknown[0]}" if unknown else None
    if program == "python":
        is_module = rest[0] == "-m" and importlib.util.find_spec(rest[1]) is not None
        return None if is_module else f"there is no module {rest[1]}"
    if program == "broadstreet":
        return _wrong_in_tree(rest)
    return None if program in KNOWN_PROGRAMS else f"{program} is no program of ours, nor one the docs introduce"


def _wrong_in_tree(words: list[str]) -> str | None:
    names = [" ".join(["broadstreet", *words[:count]]) for count in range(1, len(words) + 1)]
    command = next((command_line()[name] for name in names if name in command_line()), None)
    if command is None:
        return None if words == ["--help"] else f"there is no command {names[0] if names else 'broadstreet'}"
    known = {spelling for option in command.options for spelling in option} | {"--help"}
    unknown = sorted({word.partition("=")[0] for word in words if word.startswith("-")} - known)
    return f"{command.name} has no option {unknown[0]}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=at)
def test_links_lead_somewhere(page: Page) -> None:
    assert wrong_links(page) == []


@pytest.mark.parametrize("page", PAGES, ids=at)
def test_commands_exist(page: Page) -> None:
    assert [wrong for line in page.commands() if (wrong := wrong_command(shlex.split(line, comments=True)))] == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("make tset", "make has no target tset"),
        ("broadstreet fly", "no command broadstreet fly"),
        ("broadstreet up --wings 2", "up has no option --wings"),
        ("python -m benchmarks.nothing", "there is no module"),
        ("rm -rf data", "rm is no program of ours"),
    ],
)
def test_a_planted_command_is_caught(line: str, wrong: str) -> None:
    assert wrong in (wrong_command(shlex.split(line)) or "")


def test_a_planted_link_is_caught() -> None:
    page = Page(ROOT / "docs/planted.md")
    page.__dict__["text"] = "[a](nowhere.md) [b](architecture.md#the-rooms) [c](architecture.md#attic)\n"
    assert wrong_links(page) == ["nowhere.md", "architecture.md#attic"]


def test_every_page_can_be_reached() -> None:
    """From README.md, by following links."""
    seen, open_pages = set(), [ROOT / "README.md"]
    while open_pages:
        path = open_pages.pop()
        if path in seen or path.suffix != ".md":
            continue
        seen.add(path)
        links = (link.partition("#")[0] for link in Page(path).links() if not re.match(r"[a-z]+:", link))
        open_pages += [(path.parent / link).resolve() for link in links if link]
    assert {page.path for page in PAGES} - seen == set()


def test_the_glossary_says_each_noun_once() -> None:
    glossary = reference("glossary")
    bold = re.findall(r"^\*\*([^*]+)\*\*", glossary.text, re.MULTILINE)
    nouns = [noun.strip() for nouns in bold for noun in nouns.split(",")]
    assert sorted(set(nouns)) == sorted(nouns)
    for part in re.split(r"^## ", glossary.text, flags=re.MULTILINE)[1:]:
        listed = [noun.lower() for noun in re.findall(r"^\*\*([^*,]+)", part, re.MULTILINE)]
        assert listed == sorted(listed), "a section of the glossary is in the order of the alphabet"
