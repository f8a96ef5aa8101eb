"""What everyone sees: listed on one page, read on another without a sign-in, and written down in the audit."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import (
    SIZES,
    THEMES,
    Demo,
    OpenPage,
    in_both_themes,
    picture,
    settled,
    violations,
)

AIR = {
    "title": "Clean air",
    "licence": "CC-BY-4.0",
    "types": ["AirQualityObserved"],
    "attributes": ["name", "location", "NO2", "PM10"],
    "means": "hour",
}


def call(demo: Demo, method: str, path: str, body: object = None) -> Any:
    (cookie,) = demo.cookies
    headers = {
        "Cookie": f"{cookie['name']}={cookie['value']}",
        "Content-Type": "application/json",
        "Origin": demo.base,
    }
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(demo.base + path, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def publish(demo: Demo, *items: object) -> None:
    version = call(demo, "GET", "/v1/public-view")["version"]
    call(demo, "PUT", "/v1/public-view", {"version": version, "items": items})


@pytest.fixture
def shown(demo: Demo) -> Iterator[None]:
    """Air is open to everyone, for as long as a test takes."""
    publish(demo, AIR)
    yield
    publish(demo)


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_everyone_reads_what_is_listed(open_page: OpenPage, shown: None, size: str) -> None:
    page = open_page("/public", size=size, signed_in=False)
    settled(page)
    assert page.get_by_role("heading", level=1).inner_text() == "What Helsinki measures, for everyone"
    row = page.get_by_role("row").nth(1)
    row.focus()
    page.keyboard.press("Space")
    page.get_by_role("heading", level=2).first.wait_for()
    settled(page)
    assert page.get_by_role("application", name="NO₂").count() == 1, "a chart of its first measure"
    assert page.get_by_text("mean of the hour from").count() >= 1
    in_both_themes(page, f"public-{size}")
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    assert page.context.cookies() == []
    with page.expect_download() as download:
        page.get_by_role("link", name="Clean air as a file").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert text.count("CC-BY-4.0") == len(text.splitlines()) - 1 > 0


def test_nothing_is_open_until_it_is_listed(open_page: OpenPage) -> None:
    page = open_page("/public", signed_in=False)
    settled(page)
    assert page.get_by_role("heading", level=1).inner_text() == "Nothing is open to everyone here yet."
    assert violations(page) == []


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_an_empty_list_offers_its_one_next_step(open_page: OpenPage, size: str) -> None:
    page = open_page("/publish", size=size)
    settled(page)
    page.get_by_text("Nothing is listed, so nothing is shown.").wait_for()
    buttons = page.get_by_role("main").get_by_role("button")
    assert buttons.all_inner_texts() == ["Add an item"]
    in_both_themes(page, f"publish-empty-{size}")
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    buttons.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title")).to_be_focused()
    told = page.get_by_role("main").get_by_role("button").all_inner_texts()
    wanted = ["Remove", "Add an item", "Go back to what holds", "Look at it first", "Show this to everyone"]
    assert [name for name in told if name in wanted or name.startswith("Move")] == wanted
    page.get_by_role("button", name="Go back to what holds").focus()
    page.keyboard.press("Enter")
    expect(buttons).to_have_count(1)
    expect(buttons).to_be_focused()


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_a_steward_lists_looks_and_shows(open_page: OpenPage, demo: Demo, size: str) -> None:
    page = open_page("/", size=size)
    page.get_by_role("link", name="Open data").click()
    settled(page)
    page.get_by_role("button", name="Add an item").click()
    page.get_by_label("Title").fill("Air")
    page.get_by_label("Entity types").fill("AirQualityObserved")
    page.get_by_label("Attributes").fill("name, location, NO2")
    page.get_by_role("button", name="Look at it first").click()
    page.get_by_role("heading", name="What everyone would see").wait_for()
    in_both_themes(page, f"publish-{size}")
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    assert call(demo, "GET", "/portal/api/public")["places"] == [], "a look shows nothing to anyone"
    page.get_by_role("button", name="Show this to everyone").click()
    page.get_by_text("Everyone sees this from now on.").wait_for()
    assert call(demo, "GET", "/v1/public-view")["items"][0]["position_m"] == 100
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Show nothing to anyone").click()
    page.get_by_text("Nothing is listed, so nothing is shown.").wait_for()
    page.wait_for_function("fetch('/v1/public-view').then((a) => a.json()).then((a) => a.items.length === 0)")


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_the_audit_tells_it_in_words(open_page: OpenPage, demo: Demo, shown: None, size: str) -> None:
    page = open_page("/audit?action=public-view.", size=size)
    settled(page)
    line = page.get_by_role("listitem").first
    assert "changed what everyone sees" in line.inner_text()
    assert "AirQualityObserved" in line.get_by_role("table").inner_text(), "with what stands there now"
    more = line.get_by_role("button", name="All that was written down: ")
    expect(more).to_have_attribute("aria-expanded", "false")
    more.focus()
    page.keyboard.press("Enter")
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(line.get_by_role("region")).to_contain_text('"after"')
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        settled(page)
        picture(page, f"audit-open-{size}-{theme}")
        assert violations(page) == [], theme
    page.keyboard.press("Space")
    expect(more).to_have_attribute("aria-expanded", "false")
    expect(line.get_by_role("region")).to_have_count(0)
    page.get_by_label("Person or program").fill("nobody")
    page.get_by_role("button", name="Show these").click()
    page.get_by_text("No line fits.").wait_for()
    expect(page).to_have_url(re.compile("principal=nobody"))
    page.get_by_role("button", name="Show all").click()
    page.get_by_role("listitem").first.wait_for()
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        settled(page)
        picture(page, f"audit-{size}-{theme}")
        assert violations(page) == [], theme
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
