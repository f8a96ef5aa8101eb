"""My account in a browser: a token is made, works within its limits, and is ended; sessions are seen and ended."""

from __future__ import annotations

import base64
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Literal

import pytest

from broadstreet.access.second_factor import code_at, step_at
from tests.browser.conftest import SIZES, Demo, OpenPage, picture, settled, violations

THEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_my_account_is_for_everyone(open_page: OpenPage, size: str) -> None:
    page = open_page("/account", size=size)
    settled(page)
    page.get_by_role("button", name="New token").click()
    page.get_by_label("Only what is ticked").check()
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        settled(page)
        picture(page, f"account-token-{size}-{theme}")
        assert violations(page) == [], theme
    page.keyboard.press("Escape")
    for theme in THEMES:
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


def _code(secret: str) -> str:
    return code_at(base64.b32decode(secret), step_at(time.time_ns() // 1_000))


def test_a_second_factor_is_added_asked_for_and_removed(open_page: OpenPage, demo: Demo) -> None:
    page = open_page("/account")
    settled(page)
    page.get_by_role("button", name="Add codes").click()
    settled(page)
    picture(page, "account-factor")
    assert violations(page) == []
    secret = page.get_by_role("dialog").locator("code").inner_text().strip()
    page.get_by_role("textbox", name="Code").fill(_code(secret))
    page.get_by_role("button", name="Confirm").click()
    recovery = page.get_by_role("dialog").locator("code", has_text="-").inner_text().split()
    picture(page, "account-recovery")
    page.get_by_role("button", name="I have kept them").click()
    page.get_by_text("10 recovery codes are left").wait_for()

    command = [str(Path(sys.executable).with_name("broadstreet")), "account", "link", "demo"]
    told = subprocess.run([*command, "--data-dir", str(demo.folder)], capture_output=True, text=True, check=True)
    other = open_page("/portal/link/" + told.stdout.strip().rpartition("/")[2], size="phone", signed_in=False)
    other.get_by_role("heading", name="And your code").wait_for()
    picture(other, "sign-in-code")
    assert violations(other) == []
    other.get_by_role("textbox", name="Code").fill(recovery[0])
    other.get_by_role("button", name="Sign in").click()
    other.get_by_role("navigation", name="Pages").wait_for()

    page.get_by_role("button", name="Remove the codes").click()
    page.get_by_role("textbox", name="Code").fill(recovery[1])
    page.get_by_role("dialog").get_by_role("button", name="Remove the codes").click()
    page.get_by_role("button", name="Add codes").wait_for()
