"""The tutorial that leads from a data model to a live chart, followed to its end in its demonstration."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Demo, OpenPage, picture, settled
from tests.docs.curl import read_curl
from tests.docs.pages import ROOT, Page
from tests.docs.python import run

TUTORIAL = Page(ROOT / "docs/tutorials/from-a-data-model-to-a-live-chart.md")
SHOWN = "http://127.0.0.1:8080"
STATION = "urn:ngsi-ld:BikeHireDockingStation:kasarmitori"


class Follower:
    """Somebody who does what the tutorial says, block by block."""

    def __init__(self, demo: Demo, token: str) -> None:
        self._demo = demo
        self._token = token
        self._blocks = iter(TUTORIAL.fences())
        self._names: dict[str, Any] = {}

    def go_on(self, until: str = "") -> None:
        """Up to the end of the block that holds a text, or of the last."""
        for language, body in self._blocks:
            if language == "python":
                assert run(body.replace(SHOWN, self._demo.base), self._names) == []
            for line in body.splitlines() if language == "console" else ():
                if line.startswith("$ curl "):
                    self._curl(line.removeprefix("$ "))
            if until and until in body:
                return

    def close(self) -> None:
        """Leave nothing open, however far it went."""
        for name in ("city", "receiver"):
            if name in self._names:
                self._names[name].close()

    def _curl(self, line: str) -> None:
        call = read_curl(line.replace("$TOKEN", self._token), Path())
        url = self._demo.base + call.target
        answer = httpx.request(call.method, url, headers=call.headers, content=call.body)
        assert answer.is_success, (line, answer.text)


@pytest.fixture
def follower(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> Iterator[Follower]:
    (cookie,) = demo.cookies
    headers = {"cookie": f"{cookie['name']}={cookie['value']}", "origin": demo.base}
    made = httpx.post(f"{demo.base}/portal/api/account/tokens", headers=headers, json={"title": "bike stations"})
    monkeypatch.setenv("TOKEN", made.json()["secret"])
    followed = Follower(demo, made.json()["secret"])
    yield followed
    followed.close()


def test_it_leads_where_it_says(open_page: OpenPage, follower: Follower) -> None:
    follower.go_on("entities/urn:ngsi-ld:BikeHireDockingStation:kasarmitori")
    page = open_page(f"/entity?id={STATION}")
    settled(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Bikes at Kasarmitori")
    follower.go_on("for quarter, bikes")
    expect(page.get_by_role("application", name="Available bike number")).to_be_visible()
    expect(page.get_by_text("16 readings, each drawn")).to_be_visible()
    picture(page, "tutorial-chart")
    follower.go_on()
    page = open_page("/query?type=BikeHireDockingStation&q=availableBikeNumber%3C20")
    settled(page)
    expect(page.get_by_role("grid", name="Found")).to_contain_text("Bikes at Kasarmitori")
