"""What is done with devices: one is ordered to do something, and what it sent in vain is replayed with a reason."""

from __future__ import annotations

from urllib.parse import quote

import paho.mqtt.publish
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Demo, OpenPage, picture, settled, violations
from tests.browser.test_entity import ask

NEW = {"title": "Corner lamp", "profile": "air-quality", "lon": 24.945, "lat": 60.17}
LIVE_MS = 30_000


@pytest.fixture
def device(demo: Demo) -> dict[str, str]:
    """A device of one's own that has sent a message of which no field is known."""
    made: dict[str, str] = ask(demo, "/portal/api/devices", "POST", NEW)
    paho.mqtt.publish.single(
        "readings",
        '{"lamp": 1}',
        qos=1,
        hostname="127.0.0.1",
        port=demo.mqtt_port,
        auth={"username": made["device"], "password": made["secret"]},
    )
    return made


@pytest.mark.parametrize(("size", "theme"), [("desk", "light"), ("phone", "dark")])
def test_a_device_is_ordered_to_do_something_and_taken_back(
    open_page: OpenPage, device: dict[str, str], size: str, theme: str
) -> None:
    page = open_page(f"/entity?id={quote(device['entity'], safe='')}", size=size, theme=theme)
    page.get_by_role("button", name="Order it to do something").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Command").fill("set-interval")
    dialog.get_by_label("Values, as JSON").fill('{"interval_s": 60')
    expect(dialog.get_by_text("This is no JSON")).to_be_visible()
    dialog.get_by_label("Values, as JSON").fill('{"interval_s": 60}')
    dialog.get_by_label("Why").fill("smog is expected")
    settled(page)
    assert violations(page) == []
    picture(page, f"order-{size}-{theme}")
    dialog.get_by_role("button", name="Go on").click()
    expect(dialog.get_by_text("Because: smog is expected")).to_be_visible()
    dialog.get_by_role("button", name="Send").click()
    commands = page.get_by_role("region", name="Commands")
    expect(commands.get_by_text("not yet delivered")).to_be_visible(timeout=LIVE_MS)
    settled(page)
    assert violations(page) == []
    picture(page, f"commands-{size}-{theme}")
    commands.get_by_role("button", name="Take back").click()
    expect(commands.get_by_text("taken back", exact=True)).to_be_visible(timeout=LIVE_MS)


def test_what_was_sent_in_vain_is_replayed_with_a_reason(open_page: OpenPage, device: dict[str, str]) -> None:
    page = open_page("/system")
    letters = page.get_by_role("region", name="Messages that could not be decoded")
    letters.get_by_role("checkbox").first.check(timeout=LIVE_MS)
    letters.get_by_role("button", name="Replay", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Why").fill("to see it come back")
    settled(page)
    assert violations(page) == []
    picture(page, "replay-desk-light")
    dialog.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("1 message replayed")).to_be_visible(timeout=LIVE_MS)
    picture(page, "dead-desk-light")
