"""Every page, on a phone and at a desk, by day and by night: usable by everyone, asking nobody else."""

from __future__ import annotations

import pytest

from tests.browser.conftest import SIZES, Demo, OpenPage, picture, settled, violations

AIR = "urn:ngsi-ld:AirQualityObserved:air-001"
PAGES = {
    "city": "/",
    "ranking": "/?view=ranking&measure=NO2",
    "entity": f"/entity?id={AIR}&attribute=NO2",
    "changes": f"/entity?id={AIR}&tab=changes",
    "system": "/system",
    "design": "/design",
    "nowhere": "/nowhere",
    "docs": "/docs",
}


@pytest.mark.parametrize("size", ["phone", "desk"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_for_everyone(open_page: OpenPage, name: str, size: str) -> None:
    page = open_page(PAGES[name], size=size)
    settled(page)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        settled(page)
        picture(page, f"{name}-{size}-{theme}")
        assert violations(page) == [], theme
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, input, [role=tab], [role=combobox], nav a')]
            .filter((e) => e.checkVisibility() && e.getBoundingClientRect().width > 1)
            .map((e) => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])
            .filter(([, r]) => r.height < 24 || r.width < 24).map(([html]) => html)"""
    )
    assert small == []


@pytest.mark.parametrize("size", ["tablet", "wall"])
def test_the_city_fits_other_sizes(open_page: OpenPage, size: str) -> None:
    page = open_page("/", size=size)
    settled(page)
    picture(page, f"city-{size}")
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0]
    assert page.get_by_role("grid").is_visible()


@pytest.mark.parametrize("size", ["phone", "desk"])
def test_signing_in(open_page: OpenPage, size: str) -> None:
    page = open_page("/sign-in?link=used", size=size, signed_in=False)
    settled(page)
    picture(page, f"sign-in-{size}")
    assert violations(page) == []
    assert page.get_by_role("alert").is_visible()
    page.get_by_label("Account").fill("nobody")
    page.get_by_label("Password").fill("not the one")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("alert").filter(has_not_text="link").wait_for()
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in"


def test_more_contrast_and_less_motion_are_kept(open_page: OpenPage) -> None:
    page = open_page("/", reduced_motion="reduce", forced_colors="none")
    settled(page)
    assert page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--settle').trim()") in (
        "0s",
        "0ms",
    )
    page.emulate_media(contrast="more")
    muted, ink = page.evaluate(
        """() => ['--muted', '--ink'].map((name) => {
            const probe = document.createElement('i');
            probe.style.color = `var(${name})`;
            document.body.append(probe);
            return getComputedStyle(probe).color;
        })"""
    )
    assert muted == ink


def test_the_first_view_is_light(open_page: OpenPage, demo: Demo) -> None:
    page = open_page("/nowhere")
    wire: dict[str, int] = {}
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    names: dict[str, str] = {}
    session.on("Network.responseReceived", lambda event: names.update({event["requestId"]: event["response"]["url"]}))
    session.on(
        "Network.loadingFinished",
        lambda event: wire.update({names.get(event["requestId"], "?"): int(event["encodedDataLength"])}),
    )
    page.goto(f"{demo.base}/")
    settled(page)
    first = {url: size for url, size in wire.items() if _is_first(url)}
    assert any("/assets/index-" in url for url in first)
    assert 100_000 < sum(first.values()) < 250_000, first


def _is_first(url: str) -> bool:
    """Whether a response belongs to the first view: neither the map's own code, nor tiles, nor the city's data."""
    return "/portal/" not in url and "citymap" not in url and "maplibre" not in url and url.startswith("http")


def test_a_page_prints_as_a_report(open_page: OpenPage) -> None:
    page = open_page(PAGES["entity"])
    settled(page)
    page.emulate_media(media="print")
    assert page.get_by_role("heading", level=1).is_visible()
    assert not page.get_by_role("search").is_visible()
    assert len(page.pdf()) > 10_000
