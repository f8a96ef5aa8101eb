"""The routes of the whole application: what each declares, what a device and a browser may, how an error looks.

Who may call what stands in `test_access_matrix.py`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from litestar import Litestar, Router, get
from litestar.handlers import HTTPRouteHandler

from broadstreet.access import POLICY, demand_of, public, requires
from broadstreet.access.route import SESSION_COOKIE, Demand
from broadstreet.apis import Services, create_app
from broadstreet.apis.guard import SAFE_METHODS, handlers_of
from broadstreet.devices import DeviceSpec
from broadstreet.model.errors import BroadstreetError
from tests.asgi import ask
from tests.contract.conftest import Clock
from tests.contract.doors import DENIED, ORIGIN, calls, issue, status
from tests.contract.house import portal_of, whole_app

PROFILE = '[profile]\nname = "air"\ntype = "AirQualityObserved"\n\n[attributes.NO2]\nfield = "no2"\nunit = "GQ"\n'


@pytest.fixture
async def app(services: Services, data_dir: Path) -> AsyncIterator[Litestar]:
    async with portal_of(services, data_dir) as portal:
        yield whole_app(services, portal)


async def test_no_permission_is_idle(app: Litestar) -> None:
    assert {demand.permission for _, _, demand in calls(app)} - {None} == set(POLICY)


async def test_public_routes_say_why(app: Litestar) -> None:
    assert [path for _, path, demand in calls(app) if demand.is_public and len(demand.reason.split()) < 3] == []


async def test_a_session_may_write_from_our_own_pages_alone(app: Litestar, services: Services) -> None:
    await services.access.accounts.create("root", "Root", tenant="city", roles=["administrator"], by="test")
    secret = (await services.access.tokens.issue("root", "session", "test", 3600, by="test")).secret
    cookie = {"cookie": f"{SESSION_COOKIE}={secret}"}
    wrong = []
    for method, path, demand in calls(app):
        if "sign-out" in path:
            continue
        foreign = [
            {},
            {"origin": "http://evil.example"},
            {"origin": "null"},
            {"sec-fetch-site": "cross-site"},
            {"origin": "http://city.example.evil.example"},
        ]
        if method not in SAFE_METHODS and not demand.is_public:
            answered = [await status(app, method, path, {**cookie, **extra}) for extra in foreign]
            wrong += [(method, path, extra) for extra, code in zip(foreign, answered, strict=True) if code != 403]
        if await status(app, method, path, {**cookie, **ORIGIN}) in DENIED and not demand.is_public:
            wrong.append((method, path, ORIGIN))
    assert wrong == []


async def test_a_device_may_send_its_readings_and_no_more(app: Litestar, services: Services, clock: Clock) -> None:
    database = await services.store.tenant("city")
    await services.registry.register_profile(database, PROFILE, principal="test", at_us=clock())
    spec = DeviceSpec(id="a-1", title="Air", profile="air", lon=24.9, lat=60.2)
    secret = (await services.registry.register(database, spec, principal="test", at_us=clock())).secret
    basic = {"authorization": "Basic " + base64.b64encode(f"a-1:{secret}".encode()).decode()}
    for method, path, demand in calls(app):
        if not demand.is_public:
            may = demand.permission == "reading:write"
            assert (await status(app, method, path, basic) not in DENIED) == may, (method, path)
            assert await status(app, method, path, {**basic, "ngsild-tenant": "harbour"}) == 403


async def test_a_tenant_is_reached_with_a_role_in_it(app: Litestar, services: Services) -> None:
    bearer = {"authorization": f"Bearer {await issue(services, 'root', ['administrator'])}"}
    for tenant, expected in (("city", 200), ("harbour", 403), ("atlantis", 404)):
        answer = await ask(app, "GET", "/v1/devices", headers={**bearer, "NGSILD-Tenant": tenant})
        assert answer.status == expected
    assert answer.json["type"] == "https://uri.etsi.org/ngsi-ld/errors/NonexistentTenant"


async def test_a_route_that_declares_nothing_keeps_the_process_from_starting(services: Services) -> None:
    @get("/quiet")
    async def quiet() -> str:
        return ""

    @get("/open", opt=public("a test of the door"))
    async def declared() -> str:
        return ""

    create_app(services, [Router("/", route_handlers=[declared])])
    with pytest.raises(BroadstreetError, match="GET /quiet"):
        create_app(services, [Router("/", route_handlers=[quiet, declared])])


async def test_options_tell_a_stranger_nothing(app: Litestar) -> None:
    assert await status(app, "OPTIONS", "/v1/devices", {}) == 401


async def test_a_failure_says_nothing_of_the_inside(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    @get("/broken", opt=public("a test of the door"))
    async def broken() -> str:
        raise KeyError("the secret inside")

    answer = await ask(create_app(services, [Router("/", route_handlers=[broken])]), "GET", "/broken")
    assert (answer.status, answer.headers["content-type"]) == (500, "application/problem+json")
    assert b"secret" not in answer.body
    number = answer.json["instance"].removeprefix("urn:uuid:")
    told = [record.exc_text or "" for record in caplog.records if number in record.getMessage()]
    assert any("the secret inside" in text for text in told)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v1/nothing", 404),
        ("PATCH", "/v1/devices", 405),
        ("GET", "/v1/devices?limit=0", 400),
        ("POST", "/v1/devices", 400),
    ],
)
async def test_what_does_not_fit_is_a_problem(
    app: Litestar, services: Services, method: str, path: str, expected: int
) -> None:
    bearer = {"authorization": f"Bearer {await issue(services, 'root', ['administrator'])}"}
    answer = await ask(app, method, path, headers=bearer)
    assert (answer.status, answer.headers["content-type"]) == (expected, "application/problem+json")
    assert {"type", "title", "status", "detail"} <= set(answer.json)


async def test_every_answer_carries_the_security_headers(app: Litestar) -> None:
    for path in ("/health", "/v1/devices", "/v1/nothing", "/"):
        headers = (await ask(app, "GET", path)).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "same-origin")
        assert "cache-control" in headers


async def test_a_401_says_how_to_come_in(app: Litestar) -> None:
    assert (await ask(app, "GET", "/v1/devices")).headers["www-authenticate"].startswith("Bearer")


async def test_the_description_tells_every_route(app: Litestar) -> None:
    document = (await ask(app, "GET", "/openapi.json")).json
    assert document["openapi"].startswith("3.1")
    shown = [handler for _, handler in handlers_of(app) if handler.resolve_include_in_schema()]
    assert len(shown) == sum(len(operations) for operations in document["paths"].values())
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert len(operation["description"].split()) >= 3, (method, path)
            assert operation["tags"], (method, path)
            permission = demand_of(_handler(app, path, method).opt).permission  # type: ignore[union-attr]  # each declares
            assert permission is None or f"`{permission}`" in operation["description"]


def _handler(app: Litestar, path: str, method: str) -> HTTPRouteHandler:
    return next(h for p, h in handlers_of(app) if (p or "/") == path and method.upper() in h.http_methods)


async def test_the_page_of_the_description_needs_nobody_else(app: Litestar) -> None:
    page = (await ask(app, "GET", "/docs")).body.decode()
    assert "/v1/devices" in page
    assert re.findall(r"(?:src|href)=[\"']?(?![/#])", page) == []
    assert "url(" not in page and "@import" not in page and "<script" not in page
    assert "`" not in page, "what stands in backticks is code"
    targets = set(re.findall(r"href=#([^>\s]+)", page))
    assert targets and targets <= set(re.findall(r"id='([^']+)'", page))


def test_demands_survive_a_router() -> None:
    @get("/a", opt=requires("device:write"))
    async def handler() -> None: ...

    app = Litestar([Router("/b", route_handlers=[handler])], openapi_config=None)
    assert demand_of(handlers_of(app)[0][1].opt) == Demand("device:write")
    assert msgspec.json.encode(list(POLICY))
