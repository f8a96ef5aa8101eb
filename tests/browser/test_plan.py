"""A quarter is drawn, planned, looked at fibre by fibre, changed, compared: by pointer and by keyboard."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Demo, OpenPage, picture, settled, violations
from tests.browser.planning import AREA, OFFICE, PATIENCE_MS, at_size, call, is_usable, until


@pytest.fixture(scope="module")
def quarter(demo: Demo) -> Iterator[dict[str, str]]:
    """A project of a few blocks, some houses too far from a street: a plan of all, one within a budget, one that cannot
    be, one that was never begun; by their names."""
    west, south, east, north = AREA
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    inputs = {
        "extract": "central-helsinki.osm.pbf",
        "offices": [OFFICE],
        "area": {"type": "Polygon", "coordinates": [ring]},
        "limits": {"drop_m": 25},
    }
    project = call(demo, "POST", "/projects", {"name": "Station", "inputs": inputs})["id"]
    call(demo, "POST", f"/projects/{project}/ground")
    made = {"project": project}
    for name, wish, begins in (
        ("All of it", {"seconds": 2}, True),
        ("Half of it", {"seconds": 2, "budget_cents": 5_000_000}, True),
        ("Without a street", {"seconds": 1, "closed": ["No such street"]}, True),
        ("Some day", {}, False),
    ):
        body = {"name": name, "wish": wish, "begin": begins}
        made[name] = call(demo, "POST", f"/projects/{project}/scenarios", body)["id"]
    for name in ("All of it", "Half of it"):
        until(demo, made[name], "planned")
    until(demo, made["Without a street"], "failed")
    yield made
    call(demo, "DELETE", f"/projects/{project}")


def sentence(page: Page, text: str) -> Locator:
    """The page's answer, where it says so."""
    return page.get_by_role("main").locator("header > p").filter(has_text=text)


def panel(page: Page) -> Locator:
    """What is told of the thing that is picked."""
    return page.locator("section:has(> .head [data-panel])")


def test_a_quarter_is_drawn_planned_and_kept_before_its_time(open_page: OpenPage, demo: Demo) -> None:
    page = open_page("/")
    page.get_by_role("link", name="Plan", exact=True).click()
    settled(page)
    page.get_by_role("button", name="New project").click()
    settled(page)
    page.get_by_label("Name").fill("Drawn")
    plate = page.get_by_role("figure").locator(".stage")
    box = plate.bounding_box()
    assert box is not None
    for across, down in ((0.3, 0.1), (0.7, 0.1), (0.7, 0.95), (0.3, 0.95)):
        plate.click(position={"x": box["width"] * across, "y": box["height"] * down})
    expect(page.get_by_text("An area of 4 corners.")).to_be_visible()
    page.get_by_role("button", name="Place it on the map").click()
    plate.click(position={"x": box["width"] * 0.5, "y": box["height"] * 0.5})
    expect(page.get_by_label("Longitude")).to_have_value(re.compile(r"^24\.9\d{5}$"))
    is_usable(page, "plan-new")
    page.get_by_role("button", name="Make the project").click()
    page.get_by_role("heading", name="Drawn").wait_for()
    expect(page.get_by_text(re.compile(r"\d+ premises, [\d,]+ fibres"))).to_be_visible(timeout=PATIENCE_MS)
    settled(page)
    picture(page, "plan-project")
    assert violations(page) == []
    page.get_by_role("button", name="New scenario").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Long")
    page.get_by_role("combobox", name=re.compile("^Seek for")).click()
    page.get_by_role("option", name="5 minutes", exact=True).click()
    page.get_by_role("button", name="Plan it", exact=True).click()
    page.get_by_role("heading", name="Long").wait_for()
    scenario = page.url.partition("scenario=")[2]
    stop = page.get_by_role("button", name="Stop and keep the best")
    expect(stop).to_be_enabled(timeout=PATIENCE_MS)
    picture(page, "plan-running")
    stop.dispatch_event("click")  # at once: the search may be over before a busy browser holds still
    assert violations(page) == []
    expect(sentence(page, "no plan costs less")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("ended before its time")).to_be_visible()
    project = call(demo, "GET", f"/scenarios/{scenario}")["project"]
    page.goto("about:blank")  # which would ask for what goes now
    call(demo, "DELETE", f"/projects/{project}")


