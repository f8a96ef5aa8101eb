"""Many devices at once: by table, by label, by key; and the installer's page on a phone."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Geolocation

from tests.browser.conftest import OpenPage, is_for_everyone, settled

HERE: Geolocation = {"longitude": 24.9522, "latitude": 60.1675, "accuracy": 8}


def test_a_table_is_looked_at_then_registered(open_page: OpenPage, tmp_path: Path) -> None:
    table = tmp_path / "devices.csv"
    lines = [f"row-{n},24.95,60.17" for n in range(3)]
    table.write_text("\n".join(["id,lon,lat", *lines, "row-x,24.95,"]) + "\n")
    page = open_page("/devices")
    settled(page)
    page.get_by_label("CSV file").set_input_files(table)
    page.get_by_role("button", name="Look at it").click()
    page.get_by_text("3 devices would be registered").first.wait_for()
    page.get_by_text("it has no lat").first.wait_for()
    is_for_everyone(page, "devices-table")
    page.get_by_role("button", name="Register 3 devices").click()
    page.get_by_text("3 devices registered").first.wait_for()
    with page.expect_download() as saving:
        page.get_by_role("button", name="Save credentials").click()
    saved = Path(saving.value.path()).read_text().splitlines()
    assert len(saved) == 5
    assert re.fullmatch(r"2,row-0,registered,urn:ngsi-ld:\w+:row-0,[\w'-]{24,},", saved[1])


def test_a_labelled_device_is_installed_where_its_installer_stands(open_page: OpenPage) -> None:
    page = open_page("/devices?by=labels")
    settled(page)
    page.get_by_label("Serial numbers").fill("label-1\nlabel-2")
    page.get_by_role("button", name="Prepare them").click()
    page.get_by_role("button", name="Print the labels").wait_for()
    assert page.get_by_role("img", name="QR code that installs label-1").is_visible()
    is_for_everyone(page, "devices-labels")
    code = page.locator("ul.labels li", has_text="label-1").locator("span").inner_text()
    page.get_by_role("button", name="Withdraw label-2").click()
    page.get_by_role("button", name="Withdraw label-2").wait_for(state="detached")
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation(HERE)
    page.goto(page.url.partition("/devices")[0] + f"/claim#{code}")
    page.get_by_text("label-1, ").first.wait_for()
    page.get_by_role("button", name="Take where I am").click()
    page.get_by_text("Known to 8 m").wait_for()
    is_for_everyone(page, "claim")
    page.get_by_label("What it is called").fill("By the fountain")
    page.get_by_role("button", name="Install it here").focus()
    page.keyboard.press("Enter")
    page.get_by_text("By the fountain stands on the map").first.wait_for()
    page.get_by_role("button", name="Show it").click()
    page.get_by_role("heading", level=1, name="By the fountain").wait_for()


def test_a_key_is_made_shown_once_and_revoked(open_page: OpenPage) -> None:
    page = open_page("/devices?by=keys")
    settled(page)
    page.get_by_role("button", name="Make a key").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("air-2026")
    dialog.get_by_label("Hardware ids").fill("aq-*")
    is_for_everyone(page, "devices-key")
    dialog.get_by_role("button", name="Make a key").click()
    assert dialog.get_by_role("region", name="Provisioning key").inner_text().startswith("pvk_")
    dialog.get_by_role("button", name="Done").click()
    is_for_everyone(page, "devices-keys")
    page.get_by_role("button", name="Revoke the key air-2026").click()
    page.get_by_role("button", name="Revoke the key air-2026").wait_for(state="detached")
