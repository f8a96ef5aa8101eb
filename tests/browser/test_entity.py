"""The page of one thing: its name, its one moment, its values and changes, and what can be done to its device."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.publish
import pytest
from paho.mqtt import MQTTException
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import (
    SIZES,
    Demo,
    OpenPage,
    in_both_themes,
    is_for_everyone,
    picture,
    settled,
    violations,
)

AIR = "urn:ngsi-ld:AirQualityObserved:air-001"
LIVE_MS = 30_000
MAPPING = """
[file]
form = "long"
[time]
column = "at"
time_zone = "Europe/Helsinki"
ambiguous = "latest"
nonexistent = "shift_forward"
[sensor]
column = "id"
type = "AirQualityObserved"
entity = "urn:ngsi-ld:AirQualityObserved:old-{sensor}"
title = "Old station {sensor}"
[attributes.NO2]
column = "no2"
unit = "GQ"
[dataset]
id = "urn:example:dataset:air"
title = "Air"
owner = "The city"
licence = "CC0-1.0"
[locations]
file = "places.csv"
sensor = "id"
latitude = "lat"
longitude = "lon"
"""


def ask(demo: Demo, path: str, method: str = "GET", body: Any = None) -> Any:
    """What the server answers whoever is signed in."""
    cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in demo.cookies)
    headers = {"content-type": "application/json", "origin": demo.base, "cookie": cookies}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(demo.base + path, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


@pytest.fixture
def pump(demo: Demo) -> Any:
    """A device of one's own."""
    new = {"title": "Air, the pump", "profile": "air-quality", "lon": 24.9443, "lat": 60.1716}
    return ask(demo, "/portal/api/devices", "POST", new)


def send(demo: Demo, device: Any, payload: str) -> None:
    """A message under a device's credential."""
    paho.mqtt.publish.single(
        "readings",
        payload,
        qos=1,
        hostname="127.0.0.1",
        port=demo.mqtt_port,
        client_id=device["device"],
        auth={"username": device["device"], "password": device["secret"]},
    )


def told(page: Page) -> str:
    return page.locator(".told.reading").inner_text()


def test_a_page_is_called_what_it_shows(open_page: OpenPage) -> None:
    page = open_page(f"/entity?id={AIR}")
    settled(page)
    name = page.get_by_role("heading", level=1).inner_text()
    assert name.startswith("Air, ")
    expect(page).to_have_title(re.compile(f"^{re.escape(name)} · "))
    expect(page.locator(".sentence")).to_have_text(re.compile(r": .+, heard .+ ago"))


def test_headline_values_and_facts_are_of_one_moment(open_page: OpenPage, demo: Demo, pump: Any) -> None:
    page = open_page(f"/entity?id={pump['entity']}")
    settled(page)
    for value in (11, 22):
        send(demo, pump, json.dumps(json.loads(pump["payload"]) | {"no2": value}))
        headline = page.locator(".sentence")
        expect(headline).to_contain_text(f"NO₂: {value}.0", timeout=LIVE_MS)
        row = page.get_by_role("grid", name="Values now").get_by_role("row").filter(has_text="NO₂")
        assert f"{value}.0" in row.inner_text()


def test_a_row_of_values_is_chosen_by_keyboard_and_tells_where_it_came_from(open_page: OpenPage) -> None:
    page = open_page(f"/entity?id={AIR}&attribute=NO2")
    settled(page)
    page.get_by_role("grid", name="Values now").get_by_role("row").nth(1).focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_url("**point=**")
    expect(page).to_have_url(re.compile("attribute=PM10"))
    expect(page.locator("ol > li").filter(has_text="PM10").first).to_be_visible()
    value = page.get_by_role("grid", name="Values now").get_by_role("row", selected=True).locator(".value").inner_text()
    assert told(page).startswith(value)
    expect(page.get_by_role("application", name=re.compile("PM10 from"))).to_be_visible()


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_changes_tell_all_of_each_change_at_any_size(open_page: OpenPage, size: str) -> None:
    page = open_page(f"/entity?id={AIR}&tab=changes", size=size)
    settled(page)
    newest = page.get_by_role("table", name="Changes").get_by_role("row").nth(1)
    title = page.get_by_role("heading", level=1).inner_text()
    text = newest.inner_text()
    assert title in text and "µg/m³" in text
    assert text.count("µg/m³") == 2  # before and after
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    everything = page.get_by_role("table", name="Changes").inner_text()
    assert "{" not in everything and "60." in everything
    picture(page, f"entity-changes-{size}")


