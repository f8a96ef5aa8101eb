"""What every page shares: the menu, the search, tables on a phone, and what a session's end says."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import SIZES, OpenPage, picture, settled
from tests.browser.test_pages import PAGES

ANSWER_MS = 20_000
TOUCH = {"has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("name", ["city", "ranking", "changes", "system"])
def test_no_table_is_cut_on_a_phone(open_page: OpenPage, name: str) -> None:
    page = open_page(PAGES[name], size="phone", **TOUCH)
    settled(page)
    page.get_by_role("row").first.wait_for()
    cut = page.evaluate(
        """() => [...document.querySelectorAll('[role=table], [role=grid]')]
            .filter((table) => table.parentElement.scrollWidth > table.parentElement.clientWidth)
            .map((table) => table.getAttribute('aria-label'))"""
    )
    assert cut == []
    assert page.locator("kbd").first.is_hidden(), "there is no key to press"


def test_what_has_no_room_as_a_column_is_told_below_its_row(open_page: OpenPage) -> None:
    page = open_page("/system", size="phone")
    settled(page)
    database = page.get_by_role("row").filter(has_text="Database")
    for fact in ("Up for", "Memory", "Restarts", "Process"):
        expect(database).to_contain_text(fact)
    page.set_viewport_size({"width": SIZES["desk"][0], "height": SIZES["desk"][1]})
    expect(database).not_to_contain_text("Restarts")
    expect(page.get_by_role("columnheader", name="Restarts")).to_be_visible()


def test_the_menu_is_for_who_runs_the_city_and_the_foot_of_system_for_who_builds(open_page: OpenPage) -> None:
    page = open_page("/system")
    settled(page)
    menu = page.get_by_role("navigation", name="Pages").get_by_role("link")
    expect(menu).to_have_text(["City", "Query", "Plan", "Devices", "Audit", "Open data", "System"])
    page.get_by_role("link", name="What the portal is drawn from").click()
    expect(page).to_have_url(re.compile("/design$"))
    page.go_back()
    settled(page)
    page.get_by_role("link", name="The APIs, for programs").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("the APIs")


def test_the_search_is_walked_by_keys(open_page: OpenPage) -> None:
    page = open_page("/system")
    settled(page)
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Search")
    expect(box).to_be_focused()
    box.fill("katu")
    options = page.get_by_role("option")
    expect(options).to_have_count(20)
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    expect(options.last).to_be_in_viewport()
    assert page.evaluate(
        """() => { const hit = document.querySelector('[role=option][aria-selected=true]').getBoundingClientRect();
                   const drop = document.querySelector('[role=listbox]').parentElement.getBoundingClientRect();
                   return hit.bottom <= drop.bottom + 1; }"""
    ), "what is chosen is scrolled to"
    picture(page, "search")
    box.fill("xyzzy")
    expect(page.get_by_text("Streets are found by name")).to_be_visible()
    box.fill("demo")
    page.get_by_role("option", name="Account, demo").click()
    page.wait_for_url("**/system?person=demo")
    expect(page.get_by_role("row", selected=True)).to_contain_text("administrator")
    page.keyboard.press("/")
    box.fill("air-001")
    page.keyboard.press("Enter")  # before the answer can have come
    page.wait_for_url("**/entity?id=*air-001*")


def test_a_page_that_is_not_there_says_where_to_go(open_page: OpenPage) -> None:
    page = open_page("/nowhere")
    settled(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("no page")
    page.get_by_role("main").get_by_role("link", name="The city").click()
    expect(page).to_have_url(re.compile(r"/$"))


def test_a_session_that_ends_says_so_and_how_to_come_back(open_page: OpenPage) -> None:
    page = open_page("/system")
    settled(page)
    page.context.clear_cookies()
    expect(page.get_by_role("alert")).to_contain_text("Your session has ended", timeout=ANSWER_MS)
    expect(page).to_have_url(re.compile("/system$"))
    page.get_by_text("No account, or no password?").click()
    expect(page.get_by_text("broadstreet account link NAME")).to_be_visible()
    picture(page, "session-ended")
