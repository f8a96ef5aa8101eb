"""My account in a browser: a token is made, works within its limits, and is ended; sessions are seen and ended."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from tests.browser.conftest import SIZES, Demo, OpenPage, picture, settled, violations


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_my_account_is_for_everyone(open_page: OpenPage, size: str) -> None:
    page = open_page("/account", size=size)
    settled(page)
    page.get_by_role("button", name="New token").click()
    page.get_by_label("Only what is ticked").check()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        settled(page)
        picture(page, f"account-token-{size}-{theme}")
        assert violations(page) == [], theme
    page.keyboard.press("Escape")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        settled(page)
        picture(page, f"account-{size}-{theme}")
        assert violations(page) == [], theme
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]


def _asks(demo: Demo, secret: str, path: str) -> int:
    request = urllib.request.Request(demo.base + path, headers={"Authorization": f"Bearer {secret}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code


def test_a_limited_token_is_made_used_and_ended(open_page: OpenPage, demo: Demo) -> None:
    page = open_page("/")
    settled(page)
    page.get_by_role("link", name="my account").click()
    settled(page)
    page.get_by_role("button", name="New token").click()
    page.get_by_label("What it is for").fill("a script of the test")
    page.get_by_label("Only what is ticked").check()
    page.get_by_label("entity:read").check()
    page.get_by_role("button", name="Make the token").click()
    secret = page.get_by_role("dialog").locator("code").inner_text().strip()
    page.get_by_role("button", name="I have copied it").click()
    assert (_asks(demo, secret, "/v1/datasets"), _asks(demo, secret, "/v1/devices")) == (200, 403)
    page.get_by_role("button", name="End the token a script of the test").click()
    page.get_by_text("No token is in use.").wait_for()
    assert _asks(demo, secret, "/v1/datasets") == 401
