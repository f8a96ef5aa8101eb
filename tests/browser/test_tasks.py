"""What a new user sets out to do, done as they would, each in a bounded number of clicks."""

from __future__ import annotations

import csv
import io
import json
import re
import shlex
from pathlib import Path

import paho.mqtt.publish
import polars as pl
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Demo, OpenPage, picture, settled, violations

LIVE_MS = 30_000


class Hand:
    """Clicks, and counts them."""

    def __init__(self) -> None:
        self.clicks = 0

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1


def search(page: Page, text: str, wanted: str) -> None:
    """Finds something by the slash key alone."""
    page.keyboard.press("/")
    page.keyboard.type(text)
    page.get_by_role("option").filter(has_text=wanted).first.wait_for()
    page.keyboard.press("Enter")


def rows(page: Page) -> Locator:
    return page.get_by_role("grid").get_by_role("row")


def test_find_who_has_been_silent_longest_and_why(open_page: OpenPage) -> None:
    page, hand = open_page("/"), Hand()
    settled(page)
    hand.click(page.get_by_role("button", name="Find who has been silent longest"))
    first = rows(page).nth(1)
    expect(first).to_contain_text("Silent")
    expect(page).to_have_url(re.compile("state=missing"))
    picture(page, "task-silent")
    assert hand.clicks <= 1


def test_see_yesterdays_highest_no2_and_where(open_page: OpenPage) -> None:
    page, hand = open_page("/"), Hand()
    settled(page)
    hand.click(page.get_by_role("button", name=re.compile("yesterday.s highest NO")))
    finding = page.locator(".finding")
    expect(finding).to_contain_text("NO₂")
    top = rows(page).nth(1).get_by_role("gridcell").first.inner_text()
    assert top in finding.inner_text()
    picture(page, "task-highest")
    assert hand.clicks <= 1


def test_add_a_device_and_see_it_speak(open_page: OpenPage, demo: Demo) -> None:
    page, hand = open_page("/"), Hand()
    settled(page)
    hand.click(page.get_by_role("button", name="Add your own device"))
    page.get_by_label("Name", exact=True).fill("Air, my balcony")
    hand.click(page.get_by_role("combobox", name="What it measures"))
    hand.click(page.get_by_role("option", name=re.compile("air-quality")))
    hand.click(page.get_by_role("button", name="Create the device"))
    page.get_by_text("Waiting for its first reading").wait_for()
    picture(page, "task-device-waiting")
    words = shlex.split(page.get_by_role("region", name=re.compile("Paste this")).inner_text())
    said = dict(zip(words[1::2], words[2::2], strict=False))
    paho.mqtt.publish.single(
        said["-t"],
        said["-m"],
        qos=1,
        hostname="127.0.0.1",
        port=demo.mqtt_port,
        client_id=said.get("-i", said["-u"]),
        auth={"username": said["-u"], "password": said["-P"]},
    )
    expect(page.get_by_role("status").filter(has_text="Heard at")).to_be_visible(timeout=LIVE_MS)
    payload = json.loads(said["-m"])
    assert any(isinstance(value, int | float) for value in payload.values())
    expect(page.get_by_role("dialog", name="Your device was heard")).to_be_visible()
    hand.click(page.get_by_role("button", name="Show it on the map"))
    expect(page.locator(".mark .card")).to_contain_text("Air, my balcony", timeout=LIVE_MS)
    expect(page.locator(".mark .card")).to_contain_text("yours")
    picture(page, "task-device-heard")
    assert hand.clicks <= 5


def test_export_a_week_of_one_street(open_page: OpenPage) -> None:
    page, hand = open_page("/"), Hand()
    settled(page)
    search(page, "Bulev", "Bulevardi")
    page.wait_for_url("**street=Bulevardi**")
    hand.click(page.get_by_role("button", name="Export"))
    expect(page.get_by_role("dialog").get_by_role("combobox", name="Street")).to_contain_text("Bulevardi")
    picture(page, "task-export")
    with page.expect_download() as download:
        hand.click(page.get_by_role("link", name="Download CSV"))
    text = Path(download.value.path()).read_text(encoding="utf-8")
    readings = list(csv.DictReader(io.StringIO(text)))
    assert len(readings) > 100
    assert {reading["street"] for reading in readings} == {"Bulevardi"}
    assert hand.clicks <= 2


def choose(page: Page, label: str, option: str) -> None:
    page.get_by_role("dialog").get_by_role("combobox", name=label).click()
    page.get_by_role("option", name=option).click()


def test_make_an_export_of_one_thing_in_the_background(open_page: OpenPage) -> None:
    page = open_page("/system")
    settled(page)
    search(page, "Air, Annank", "Air, Annankatu")
    page.wait_for_url("**/entity?id=**")
    settled(page)
    page.get_by_role("button", name="Export").click()
    choose(page, "Format", "Parquet")
    choose(page, "Readings", "Means of hours")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("region", name="Its address")).to_contain_text("every=PT1H")
    dialog.get_by_role("button", name="Make it in the background").click()
    made = dialog.get_by_role("link", name=".parquet")
    expect(made).to_be_visible(timeout=LIVE_MS)
    picture(page, "task-export-made")
    assert violations(page) == []
    with page.expect_download() as download:
        made.click()
    means = pl.read_parquet(download.value.path())
    assert means.height > 10
    assert {"from", "to", "avg", "min", "max", "totalCount"} <= set(means.columns)


def test_see_who_changed_an_entity(open_page: OpenPage) -> None:
    page, hand = open_page("/system"), Hand()
    settled(page)
    search(page, "Air, Annank", "Air, Annankatu")
    page.wait_for_url("**/entity?id=**")
    settled(page)
    hand.click(page.get_by_role("tab", name="Changes"))
    changes = page.get_by_role("table", name="Changes")
    expect(changes.get_by_role("row").nth(1)).to_be_visible()
    assert len(changes.get_by_role("row").nth(1).get_by_role("cell").nth(1).inner_text()) > 2
    picture(page, "task-changes")
    assert hand.clicks <= 1