@pytest.mark.parametrize(
    ("path", "said"), [("/entity", "No entity was named."), ("/entity?id=urn:x:none", "There is nothing")]
)
def test_an_unknown_thing_says_what_to_do(chromium: Browser, demo: Demo, path: str, said: str) -> None:
    with chromium.new_context() as context:  # not open_page, which lets no question fail
        context.add_cookies(demo.cookies)
        page = context.new_page()
        page.goto(demo.base + path)
        expect(page.get_by_role("heading", level=1)).to_contain_text(said)
        main = page.get_by_role("main")
        expect(main).to_contain_text("search")
        assert violations(page) == []
        main.get_by_role("link", name="The city").click()
        page.wait_for_url(re.compile(r":\d+/$"))


def test_what_was_imported_opens_on_its_last_readings(open_page: OpenPage, demo: Demo, tmp_path: Path) -> None:
    days = (datetime(2012, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(4 * 365))
    table = "".join(f"{day:%Y-%m-%d}T12:00,a,{20 + day.day}\n" for day in days)
    (tmp_path / "air.csv").write_text(f"at,id,no2\n{table}", encoding="utf-8")
    (tmp_path / "air.toml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "places.csv").write_text("id,lat,lon\na,60.17,24.95\n", encoding="utf-8")
    command = Path(sys.executable).with_name("broadstreet")
    names = [str(tmp_path / "air.csv"), "--mapping", str(tmp_path / "air.toml"), "--data-dir", str(demo.folder)]
    subprocess.run([str(command), "import", *names], check=True, capture_output=True)
    page = open_page("/entity?id=urn:ngsi-ld:AirQualityObserved:old-a")
    settled(page)
    expect(page.locator(".sentence")).to_contain_text(
        "Imported: 2012–2015, last reading 30 December 2015", timeout=LIVE_MS
    )
    chart = page.get_by_role("application", name=re.compile("NO₂ from .+ 2015"))
    expect(chart).to_have_accessible_name(re.compile("lowest .+, highest .+, in 49 points"))
    picture(page, "entity-imported")
    assert "power" not in page.get_by_role("main").inner_text()
    page.get_by_role("button", name="24 h").click()
    expect(page.get_by_text("Nothing was heard in this period.")).to_be_visible()


def test_a_device_shows_what_it_sent_in_vain(open_page: OpenPage, demo: Demo, pump: Any) -> None:
    send(demo, pump, '{"ozone": 3}')
    page = open_page(f"/entity?id={pump['entity']}")
    settled(page)
    section = page.get_by_role("region", name="Rejected messages")
    for _ in range(20):
        if section.count():
            break
        page.wait_for_timeout(500)
        page.reload()
        settled(page)
    expect(section).to_contain_text("could not be applied")
    expect(section).to_contain_text("no known field")
    expect(section).to_contain_text("Send fields that the profile names")
    picture(page, "entity-rejected")
    assert violations(page) == []


def test_a_device_is_renamed_by_keyboard(open_page: OpenPage, pump: Any) -> None:
    page = open_page(f"/entity?id={pump['entity']}")
    settled(page)
    page.get_by_role("button", name="Rename").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Name", exact=True).fill("The pump, Broad Street")
    assert violations(page) == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("The pump, Broad Street")
    page.get_by_role("tab", name="Changes").click()
    renamed = page.get_by_role("table", name="Changes").get_by_role("row").nth(1)
    expect(renamed).to_contain_text("Air, the pump")
    expect(renamed).to_contain_text("The pump, Broad Street")


def test_a_device_is_given_a_new_secret(open_page: OpenPage, demo: Demo, pump: Any) -> None:
    page = open_page(f"/entity?id={pump['entity']}")
    settled(page)
    page.get_by_role("button", name="New secret").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("refused")
    picture(page, "entity-secret")
    dialog.get_by_role("button", name="New secret").click()
    line = shlex.split(dialog.get_by_role("region", name=re.compile("Paste this")).inner_text())
    said = dict(zip(line[1::2], line[2::2], strict=False))
    assert said["-P"] != pump["secret"]
    send(demo, pump | {"secret": said["-P"]}, pump["payload"])
    dialog.get_by_role("button", name="Done").click()
    expect(page.locator(".sentence")).to_contain_text("heard", timeout=LIVE_MS)


def may_sign_in(demo: Demo, device: Any) -> bool:
    """Whether a message under a device's credential is taken in."""
    try:
        send(demo, device, device["payload"])
    except MQTTException:
        return False
    return True


def test_a_device_is_disabled_and_enabled_by_keyboard(open_page: OpenPage, demo: Demo, pump: Any) -> None:
    page = open_page(f"/entity?id={pump['entity']}")
    settled(page)
    dialog = page.get_by_role("dialog")
    badge = page.get_by_role("main").get_by_text(re.compile("disabled since "))
    page.get_by_role("button", name="Disable").focus()
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("Disable Air, the pump?")
    expect(dialog).to_contain_text("Its connection ends at once")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(badge).to_have_count(0)
    page.keyboard.press("Enter")  # the button has the focus again
    dialog.get_by_role("button", name="Disable").focus()
    page.keyboard.press("Enter")
    expect(badge).to_be_visible()
    expect(page.locator(".sentence")).to_contain_text("its credential is refused until it is enabled again")
    expect(page.get_by_role("button", name="Order it to do something")).to_have_count(0)
    assert not may_sign_in(demo, pump)
    is_for_everyone(page, "entity-disabled")
    page.get_by_role("button", name="Enable").focus()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Enable").focus()
    page.keyboard.press("Enter")
    expect(badge).to_have_count(0)
    expect(page.get_by_role("button", name="Disable")).to_be_focused()
    assert may_sign_in(demo, pump)


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_the_table_of_the_city_marks_a_disabled_device(open_page: OpenPage, demo: Demo, pump: Any, size: str) -> None:
    page = open_page("/?type=AirQualityObserved&sort=-title", size=size)
    settled(page)
    row = page.get_by_role("grid").get_by_role("row").filter(has_text="Air, the pump").first
    page.get_by_role("grid").scroll_into_view_if_needed()
    expect(row).to_be_visible()
    marked = page.get_by_role("grid").get_by_text(re.compile("disabled since "))
    before = marked.count()
    ask(demo, f"/v1/devices/{pump['device']}", "DELETE")
    expect(marked).to_have_count(before + 1, timeout=LIVE_MS)  # told to a page that is open
    in_both_themes(page, f"city-disabled-{size}")
    ask(demo, f"/v1/devices/{pump['device']}/enable", "POST")
    expect(marked).to_have_count(before, timeout=LIVE_MS)


def test_a_device_is_removed_only_after_a_question(open_page: OpenPage, pump: Any) -> None:
    page = open_page(f"/entity?id={pump['entity']}")
    settled(page)
    page.get_by_role("button", name="Remove").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Remove Air, the pump?")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text("Air, the pump")
    page.get_by_role("button", name="Remove").click()
    dialog.get_by_role("button", name="Remove").click()
    page.wait_for_url(re.compile(r":\d+/$"))
    expect(page.get_by_text("Air, the pump was removed")).to_be_visible()
