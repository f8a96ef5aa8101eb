"""The page of questions: put together by a form, asked, handed on by its address; faults told where they belong."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Demo, OpenPage, is_for_everyone, settled, violations


def choose(page: Page, label: str, option: str) -> None:
    """One of a list, by keyboard."""
    button = page.get_by_role("main").get_by_role("combobox", name=re.compile(f"^{label} "))
    button.focus()
    page.keyboard.press("Enter")
    page.get_by_role("option", name=option, exact=True).click()


def asked(page: Page) -> dict[str, str]:
    """What the address holds."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def rows(page: Page) -> int:
    return page.get_by_role("grid", name="Found").get_by_role("row").count() - 1


def test_a_question_is_put_together_asked_and_handed_on(open_page: OpenPage) -> None:
    page = open_page("/", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("link", name="Query").click()
    settled(page)
    expect(page).to_have_url(re.compile(r"/query$"))
    page.get_by_role("button", name="Choose AirQualityObserved").click()
    page.get_by_role("button", name="Ask about it: NO2").wait_for()
    assert violations(page) == []
    page.get_by_role("button", name="Ask about it: NO2").click()
    choose(page, "How", "is above")
    page.get_by_label("Value").fill("-1")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q=NO2"))
    settled(page)
    assert asked(page) == {"type": "AirQualityObserved", "q": "NO2>-1", "limit": "20"}
    assert page.get_by_text(re.compile(r"^\d+ entities\.")).is_visible()
    assert rows(page) > 3
    row = page.get_by_role("grid", name="Found").get_by_role("row").nth(1)
    row.focus()
    page.keyboard.press("Space")
    page.get_by_role("link", name="Its page and its past").wait_for()
    is_for_everyone(page, "query-found")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Copy: With curl").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "--data-urlencode 'q=NO2>-1'" in copied and copied.startswith("curl -G")
    page.get_by_role("tab", name="JSON").click()
    page.get_by_role("region", name="Normalized").wait_for()
    assert '"type": "AirQualityObserved"' in page.get_by_role("region", name="Normalized").inner_text()
    assert violations(page) == []


def test_its_address_brings_a_question_back_a_page_at_a_time(open_page: OpenPage) -> None:
    page = open_page(
        "/query?type=Streetlight&limit=30&format=simplified&orderBy=name%3Bdesc&pick=id,type,name,location"
    )
    settled(page)
    assert page.get_by_text("Numbers 1 to 30 are shown.").is_visible()
    first = page.get_by_role("grid", name="Found").get_by_role("row").nth(1).inner_text()
    page.get_by_role("button", name="Next page").click()
    expect(page).to_have_url(re.compile("offset=30"))
    page.get_by_text("Numbers 31 to 60 are shown.").wait_for()
    assert page.get_by_role("grid", name="Found").get_by_role("row").nth(1).inner_text() < first
    page.go_back()
    page.get_by_text("Numbers 1 to 30 are shown.").wait_for()
    expect(page.get_by_label("How many on a page")).to_have_value("30")
    page.get_by_role("tab", name="JSON").click()
    text = page.get_by_role("region", name="Simplified (keyValues)").inner_text()
    assert '"name": "Street light' in text and '"value"' not in text
    page.get_by_role("button", name="Start over").click()
    expect(page).to_have_url(re.compile(r"/query$"))
    page.get_by_role("heading", name="What there is").wait_for()


def test_the_map_narrows_the_question(open_page: OpenPage) -> None:
    page = open_page("/query?type=Streetlight&limit=1000")
    settled(page)
    everywhere = int(page.get_by_text(re.compile(r"^\d+ entities\.")).inner_text().split()[0])
    for _ in range(2):
        page.get_by_role("button", name="Zoom in").click()
        page.wait_for_timeout(500)  # until the map has moved, of which the page says nothing
    page.get_by_role("button", name="Ask within this part of the map").click()
    expect(page).to_have_url(re.compile("georel=within"))
    settled(page)
    expect(page.get_by_role("textbox", name="West")).to_be_visible()
    within = page.get_by_text(re.compile(r"^\d+ entit(y|ies)\."))
    expect(within).not_to_have_text(f"{everywhere} entities.")
    assert 0 < int(within.inner_text().split()[0]) < everywhere


def test_a_fault_is_told_where_it_belongs(chromium: Browser, demo: Demo) -> None:
    context = chromium.new_context()  # of its own: the answer is to be an error
    context.add_cookies(demo.cookies)
    page = context.new_page()
    page.goto(f"{demo.base}/query?type=Streetlight&q=NO2%3E")
    settled(page)
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert page.get_by_role("group", name="What must hold").get_by_role("alert").count() == alert.count() == 1
    assert page.get_by_text("what has to be mended is marked above").is_visible()
    assert violations(page) == []
    context.close()


def test_a_question_is_kept_for_colleagues_and_asked_again(open_page: OpenPage) -> None:
    page = open_page("/query?type=WeatherObserved")
    settled(page)
    page.get_by_role("button", name="Kept under a name").click()
    page.get_by_text("Nothing is kept yet.").wait_for()
    page.get_by_label("Keep this question as").fill("Weather")
    page.get_by_label("For colleagues too").check()
    page.get_by_label("Keep this question as").press("Enter")
    kept = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="Weather", exact=True))
    expect(kept).to_contain_text("yours, shared")
    expect(page).to_have_url(re.compile(r"/query\?type=WeatherObserved$"), timeout=1)
    assert violations(page) == []
    page.goto(page.url.partition("?")[0])
    page.get_by_role("button", name="Kept under a name").click()
    page.get_by_role("link", name="Weather", exact=True).click()
    expect(page).to_have_url(re.compile("type=WeatherObserved&limit=20"))
    settled(page)
    assert rows(page) > 0
    page.get_by_role("button", name="Keep “Weather” no longer").click()
    page.get_by_text("Nothing is kept yet.").wait_for()
    expect(page.get_by_label("Keep this question as")).to_be_focused()


@contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address that takes notifications, and those that came."""
    told: list[dict[str, Any]] = []

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/told", told
        server.shutdown()
        thread.join()


def test_a_subscription_is_seen_to_fire(open_page: OpenPage) -> None:
    with receiver() as (address, told):
        page = open_page("/query?type=TrafficFlowObserved&pick=id,type,intensity")
        settled(page)
        page.get_by_role("button", name="Be told of changes").click()
        page.get_by_text("Nobody is told of anything yet.").wait_for()
        page.get_by_label("Tell this address").fill(address)
        page.get_by_label("Called").fill("Traffic")
        page.get_by_label("Called").press("Enter")
        subscription = page.get_by_role("list", name="Subscriptions").get_by_role("listitem")
        expect(subscription).to_contain_text(address)
        page.get_by_text("“Traffic” fired").first.wait_for()
        expect(subscription).to_contain_text(re.compile(r"told \d+ times?"))
        is_for_everyone(page, "query-watch")
        page.get_by_role("button", name="Pause: Traffic").click()
        expect(subscription).to_contain_text("paused")
        page.get_by_role("button", name="End: Traffic").click()
        page.get_by_text("Nobody is told of anything yet.").wait_for()
        expect(page.get_by_label("Tell this address")).to_be_focused()
    assert {one["type"] for one in told} == {"Notification"}
    assert {tuple(entity) for one in told for entity in one["data"]} == {("id", "type", "intensity")}
