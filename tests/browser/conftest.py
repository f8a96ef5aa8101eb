"""A whole demonstration city, and a browser in front of it.

    demo      a running `broadstreet demo` with a day of history, one for all tests of a worker
    open_page opens a path of the portal, signed in, at a size and in a theme; what it sees go wrong fails the test

Screenshots go to the folder that BROADSTREET_SCREENSHOTS names, or are not taken.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, sync_playwright

from tests.absence import absent
from webapp.build import STATIC, WEBAPP

CHROMIUM = Path("/usr/bin/chromium")
AXE = WEBAPP / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = os.environ.get("BROADSTREET_SCREENSHOTS")
LINK = re.compile(r"http://127\.0\.0\.1:\d+/portal/link/\S+")
READY = "Ctrl-C"
SIZES = {"phone": (390, 844), "tablet": (768, 1024), "desk": (1440, 900), "wall": (2560, 1300)}
# WebGL 2 without a graphics card, for the maps alone: what else a page has is drawn by the processor itself, for half
# of the work. Debian's Chromium would have all of it drawn by the graphics card that is not there.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-background-networking",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-gpu-rasterization",
    "--disable-gpu-compositing",
)
# What Chromium's driver says of a map whose picture is read back to be laid on a page that the processor draws.
READ_BACK = "GPU stall due to ReadPixels"


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Demo:
    """A running demonstration: where it is, its data folder, and the cookies of who is signed in."""

    base: str
    folder: Path
    mqtt_port: int
    cookies: list[Any]


@dataclass
class Seen:
    """What a page did that it must not do."""

    foreign: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def watch(self, page: Page, base: str) -> None:
        def request(sent: Request) -> None:
            if not sent.url.startswith((f"{base}/", "data:", "blob:")):
                self.foreign.append(sent.url)

        def response(got: Response) -> None:
            if got.status >= 400:
                self.failed.append(f"{got.status} {got.url}")

        def console(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and READ_BACK not in message.text:
                self.complaints.append(message.text)

        page.on("request", request)
        page.on("response", response)
        page.on("console", console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser. Playwright keeps an event loop running, which async tests of the same worker must not meet."""
    if not CHROMIUM.exists():
        pytest.skip(absent(f"there is no browser at {CHROMIUM}"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def demo() -> Iterator[Demo]:
    if not (STATIC / "index.html").exists() or not AXE.exists():
        pytest.skip(absent("the portal's client is not built: make portal"))
    folder = Path(tempfile.mkdtemp(prefix="broadstreet-"))
    mqtt_port, http_port = _free_port(), _free_port()
    options = ["--data-dir", str(folder), "--history-days", "2", "--no-browser"]
    ports = ["--mqtt-port", str(mqtt_port), "--http-port", str(http_port)]
    command = [str(Path(sys.executable).with_name("broadstreet")), "demo", *options, *ports]
    env = {**os.environ, "BROADSTREET_NGSI_LD_RECEIVER_HOSTS": "127.0.0.1"}  # where tests are told of changes
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env) as process:
        told = _until_ready(process)
        (link,) = LINK.findall(told)
        base = f"http://127.0.0.1:{http_port}"
        yield Demo(base, folder, mqtt_port, [_sign_in(link, base)])
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    shutil.rmtree(folder)


def _until_ready(process: subprocess.Popen[str]) -> str:
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if READY in line:
            return "".join(lines)
    raise AssertionError("the demo ended before it was ready:\n" + "".join(lines))


def _sign_in(link: str, base: str) -> dict[str, str]:
    """Follows a one-time link; the session's cookie, as a browser takes it."""
    jar = CookieJar()
    urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)).open(link, timeout=30).close()
    (cookie,) = jar
    return {"name": cookie.name, "value": cookie.value or "", "url": base}


OpenPage = Callable[..., Page]
Theme = Literal["light", "dark"]


@pytest.fixture
def open_page(chromium: Browser, demo: Demo) -> Iterator[OpenPage]:
    """`open_page(path, size="desk", theme="light", signed_in=True, base=None, **context options)`.

    base: another name of the demonstration's, which the cookies of who is signed in do not know. Nothing moves that
    need not: a map in which the stacks settle at every reading is drawn sixty times a second.
    """
    opened: list[tuple[Page, Seen]] = []

    def begin(
        path: str,
        *,
        size: str = "desk",
        theme: Theme = "light",
        signed_in: bool = True,
        base: str | None = None,
        **more: Any,
    ) -> Page:
        base = base or demo.base
        width, height = SIZES[size]
        seen_as: dict[str, Any] = {"color_scheme": theme, "reduced_motion": "reduce", **more}
        context = chromium.new_context(viewport={"width": width, "height": height}, **seen_as)
        if signed_in:
            context.add_cookies(demo.cookies)
        page = context.new_page()
        seen = Seen()
        seen.watch(page, base)
        opened.append((page, seen))
        page.goto(base + path)
        return page

    yield begin
    for page, seen in opened:
        page.context.close()
        assert seen.foreign == []
        # Without a session the first question is answered with 401, which is how the client learns it.
        assert [failure for failure in seen.failed if not failure.startswith("401")] == []
        assert [text for text in seen.complaints if "401" not in text] == []


def settled(page: Page) -> None:
    """Waits until nothing on the page is loading (but specimens of loading), and the map, if any, is drawn."""
    page.wait_for_selector("h1")
    page.wait_for_selector("[aria-busy=true]:not([data-specimen] *)", state="detached")
    if page.locator(".plate").count():
        page.wait_for_selector(".plate[data-drawn]")
    page.evaluate(
        "Promise.allSettled(document.getAnimations().filter((a) => a instanceof CSSTransition).map((a) => a.finished))"
    )


def picture(page: Page, name: str) -> None:
    """A screenshot for whoever asked for them."""
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png", full_page=True)


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong."""
    found = page.evaluate(AXE.read_text(encoding="utf-8") + ";\naxe.run(document, {resultTypes: ['violations']})")
    return [f"{rule['id']}: {node['target']}" for rule in found["violations"] for node in rule["nodes"]]


THEMES: tuple[Theme, Theme] = ("light", "dark")


def in_both_themes(page: Page, name: str) -> None:
    """By day and by night, a picture and no fault of accessibility."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        settled(page)
        picture(page, f"{name}-{theme}")
        assert violations(page) == [], (name, theme)


def is_for_everyone(page: Page, name: str) -> None:
    """No fault of accessibility at a desk or on a phone, by day or by night, and nothing wider than the screen."""
    for size in ("desk", "phone"):
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        in_both_themes(page, f"{name}-{size}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
