"""The pages of a plan in a browser: for everyone, without an outside host, on paper page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from broadstreet.network.design import SiteKind
from broadstreet.network.papers import Format, write_papers
from tests.absence import absent
from tests.browser.conftest import AXE, SIZES, THEMES, picture, violations
from tests.papers import town_dossier


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    if not AXE.exists():
        pytest.skip(absent("the portal's client is not built: make portal"))
    with chromium.new_context() as context:
        yield context.new_page()


@pytest.mark.parametrize("format", [Format.HTML, Format.SPLICES])
def test_a_page_is_for_everyone_and_stands_alone(format: Format, page: Page, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    write_papers(format, town_dossier(), out)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for size in ("desk", "phone"):
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.goto(out.as_uri())
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            picture(page, f"paper-{format}-{size}-{theme}")
            assert violations(page) == [], (size, theme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert set(asked) == {out.as_uri()}


def test_the_splice_plan_prints_a_page_for_each_site(page: Page, tmp_path: Path) -> None:
    dossier = town_dossier()
    write_papers(Format.SPLICES, dossier, tmp_path / "page.html")
    page.goto((tmp_path / "page.html").as_uri())
    printed = page.pdf(prefer_css_page_size=True)
    sites = sum(site.kind is not SiteKind.PREMISES for site in dossier.design.sites)
    sheets = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert sites <= sheets <= sites + 2
    boxes = set(re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", printed))
    assert {(round(float(wide)), round(float(tall))) for wide, tall in boxes} == {(595, 842)}  # A4