def test_all_plans_are_told_in_a_sentence_and_a_table(open_page: OpenPage, quarter: dict[str, str]) -> None:
    page = open_page("/plan")
    settled(page)
    station = page.get_by_role("region", name="Station")
    table = station.get_by_role("grid", name="Scenarios")
    expect(table.get_by_role("row")).to_have_count(5)
    expect(station).to_contain_text(re.compile(r"reaches \d+ of \d+ premises for €"))
    is_usable(page, "plan-list")
    table.get_by_role("row").nth(1).focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"scenario={quarter['All of it']}"))


def test_a_plan_is_looked_at_fibre_by_fibre(open_page: OpenPage, quarter: dict[str, str]) -> None:
    page = open_page(f"/plan?scenario={quarter['All of it']}")
    settled(page)
    expect(page.get_by_role("main")).to_contain_text("could be saved: no plan costs less than")
    stops = page.evaluate("document.querySelectorAll('main [tabindex=\"0\"], main a[href], main button').length")
    assert stops < 100, "many things, few tab stops"
    page.get_by_role("tab", name=re.compile("^Cables")).click()
    row = page.get_by_role("grid", name="Cables").get_by_role("row").nth(1)
    row.focus()
    page.keyboard.press("Enter")
    expect(panel(page).get_by_role("heading", level=2)).to_be_focused()
    strands = panel(page).get_by_role("table", name="Its fibres")
    expect(strands).to_contain_text("blue")
    expect(strands).to_contain_text("lit")
    is_usable(page, "plan-cable")
    strands.get_by_role("button").first.click()
    expect(page).to_have_url(re.compile("sel=premises"))
    expect(panel(page)).to_contain_text(re.compile(r"dB at worst, of [\d.]+ dB allowed"))
    expect(panel(page).get_by_role("table")).to_contain_text("splitter")
    for size in ("tablet", "wall"):
        width = at_size(page, size)
        picture(page, f"plan-premises-{size}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.keyboard.press("Tab")
    panel(page).get_by_role("button", name="Close").press("Escape")
    expect(panel(page)).to_have_count(0)
    page.get_by_role("button", name="cabinet", exact=True).click()
    expect(page).to_have_url(re.compile("without=cabinet"))
    with page.expect_download() as download:
        page.get_by_role("link", name="Report (HTML)").click()
    assert "All of it" in download.value.path().read_text(encoding="utf-8")
    terms = page.get_by_role("table", name="How sure that is").get_by_role("rowgroup").nth(1).get_by_role("row")
    told = [row.get_by_role("cell").first.inner_text() for row in terms.all()]
    assert "Ways, offices and drops" in told and all(name[0].isupper() for name in told), (
        "in words, not as the planner calls them"
    )
    page.emulate_media(media="print")
    assert page.get_by_role("heading", name="What it costs").is_visible()
    assert not page.get_by_role("button", name="Derive another").is_visible()


def test_who_is_left_out_is_told_with_who_is_reached(open_page: OpenPage, quarter: dict[str, str]) -> None:
    page = open_page(f"/plan?scenario={quarter['All of it']}")
    settled(page)
    expect(sentence(page, "No street leads to the other")).to_be_visible()
    page.get_by_role("button", name="Show them").click()
    row = page.get_by_role("grid", name="Faults").get_by_role("row").nth(1)
    expect(row).to_be_focused()
    expect(row).to_contain_text("is reached by no street")
    page.goto(page.url.replace(quarter["All of it"], quarter["Half of it"]))
    settled(page)
    expect(sentence(page, "within a budget of €50,000")).to_be_visible()
    chosen = page.get_by_role("region", name="Whom the budget serves")
    expect(chosen).to_contain_text("no choice is worth more")
    expect(chosen.get_by_role("grid", name="Left out, worth most first").get_by_role("row").nth(1)).to_be_visible()
    picture(page, "plan-budget")


def test_a_plan_is_built_over_years_and_to_sites_that_must_not_fail(
    open_page: OpenPage, demo: Demo, quarter: dict[str, str]
) -> None:
    cost_cents = call(demo, "GET", f"/scenarios/{quarter['All of it']}")["outcome"]["cost_cents"]
    page = open_page(f"/plan?project={quarter['project']}")
    settled(page)
    page.get_by_role("button", name="New scenario").click()
    form = page.get_by_role("dialog")
    expect(form.get_by_label("Name")).to_have_value("First plan")
    page.get_by_role("combobox", name=re.compile("^Seek for")).click()
    page.get_by_role("option", name="5 seconds", exact=True).click()
    form.get_by_role("button", name="Built over several years").click()
    form.get_by_role("button", name="Budget by year").click()
    form.get_by_label("Year 1, in EUR").fill(str(round(cost_cents * 0.007)))
    form.get_by_role("button", name="One more year").click()
    form.get_by_role("button", name="Sites that must not fail").click()
    form.get_by_label("Find premises or a site").fill("Keskuskatu")
    form.get_by_role("list", name="Found").get_by_role("button").first.click()
    expect(form.get_by_role("list", name="Sites that must not fail").get_by_role("listitem")).to_have_count(1)
    form.get_by_role("button", name="Light, spare and lengths").click()
    form.get_by_role("combobox", name=re.compile("^Optical class")).click()
    page.get_by_role("option", name=re.compile("^N1")).click()
    form.get_by_label("Longest fibre, in metres").fill("15000")
    expect(form).to_contain_text("may be 15 km long at most")
    picture(page, "plan-wish")
    assert violations(page) == []
    form.get_by_role("button", name="Plan it", exact=True).click()
    page.get_by_role("heading", name="First plan").wait_for()
    areas = page.get_by_role("region", name="Which areas first")
    expect(areas).to_be_visible(timeout=PATIENCE_MS)
    expect(areas.get_by_role("grid").get_by_role("row")).to_have_count(3)
    found = call(demo, "GET", f"/scenarios/{page.url.partition('scenario=')[2]}")
    wish = found["wish"]
    assert len(wish["phase_budgets_cents"]) == 2 and len(wish["critical"]) == 1
    assert 'optical_class = "N1"' in wish["architecture"] and found["outcome"]["most_m"] == 15_000
    assert found["outcome"]["second"] == 1
    picture(page, "plan-years")
    page.emulate_media(color_scheme="dark")
    width = at_size(page, "phone")
    settled(page)
    picture(page, "plan-years-phone-dark")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_can_be_had_at_an_address(open_page: OpenPage, demo: Demo, quarter: dict[str, str]) -> None:
    features = call(demo, "GET", f"/scenarios/{quarter['All of it']}/layers/premises")["features"]
    label = next(one["properties"]["label"] for one in features if " " in one["properties"]["label"])
    page = open_page(f"/plan?scenario={quarter['All of it']}")
    settled(page)
    page.get_by_role("textbox", name="Address").fill(label)
    page.keyboard.press("Enter")
    page.get_by_text(re.compile(f"At {re.escape(label)}: a .*fibre.* for €.*, once the plan is built")).wait_for()
    page.get_by_role("button", name="Why: a shared fibre").click()
    expect(page.get_by_text(re.compile("^It (is one|begins)"))).to_be_visible()
    expect(page.get_by_role("article").first).to_contain_text(re.compile(f"Exchange → .*{re.escape(label)}"))
    page.get_by_role("button", name="Ask by the map").click()
    plate = page.get_by_role("figure").locator(".stage").first
    expect(plate).to_be_in_viewport()
    plate.click()
    expect(page.get_by_text(re.compile("^At (?!" + re.escape(label) + ")"))).to_be_in_viewport()


def test_a_street_is_forbidden_and_both_plans_stand_side_by_side(
    open_page: OpenPage, demo: Demo, quarter: dict[str, str]
) -> None:
    page = open_page(f"/plan?scenario={quarter['All of it']}")
    settled(page)
    row = page.get_by_role("grid", name="Streets").get_by_role("row").nth(1)
    row.focus()
    page.keyboard.press("Space")
    expect(panel(page)).to_contain_text("keeping it takes what has its name alone")
    page.get_by_role("button", name="Forbid").focus()
    page.keyboard.press("Enter")
    change = page.get_by_role("form", name="What if")
    expect(change).to_contain_text("1 change is not planned yet")
    change.get_by_label("Name of the new scenario").fill("Round about")
    change.get_by_role("button", name="Plan again from here").click()
    page.get_by_role("heading", name="Round about").wait_for()
    expect(sentence(page, "no plan costs less")).to_be_visible(timeout=PATIENCE_MS)
    page.goto(f"{demo.base}/plan?project={quarter['project']}")
    settled(page)
    rows = page.get_by_role("grid", name="Scenarios").get_by_role("row")
    for name in ("All of it", "Round about"):
        rows.filter(has_text=name).focus()
        page.keyboard.press("Space")
    page.get_by_role("button", name="Compare side by side").click()
    settled(page)
    expect(page.get_by_role("main")).to_contain_text(re.compile(r"Round about costs (€[\d,]+ (more|less)|as much)"))
    expect(page.get_by_role("table", name="Figures")).to_contain_text("Could be saved")
    is_usable(page, "plan-compare")


def test_what_a_plan_is_worth_by_assumptions_that_are_changed(open_page: OpenPage, quarter: dict[str, str]) -> None:
    page = open_page(f"/plan?scenario={quarter['All of it']}")
    page.get_by_role("link", name="What it is worth").click()
    settled(page)
    expect(page.get_by_text("Nobody has reckoned yet")).to_be_visible()
    page.get_by_role("button", name="Reckon").click()
    worth = page.locator("[data-worth]")
    expect(worth).to_contain_text("below what money must earn, which is 6.1% a year")
    form = page.get_by_role("form", name="What is assumed")
    page.get_by_role("button", name="Change what is assumed").click()
    expect(page.get_by_role("heading", name="What is assumed")).to_be_focused()
    form.get_by_label("Price a month: business").fill("1900")
    form.get_by_label("Prices rise, a year").fill("3")
    form.get_by_label("Name of the case").fill("Dear")
    form.get_by_label("Name of the case").press("Enter")
    expect(worth).to_contain_text("beyond the 6.1% a year that money must earn: it pays back after")
    expect(page).to_have_url(re.compile("case=Dear"))
    expect(page.get_by_role("table", name="Money by years").get_by_role("row")).to_have_count(21)
    moves = page.get_by_role("table", name="Net present value, from the least to the most of each thing")
    expect(moves.get_by_role("row").filter(has_text="+2 points")).to_contain_text("years")
    beside = page.get_by_role("table", name="What is assumed differently")
    expect(beside).to_contain_text("customer.business.monthly_price")
    is_usable(page, "plan-worth")
    page.get_by_role("table", name="Which areas pay").get_by_role("link").first.click()
    expect(panel(page)).to_contain_text("Cabinet")


def test_where_sensors_go_beside_those_of_the_registry(open_page: OpenPage, quarter: dict[str, str]) -> None:
    page = open_page(f"/plan?project={quarter['project']}")
    settled(page)
    page.get_by_role("button", name="Ask where sensors go").click()
    form = page.get_by_role("dialog")
    form.get_by_label("Name").fill("Air")
    form.get_by_label("How many at most").fill("3")
    form.get_by_label("How many are spread").fill("40")
    form.get_by_label("Type in the registry").fill("AirQualityObserved")
    form.get_by_label("LoRaWAN gateways").fill("60.1705, 24.9430, 30")
    form.get_by_role("button", name="Choose sites").click()
    page.get_by_role("heading", name="Air").wait_for()
    expect(sentence(page, "for €")).to_contain_text("no choice does better", timeout=PATIENCE_MS)
    settled(page)
    sites = page.get_by_role("grid", name="The sites")
    sites.get_by_role("row").nth(1).focus()
    page.keyboard.press("Space")
    expect(page).to_have_url(re.compile("site="))
    expect(panel(page).get_by_role("table", name="How it is connected")).to_contain_text("taken")
    expect(page.get_by_role("table", name="Beside other choices")).to_contain_text("No choice passes")
    is_usable(page, "plan-sites")


def test_each_state_says_what_it_is(open_page: OpenPage, quarter: dict[str, str]) -> None:
    page = open_page(f"/plan?scenario={quarter['Without a street']}")
    settled(page)
    expect(page.get_by_role("alert")).to_contain_text("rules, closed")
    expect(page.get_by_role("button", name="Plan it again")).to_be_visible()
    picture(page, "plan-failed")
    assert violations(page) == []
    page.goto(page.url.replace(quarter["Without a street"], quarter["Some day"]))
    settled(page)
    expect(page.get_by_role("main")).to_contain_text("Nothing is planned yet.")
    expect(page.get_by_role("button", name="Plan it now")).to_be_visible()


def test_papers_that_could_not_be_made_are_asked_for_again(
    chromium: Browser, demo: Demo, quarter: dict[str, str]
) -> None:
    context = chromium.new_context()  # of its own: the first answer is to be an error
    context.add_cookies(demo.cookies)
    page = context.new_page()
    told = {"title": "Unavailable", "status": 503, "detail": "each process was killed", "remedy": "Ask once more."}
    page.route("**/export?format=csv", lambda route: route.fulfill(status=503, json=told), times=1)
    page.goto(f"{demo.base}/plan?scenario={quarter['All of it']}")
    settled(page)
    page.get_by_role("link", name="Tables (CSV)").click()
    expect(page.get_by_role("alert")).to_have_text("It was not made: each process was killed. Ask once more.")
    assert violations(page) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="Make it again").click()
    assert zipfile.is_zipfile(download.value.path()) and download.value.suggested_filename.endswith(".zip")
    expect(page.get_by_role("alert")).to_have_count(0)
    context.close()


