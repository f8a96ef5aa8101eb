"""The city page: what is imported, who is silent and why, a cluster, a filter, a place that is chosen."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Demo, OpenPage, picture, settled

FAR = (-118.3, 34.1)
TABLE = "at,id,speed\n2012-03-01T00:00,1,61.5\n2012-03-07T00:00,1,48.25\n2012-03-07T00:00,2,55\n"
PLACES = f"id,lat,lon\n1,{FAR[1]},{FAR[0]}\n2,{FAR[1] + 0.02},{FAR[0] + 0.02}\n"
MAPPING = """
[file]
form = "long"
[time]
column = "at"
time_zone = "UTC"
[sensor]
column = "id"
type = "FreewayLoop"
entity = "urn:ngsi-ld:FreewayLoop:loop-{sensor}"
title = "Loop {sensor}"
device = "loop-{sensor}"
profile = "loop"
interval_s = 300
[locations]
file = "places.csv"
sensor = "id"
latitude = "lat"
longitude = "lon"
[attributes.averageVehicleSpeed]
column = "speed"
unit = "KMH"
[dataset]
id = "urn:broadstreet:dataset:loops"
title = "Loops"
"""
LOOP = "urn:ngsi-ld:FreewayLoop:loop-1"


@pytest.fixture(scope="module")
def imported(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Two sensors of which only a table of 2012 tells."""
    folder = tmp_path_factory.mktemp("import")
    for name, text in (("loops.csv", TABLE), ("places.csv", PLACES), ("loops.toml", MAPPING)):
        (folder / name).write_text(text, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("broadstreet")), "import", str(folder / "loops.csv")]
    options = ["--mapping", str(folder / "loops.toml"), "--data-dir", str(demo.folder)]
    subprocess.run([*command, *options], check=True, capture_output=True, timeout=120)
    yield


def rows(page: Page) -> Locator:
    return page.get_by_role("grid").get_by_role("row")


def counted(page: Page) -> int:
    """How many rows the table has, without its headings."""
    return int(str(page.get_by_role("grid").get_attribute("aria-rowcount"))) - 1


def view(page: Page) -> tuple[float, float, float]:
    """Where the map looks: longitude, latitude, zoom."""
    at = str(page.evaluate("new URLSearchParams(location.search).get('at')"))
    lon, lat, zoom = (float(part) for part in at.split(","))
    return lon, lat, zoom


@pytest.mark.usefixtures("imported")
def test_what_was_imported_is_not_called_silent(open_page: OpenPage) -> None:
    page = open_page("/?state=imported&type=FreewayLoop")
    settled(page)
    assert counted(page) == 2
    row = rows(page).filter(has_text="Loop 1")
    expect(row).to_contain_text("7 Mar 2012")
    expect(row).to_contain_text("48.3")
    page.wait_for_url("**at=-118.**")  # the map has gone where they are
    page.goto(f"{page.url}&sel={LOOP}")
    settled(page)
    expect(page.locator(".mark .card")).to_contain_text("Imported: 1–7 March 2012, last reading 7 March 2012")
    picture(page, "city-imported")
    page.goto(page.url.split("?")[0])
    settled(page)
    expect(page.locator("h1")).to_contain_text(re.compile(r"\d+ more sensors are imported"))
    expect(page.locator("h1")).to_contain_text(re.compile(r"of 52\d sensors report"))
    expect(page.get_by_role("button", name="silent or never heard")).to_have_count(1)


@pytest.mark.usefixtures("imported")
def test_the_map_shows_what_a_new_filter_leaves(open_page: OpenPage) -> None:
    page = open_page("/?at=24.9443,60.1716,16")
    settled(page)
    page.get_by_role("button", name=re.compile("^Freeway loop")).click()
    page.wait_for_url("**at=-118.**")
    page.get_by_role("button", name="Clear the filter").click()
    page.wait_for_url("**at=24.**")


def test_the_longest_silence_is_the_headlines_and_the_tables(open_page: OpenPage) -> None:
    page = open_page("/?type=WeatherObserved&sel=urn:ngsi-ld:WeatherObserved:weather-001")
    settled(page)
    page.get_by_role("button", name="Find who has been silent longest").click()
    expect(page).not_to_have_url(re.compile("sel="))
    expect(page).not_to_have_url(re.compile("type="))
    first = rows(page).nth(1)
    expect(first).to_contain_text(re.compile(r"Silent .*since .*\(\d+ (minutes|hours)\)"))
    told = page.locator("h1").inner_text()
    named = re.search(r"Silent longest is (.+?) since \S+(?: at \S+)? \(", told)
    if named is not None:
        assert first.get_by_role("link").inner_text() == named[1]
    else:  # at some hours all that are silent are those that fell silent together, which the headline tells as one
        together = re.search(r"\d+ .+ on (.+?) fell silent together", told)
        assert together is not None, told
        assert together[1] in first.get_by_role("link").inner_text()
    never = page.request.get(page.url.split("?")[0] + "portal/api/city?state=never").json()["sensors"]
    silent = page.request.get(page.url.split("?")[0] + "portal/api/city?state=silent").json()["sensors"]
    assert never
    assert counted(page) == len(never) + len(silent)
    with page.expect_download() as download:
        page.get_by_role("button", name="Sensors as CSV").click()
    assert re.fullmatch(r"Helsinki_Sensors_\d{4}-\d\d-\d\d\.csv", download.value.suggested_filename)
    head, *lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert {"why", "heard_at_utc"} <= set(head.split(","))
    assert all(re.search("Silent|Never heard|sends|Disabled", line) for line in lines)


