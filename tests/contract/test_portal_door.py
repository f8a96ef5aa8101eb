"""Coming in to the portal, its files and maps: cookies, links, encodings, byte ranges, and the routes as described."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadstreet.access.attempts import MAX_PER_PAIR
from broadstreet.access.token import SESSION_LIFETIME_S
from broadstreet.apis import Services
from broadstreet.city import save_city
from tests.asgi import Answer, ask
from tests.contract.conftest import Clock
from tests.contract.house import portal_of, whole_app
from tests.contract.portal_house import ORIGIN, PortalHouse, air, open_portal
from tests.contract.test_portal_pages import HELSINKI

PASSWORD = {"name": "root", "password": "a long enough secret"}


@pytest.fixture
async def house(services: Services, data_dir: Path, clock: Clock) -> AsyncIterator[PortalHouse]:
    async with open_portal(services, data_dir, clock) as opened:
        yield opened


@pytest.fixture
def client(data_dir: Path) -> Path:
    """A built client of three files."""
    folder = data_dir / "client"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html>the page")
    (folder / "index.html.br").write_bytes(b"brotli")
    (folder / "index.html.gz").write_bytes(b"gzip")
    (folder / "assets/app-1a2b3c.js").write_text("let a = 1")
    (folder / "icon.svg").write_text("<svg/>")
    return folder


async def test_signing_in_by_password(house: PortalHouse) -> None:
    answer = await ask(house.app, "POST", "/portal/api/sign-in", body=PASSWORD, headers=ORIGIN)
    assert answer.status == 200
    attributes = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/", f"max-age={SESSION_LIFETIME_S}"} <= attributes
    assert answer.json["principal"]["name"] == "root"
    house.cookie = answer.cookie
    assert (await house.get("/portal/api/session"))["tenant"] == "city"
    assert (await house.ask("/portal/api/sign-out", "POST")).status == 204
    assert (await house.ask("/portal/api/session")).status == 401


async def test_a_wrong_password_and_too_many(house: PortalHouse) -> None:
    wrong = {**PASSWORD, "password": "guess"}
    answers = [
        await ask(house.app, "POST", "/portal/api/sign-in", body=wrong, headers=ORIGIN) for _ in range(MAX_PER_PAIR + 1)
    ]
    assert [answer.status for answer in answers] == [401] * MAX_PER_PAIR + [429]
    assert answers[-1].headers["retry-after"] == "900"
    assert answers[-1].json["remedy"] == "Try again in 15 minutes."
    assert "set-cookie" not in answers[-1].headers


async def test_another_site_cannot_sign_anybody_in(house: PortalHouse) -> None:
    foreign = {"origin": "http://evil.example"}
    assert (await ask(house.app, "POST", "/portal/api/sign-in", body=PASSWORD, headers=foreign)).status == 403


async def test_behind_a_proxy_callers_are_told_apart_and_cookies_kept_to_tls(
    services: Services, data_dir: Path, house: PortalHouse
) -> None:
    async with portal_of(services, data_dir, "https://city.example", is_behind_proxy=True) as portal:
        app = whole_app(services, portal)

        async def sign_in(body: dict[str, str], forwarded: str) -> Answer:
            headers = {**ORIGIN, "x-forwarded-for": forwarded}
            return await ask(app, "POST", "/portal/api/sign-in", body=body, headers=headers, address="127.0.0.1")

        wrong = {**PASSWORD, "password": "guess"}
        spoofed = [(await sign_in(wrong, f"203.0.113.{n}, 198.51.100.1")).status for n in range(MAX_PER_PAIR + 1)]
        assert spoofed == [401] * MAX_PER_PAIR + [429]
        answer = await sign_in(PASSWORD, "198.51.100.2")
        assert answer.status == 200 and "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("origin", ["", "https://city.example"])
async def test_without_a_proxy_nobody_says_where_he_is(
    services: Services, data_dir: Path, house: PortalHouse, origin: str
) -> None:
    wrong = {**PASSWORD, "password": "guess"}
    async with portal_of(services, data_dir, origin) as portal:
        app = whole_app(services, portal)
        for n in range(MAX_PER_PAIR + 1):
            headers = {**ORIGIN, "x-forwarded-for": f"203.0.113.{n}"}
            answer = await ask(app, "POST", "/portal/api/sign-in", body=wrong, headers=headers)
    assert answer.status == 429


async def test_a_link_opens_the_portal_once(house: PortalHouse) -> None:
    path = await house.services.access.sign_in.create_link("root", by="console")
    answer = await ask(house.app, "GET", path)
    assert (answer.status, answer.headers["location"]) == (303, "/")
    house.cookie = answer.cookie
    assert (await house.get("/portal/api/session"))["principal"]["roles"] == ["administrator"]
    again = await ask(house.app, "GET", path)
    assert (again.status, again.headers["location"]) == (303, "/sign-in?link=used")
    assert "set-cookie" not in again.headers


async def test_the_session_knows_the_city(house: PortalHouse, data_dir: Path) -> None:
    city = (await house.get("/portal/api/session"))["city"]
    assert (city["title"], city["basemap"], city["time_zone"]) == ("City", None, "UTC")
    await house.register(air("a-1", lon=10.0, lat=50.0))
    house.clock.forward(5)
    city = (await house.get("/portal/api/session"))["city"]
    assert city["center"] == pytest.approx([10.0, 50.0])
    (data_dir / "maps").mkdir()
    save_city(data_dir / "maps", HELSINKI)
    house.clock.forward(5)
    city = (await house.get("/portal/api/session"))["city"]
    assert city == {
        "title": "Helsinki",
        "center": [24.945, 60.17],
        "bounds": [24.93, 60.16, 24.96, 60.18],
        "time_zone": "Europe/Helsinki",
        "basemap": "/portal/maps/helsinki.pmtiles",
        "attribution": "© OpenStreetMap contributors",
    }


PARTS: tuple[tuple[str | None, int, bytes, str | None], ...] = (
    (None, 200, b"0123456789", None),
    ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
    ("bytes=7-", 206, b"789", "bytes 7-9/10"),
    ("bytes=-2", 206, b"89", "bytes 8-9/10"),
    ("bytes=5-100", 206, b"56789", "bytes 5-9/10"),
    ("bytes=10-", 416, b"", "bytes */10"),
    ("bytes=5-2", 416, b"", "bytes */10"),
    ("bytes=-", 200, b"0123456789", None),
    ("bytes=0-1,4-5", 200, b"0123456789", None),
    ("lines=1-2", 200, b"0123456789", None),
)
"""What is asked of a map of ten bytes: the status, the body, and which part it is said to be."""


async def test_a_map_comes_in_parts(house: PortalHouse, data_dir: Path) -> None:
    (data_dir / "maps").mkdir()
    (data_dir / "maps/city.pmtiles").write_bytes(b"0123456789")
    for asked, status, body, content_range in PARTS:
        answer = await house.ask("/portal/maps/city.pmtiles", headers={} if asked is None else {"range": asked})
        assert (answer.status, answer.body) == (status, body), asked
        assert answer.headers.get("content-range") == content_range, asked
        if status != 416:
            assert (answer.headers["accept-ranges"], answer.headers["content-length"]) == ("bytes", str(len(body)))


async def test_a_map_that_has_changed_is_sent_whole(house: PortalHouse, data_dir: Path) -> None:
    (data_dir / "maps").mkdir()
    (data_dir / "maps/city.pmtiles").write_bytes(b"0123456789")
    etag = (await house.ask("/portal/maps/city.pmtiles")).headers["etag"]
    part = {"range": "bytes=0-1"}
    assert (await house.ask("/portal/maps/city.pmtiles", headers={**part, "if-range": etag})).status == 206
    assert (await house.ask("/portal/maps/city.pmtiles", headers={**part, "if-range": '"old"'})).status == 200
    assert (await house.ask("/portal/maps/city.pmtiles", headers={"if-none-match": etag})).status == 304


async def test_nothing_but_maps_leaves_the_folder(house: PortalHouse, data_dir: Path) -> None:
    (data_dir / "maps").mkdir()
    (data_dir / "maps/city.json").write_text("{}")
    (data_dir / "secret.pmtiles").write_text("secret")
    for name in ("city.json", "..%2Fsecret.pmtiles", "../secret.pmtiles", ".pmtiles"):
        assert (await house.ask(f"/portal/maps/{name}")).status == 404


async def test_the_client_comes_as_the_browser_takes_it(house: PortalHouse, client: Path) -> None:
    for accepted, encoding, body in (
        ("gzip, deflate, br", "br", b"brotli"),
        ("gzip", "gzip", b"gzip"),
        ("br;q=0, gzip;q=0.5", "gzip", b"gzip"),
        ("", None, b"<!doctype html>the page"),
    ):
        answer = await ask(house.app, "GET", "/", headers={"accept-encoding": accepted})
        assert (answer.status, answer.body, answer.headers.get("content-encoding")) == (200, body, encoding)
        assert answer.headers["content-type"].startswith("text/html")
        assert (answer.headers["cache-control"], answer.headers["vary"]) == ("no-cache", "Accept-Encoding")
        etag = answer.headers["etag"]
        again = await ask(house.app, "GET", "/", headers={"accept-encoding": accepted, "if-none-match": etag})
        assert (again.status, again.body) == (304, b"")


async def test_a_hashed_file_is_kept_for_ever(house: PortalHouse, client: Path) -> None:
    answer = await ask(house.app, "GET", "/assets/app-1a2b3c.js")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "javascript" in answer.headers["content-type"]


async def test_every_view_has_an_address(house: PortalHouse, client: Path) -> None:
    for path in ("/sign-in", "/entity/urn:ngsi-ld:A:1", "/system/dead"):
        assert (await ask(house.app, "GET", path)).body == b"<!doctype html>the page"
    for path in ("/assets/old-9z.js", "/favicon.ico", "/v1/nothing", "/ngsi-ld/v2/entities", "/portal/api/nothing"):
        answer = await ask(house.app, "GET", path)
        assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json"), path
    for path in ("/../data/run/engines.json", "/assets/../../run/engines.json"):
        assert b"nats" not in (await ask(house.app, "GET", path)).body


async def test_a_client_that_is_built_anew_is_served_anew(house: PortalHouse, client: Path) -> None:
    await ask(house.app, "GET", "/")
    (client / "index.html.br").unlink()
    (client / "index.html.gz").unlink()
    (client / "index.html").write_text("the next page")
    assert (await ask(house.app, "GET", "/")).body == b"the next page"


async def test_without_a_built_client_the_answer_says_how_to_build_it(house: PortalHouse) -> None:
    answer = await ask(house.app, "GET", "/")
    assert (answer.status, answer.json["remedy"]) == (503, "Build it: make portal.")
    assert re.search(r"max-age", answer.headers["cache-control"]) is None