def test_who_may_not_see_plans_is_told_so(chromium: Browser, demo: Demo) -> None:
    told = {"title": "Forbidden", "status": 403, "detail": "this takes the permission plan:read"}
    with chromium.new_context() as context:  # of its own: the answer is to be an error
        context.add_cookies(demo.cookies)
        page = context.new_page()
        page.route("**/v1/network/projects", lambda route: route.fulfill(status=403, json=told))
        page.goto(f"{demo.base}/plan")
        settled(page)
        expect(page.get_by_role("alert")).to_contain_text("this takes the permission plan:read")
        assert violations(page) == []


def test_what_a_dialog_refuses_is_drawn_in_it(chromium: Browser, demo: Demo, quarter: dict[str, str]) -> None:
    with chromium.new_context() as context:  # of its own: the answer is to be an error
        context.add_cookies(demo.cookies)
        page = context.new_page()
        page.goto(f"{demo.base}/plan?project={quarter['project']}")
        page.get_by_role("button", name="New scenario").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("button", name="Other prices").click()
        dialog.get_by_label("Prices (TOML)").fill('title = "None"\ncurrency = "EUR"')
        dialog.get_by_role("button", name="Plan it", exact=True).click()
        expect(dialog.get_by_role("grid", name="What is wrong")).to_contain_text("trench: is missing")
        settled(page)
        assert violations(page) == []
