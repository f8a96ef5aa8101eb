"""What tests of the planning pages begin with: a few blocks, the API behind the pages, a desk and a phone."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import Any

from playwright.sync_api import Page

from tests.browser.conftest import SIZES, Demo, Theme, picture, settled, violations

AREA = (24.9405, 60.1690, 24.9450, 60.1712)
OFFICE = {"id": "co", "label": "Exchange", "lon": 24.9430, "lat": 60.1700}
PATIENCE_MS = 120_000
"""Until a plan is there: what it is reckoned with may have to be compiled first."""


def call(demo: Demo, method: str, path: str, body: object = None) -> Any:
    (cookie,) = demo.cookies
    headers = {
        "Cookie": f"{cookie['name']}={cookie['value']}",
        "Content-Type": "application/json",
        "Origin": demo.base,
    }
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{demo.base}/v1/network{path}", data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        told = answer.read()
        return json.loads(told) if told else None


def until(demo: Demo, scenario: str, *states: str) -> dict[str, Any]:
    ends_at = time.monotonic() + PATIENCE_MS / 1000
    while time.monotonic() < ends_at:
        found: dict[str, Any] = call(demo, "GET", f"/scenarios/{scenario}")
        if found["state"] in states:
            return found
        time.sleep(0.2)
    raise AssertionError(f"it is {found['state']} still, {found['stage']}")


def at_size(page: Page, size: str) -> int:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    # The map takes its new size a moment after the page.
    page.wait_for_function("(width) => document.documentElement.scrollWidth <= width", arg=width)
    return width


def is_usable(page: Page, name: str) -> None:
    """No fault of accessibility at a desk by day and on a phone by night, and nothing wider than the screen."""
    themes: dict[str, Theme] = {"desk": "light", "phone": "dark"}
    for size, theme in themes.items():
        width = at_size(page, size)
        page.emulate_media(color_scheme=theme)
        settled(page)
        picture(page, f"{name}-{size}-{theme}")
        assert violations(page) == [], (size, theme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.emulate_media(color_scheme="light")
    at_size(page, "desk")
