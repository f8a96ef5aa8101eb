"""Keyboard, map, chart, replay and live values: what a hand does, and what the page does by itself."""

from __future__ import annotations

import re

from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.browser.conftest import OpenPage, picture, settled

AIR = "urn:ngsi-ld:AirQualityObserved:air-001"
LIVE_MS = 20_000
STALE_MS = 40_000
ASKED_AGAIN_MS = 20_000


def selected(page: Page) -> str | None:
    return str(page.evaluate("new URLSearchParams(location.search).get('sel')"))


def test_the_map_is_walked_with_the_arrow_keys(open_page: OpenPage) -> None:
    page = open_page("/?at=24.9443,60.1716,16")
    settled(page)
    page.get_by_role("application", name="Map of the sensors").focus()
    page.keyboard.press("ArrowRight")
    first = selected(page)
    expect(page.locator(".mark .card")).to_be_visible()
    row = page.get_by_role("row", selected=True)
    expect(row).to_have_count(1)
    page.keyboard.press("ArrowRight")
    second = selected(page)
    assert second not in (None, first)
    page.keyboard.press("ArrowLeft")
    assert selected(page) != second
    picture(page, "map-walked")
    page.keyboard.press("Enter")
    page.wait_for_url("**/entity?id=**")
    page.go_back()
    settled(page)
    assert selected(page) is not None


def test_the_table_is_walked_with_the_arrow_keys(open_page: OpenPage) -> None:
    page = open_page("/")
    settled(page)
    page.get_by_role("button", name="Sensor", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("sort=-title"))
    page.locator("tbody tr[tabindex='0']").focus()
    page.keyboard.press("End")
    last = page.locator("tr:focus")
    expect(last).to_have_attribute("aria-rowindex", str(page.get_by_role("grid").get_attribute("aria-rowcount")))
    expect(last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Home")
    expect(page.locator("tr:focus")).to_have_attribute("aria-rowindex", "2")
    assert page.locator("tbody tr").count() < 60
    page.keyboard.press("Enter")
    page.wait_for_url("**/entity?id=**")


def test_a_filter_holds_for_map_and_table_and_stays_in_the_url(open_page: OpenPage) -> None:
    page = open_page("/")
    settled(page)
    grid = page.get_by_role("grid")
    everything = str(grid.get_attribute("aria-rowcount"))
    air = page.get_by_role("button", name=re.compile("^Air quality"))
    air.click()
    filtered = str(int(air.inner_text().split()[-1]) + 1)
    expect(grid).to_have_attribute("aria-rowcount", filtered)
    page.reload()
    settled(page)
    expect(grid).to_have_attribute("aria-rowcount", filtered)
    picture(page, "city-air")
    page.go_back()
    expect(grid).to_have_attribute("aria-rowcount", everything)


def test_the_day_is_replayed(open_page: OpenPage) -> None:
    page = open_page("/")
    settled(page)
    hour = page.get_by_role("slider", name="Hour shown")
    hour.focus()
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile("hour=17"))
    expect(page.get_by_role("columnheader", name=re.compile("Mean, "))).to_be_visible()
    picture(page, "city-replayed")
    page.get_by_role("button", name="Back to now").click()
    expect(page).not_to_have_url(re.compile("hour="))


def test_values_arrive_by_themselves(open_page: OpenPage) -> None:
    page = open_page("/?type=TrafficFlowObserved,AirQualityObserved")
    settled(page)
    expect(page.get_by_text("readings a second")).to_be_visible(timeout=LIVE_MS)
    before = page.get_by_role("grid").inner_text()
    page.wait_for_function(
        "(before) => document.querySelector('[role=grid]').innerText.replace(/\\d+[smhd]/g, '') !== "
        "before.replace(/\\d+[smhd]/g, '')",
        arg=before,
        timeout=LIVE_MS,
    )