def test_the_silent_can_be_read_on_a_phone(open_page: OpenPage) -> None:
    page = open_page("/", size="phone")
    settled(page)
    page.get_by_role("button", name="Find who has been silent longest").click()
    page.wait_for_function("() => document.querySelector('[role=grid]').getBoundingClientRect().top < innerHeight / 2")
    reasons = page.locator(".why")
    expect(reasons.first).to_be_visible()
    cut = reasons.evaluate_all(
        "(all) => all.filter((e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1).length"
    )
    assert cut == 0
    picture(page, "task-silent-phone")
    page.go_back()
    page.get_by_role("button", name=re.compile("yesterday.s highest")).click()
    page.wait_for_function("() => document.querySelector('.finding')?.getBoundingClientRect().top < innerHeight")


def test_the_call_shown_answers_with_the_rows(open_page: OpenPage) -> None:
    page = open_page("/?state=silent&type=Streetlight", permissions=["clipboard-read", "clipboard-write"])
    settled(page)
    page.get_by_role("button", name="Copy the API call behind: Sensors").click()
    call = str(page.evaluate("navigator.clipboard.readText()"))
    found = re.search(r'"(http[^"]+)"$', call)
    assert found is not None
    answered = page.request.get(found[1]).json()["sensors"]
    assert len(answered) == counted(page) > 0
    assert {sensor["state"] for sensor in answered} == {"silent"}


def test_a_value_says_what_it_measures(open_page: OpenPage) -> None:
    page = open_page("/")
    settled(page)
    expect(rows(page).filter(has_text="Air, ").first).to_contain_text("NO₂")
    page.get_by_role("button", name=re.compile("^Air quality")).click()
    expect(page.get_by_role("columnheader", name="NO₂, µg/m³")).to_be_visible()


def test_wrong_is_explained_and_leads_to_what_is(open_page: OpenPage) -> None:
    page = open_page("/")
    settled(page)
    beyond = page.request.get(page.url.split("?")[0] + "portal/api/city?state=beyond").json()["sensors"]
    missing = page.get_by_role("button", name=re.compile(r"Show the \d+ sensors that are silent or never heard"))
    expect(missing).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("beyond a limit"))).to_have_count(1 if beyond else 0)
    missing.click()
    page.wait_for_url("**state=missing**")


def test_a_cluster_opens_on_a_click(open_page: OpenPage) -> None:
    page = open_page("/?at=24.9443,60.1716,15.5")
    settled(page)
    box = page.locator(".stage").bounding_box()
    assert box is not None
    card = page.locator(".mark .card")
    spots = ((x, y) for y in range(60, int(box["height"]), 14) for x in range(40, int(box["width"]) - 90, 26))
    for x, y in spots:
        page.mouse.move(box["x"] + x, box["y"] + y)
        if card.count() and "close together" in card.inner_text():
            break
    before = view(page)
    page.mouse.down()
    page.mouse.up()
    zoom = "(least) => Number(new URLSearchParams(location.search).get('at').split(',')[2]) > least"
    page.wait_for_function(zoom, arg=before[2] + 0.9)
    picture(page, "map-cluster-opened")


def test_a_place_is_chosen_marked_and_given_up(open_page: OpenPage) -> None:
    page = open_page("/?at=24.9443,60.1716,15")
    settled(page)
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Add a device", exact=True).click()
    before = dialog.get_by_label("Longitude").input_value()
    stage = page.locator(".stage")
    for choice in ("Cancel", "Take this place"):
        dialog.get_by_role("button", name="Pick on the map").click()
        expect(dialog).to_have_count(0)
        stage.click(position={"x": 90, "y": 200})
        expect(page.locator("[data-pin] svg")).to_be_visible()
        picture(page, "device-placing")
        page.get_by_role("button", name=choice).click()
        expect(dialog).to_be_visible()
        assert (dialog.get_by_label("Longitude").input_value() == before) == (choice == "Cancel")


def test_the_period_from_to_opens_and_closes(open_page: OpenPage) -> None:
    page = open_page("/?street=Bulevardi")
    settled(page)
    page.get_by_role("button", name="Export").click()
    custom = page.get_by_role("button", name=re.compile("^From"))
    for is_open in ("true", "false", "true"):
        custom.click()
        expect(custom).to_have_attribute("aria-expanded", is_open)
        expect(page.get_by_label("From", exact=True)).to_have_count(1 if is_open == "true" else 0)
    page.get_by_role("button", name="Show", exact=True).click()
    expect(custom).to_have_attribute("aria-pressed", "true")
    custom.click()
    expect(custom).to_have_attribute("aria-expanded", "false")
    expect(custom).to_have_attribute("aria-pressed", "true")


def test_the_headline_stays_where_it_is_when_figures_arrive(open_page: OpenPage) -> None:
    page = open_page("/")
    page.wait_for_selector("h1")
    shifts = json.loads(
        page.evaluate(
            """() => new Promise((done) => {
                let sum = 0;
                new PerformanceObserver((list) => {
                    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
                }).observe({ type: 'layout-shift', buffered: true });
                setTimeout(() => done(JSON.stringify(sum)), 4000);
            })"""
        )
    )
    assert shifts < 0.1
