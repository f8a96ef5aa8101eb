"""Passkeys in a browser, kept by a device that Chromium plays: added, named, used in both ways, removed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.browser.conftest import SIZES, Demo, OpenPage, Theme, picture, settled, violations

THEMES: tuple[Theme, ...] = ("light", "dark")
AUTHENTICATOR: dict[str, Any] = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
    "defaultBackupEligibility": True,
    "defaultBackupState": True,
}


@contextmanager
def authenticator(page: Page) -> Iterator[list[dict[str, Any]]]:
    """A device that keeps passkeys, in this page's browser. What is yielded is filled with them at the end."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    added = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    kept: list[dict[str, Any]] = []
    yield kept
    kept += devtools.send("WebAuthn.getCredentials", added)["credentials"]
    devtools.send("WebAuthn.removeVirtualAuthenticator", added)


def by_name(demo: Demo) -> str:
    """The demonstration by a name: passkeys belong to one."""
    return demo.base.replace("127.0.0.1", "localhost")


def link(demo: Demo) -> str:
    """A path that signs the demonstration's account in."""
    command = [str(Path(sys.executable).with_name("broadstreet")), "account", "link", "demo"]
    told = subprocess.run([*command, "--data-dir", str(demo.folder)], capture_output=True, text=True, check=True)
    return "/portal/link/" + told.stdout.strip().rpartition("/")[2]


def looked_at(page: Page, name: str, size: str) -> None:
    """Seen in both themes: nothing is wrong for anybody, and nothing runs over."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        settled(page)
        picture(page, f"{name}-{size}-{theme}")
        assert violations(page) == [], (name, theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]


def press(page: Page, name: str) -> None:
    """A button, by the keyboard alone."""
    button = page.get_by_role("button", name=name, exact=True)
    button.focus()
    page.keyboard.press("Enter")


def test_a_passkey_lives_its_whole_life(open_page: OpenPage, demo: Demo) -> None:
    page = open_page(link(demo), base=by_name(demo), signed_in=False)
    page.get_by_role("navigation", name="Pages").wait_for()
    page.goto(by_name(demo) + "/account")
    settled(page)
    with authenticator(page) as kept:
        press(page, "Add a passkey")
        looked_at(page, "passkey-add", "desk")
        page.get_by_label("What to call it").fill("Test key")
        page.keyboard.press("Enter")
        page.get_by_role("dialog").locator("code", has_text="-").wait_for()
        press(page, "I have kept them")
        page.get_by_text("on your devices, synced").wait_for()
        press(page, "Rename the passkey Test key")
        page.get_by_label("What to call it").fill("My key")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Remove the passkey My key").wait_for()
        looked_at(page, "account-passkeys", "desk")
        page.set_viewport_size({"width": SIZES["phone"][0], "height": SIZES["phone"][1]})
        looked_at(page, "account-passkeys", "phone")

        page.context.clear_cookies()
        page.goto(by_name(demo) + "/sign-in")
        settled(page)
        looked_at(page, "sign-in-passkey", "phone")
        press(page, "Sign in with a passkey")
        page.get_by_role("navigation", name="Pages").wait_for()

        page.context.clear_cookies()
        page.goto(by_name(demo) + link(demo))
        page.get_by_role("heading", name="And your passkey").wait_for()
        looked_at(page, "sign-in-second-passkey", "phone")
        press(page, "Use a passkey")
        page.get_by_role("navigation", name="Pages").wait_for()

        page.goto(by_name(demo) + "/account")
        settled(page)
        press(page, "Remove the passkey My key")
        looked_at(page, "passkey-remove", "phone")
        press(page, "Remove")
        page.get_by_text("No passkey yet.").wait_for()
    assert [one["signCount"] > 1 for one in kept] == [True]


def test_at_a_number_the_page_says_why_there_can_be_none(open_page: OpenPage) -> None:
    page = open_page("/account")
    settled(page)
    page.get_by_text("reached by the number 127.0.0.1").wait_for()
    assert page.get_by_role("button", name="Add a passkey").count() == 0
    picture(page, "account-no-passkeys")
    out = open_page("/sign-in", signed_in=False)
    settled(out)
    assert out.get_by_role("button", name="Sign in with a passkey").count() == 0