def test_a_chart_is_zoomed_panned_and_asked_where_a_value_came_from(open_page: OpenPage) -> None:
    page = open_page(f"/entity?id={AIR}&attribute=NO2")
    settled(page)
    chart = page.get_by_role("application", name=re.compile("NO₂ from"))
    chart.locator("canvas").wait_for()
    chart.focus()
    page.keyboard.press("+")
    page.wait_for_url("**from=**")
    zoomed = page.url
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("(before) => location.href !== before", arg=zoomed)
    settled(page)
    page.keyboard.press(".")
    page.keyboard.press("Enter")
    page.wait_for_url("**point=**")
    steps = page.locator("ol > li")
    steps.first.wait_for()
    assert steps.count() >= 2
    picture(page, "entity-provenance")


def plot_of(page: Page) -> tuple[Locator, FloatRect]:
    """The chart's plot, and where it stands."""
    over = page.locator(".u-over")
    over.wait_for()
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    assert box is not None
    return over, box


def test_a_clicked_point_stays_chosen(open_page: OpenPage) -> None:
    page = open_page(f"/entity?id={AIR}&attribute=NO2")
    settled(page)
    _, plot = plot_of(page)
    at = plot["x"] + plot["width"] * 0.4
    page.mouse.click(at, plot["y"] + 100)
    page.wait_for_url("**point=**")
    page.mouse.move(plot["x"] + plot["width"] * 0.8, plot["y"] + 100)
    page.mouse.move(5, 5)
    marked = page.locator(".picked").bounding_box()
    assert marked is not None
    assert abs(marked["x"] + marked["width"] / 2 - at) < 8
    value = page.locator("figure .reading strong").inner_text()
    expect(page.locator(".told.reading")).to_have_text(re.compile(f"^{re.escape(value)},"))


def test_a_click_beside_the_right_edge_chooses_the_last_point(open_page: OpenPage) -> None:
    page = open_page(f"/entity?id={AIR}&attribute=NO2")
    settled(page)
    _, plot = plot_of(page)
    page.mouse.click(plot["x"] + plot["width"] + 5, plot["y"] + 100)
    page.wait_for_url("**point=**")
    marked = page.locator(".picked").bounding_box()
    assert marked is not None
    assert marked["x"] > plot["x"] + plot["width"] * 0.98


def test_a_chart_is_zoomed_by_dragging(open_page: OpenPage) -> None:
    page = open_page(f"/entity?id={AIR}&attribute=NO2&range=week")
    settled(page)
    _, box = plot_of(page)
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.3, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=5)
    page.mouse.up()
    page.wait_for_url("**from=**")
    hours = page.evaluate(
        "(() => { const q = new URLSearchParams(location.search);"
        " return (Date.parse(q.get('to')) - Date.parse(q.get('from'))) / 3.6e6 })()"
    )
    assert 0.28 * 168 < hours < 0.32 * 168


def test_the_theme_is_switched_and_kept(open_page: OpenPage) -> None:
    page = open_page("/design")
    settled(page)
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    switch = page.get_by_role("button", name=re.compile("^Theme"))
    switch.click()
    switch.click()
    assert page.evaluate(ground) != light
    page.reload()
    settled(page)
    assert page.evaluate(ground) != light


def test_a_missing_stream_is_said_and_found_again(open_page: OpenPage) -> None:
    """By a clock that is put forward: the page calls a break so after a while, and asks ever more seldom."""
    page = open_page("/design")
    page.clock.install()
    page.context.route("**/portal/api/live", lambda route: route.fulfill(status=204))
    page.get_by_role("link", name="City").click()
    page.reload()
    settled(page)
    page.clock.fast_forward(STALE_MS)
    expect(page.get_by_text("Not live since").first).to_be_visible(timeout=LIVE_MS)
    picture(page, "city-stale")
    page.context.unroute("**/portal/api/live")
    page.clock.fast_forward(ASKED_AGAIN_MS)
    expect(page.get_by_text("readings a second")).to_be_visible(timeout=LIVE_MS)
    expect(page.get_by_text("Not live since")).to_have_count(0)
