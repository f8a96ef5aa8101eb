"""The page for everyone: what its routes tell without a sign-in, and that they tell nothing else."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import msgspec
import pytest
from litestar import Litestar

from broadstreet.access import demand_of
from broadstreet.access.publication import Publication
from broadstreet.access.token import TokenScope
from broadstreet.access.visits import Visits
from broadstreet.apis import Services
from broadstreet.apis.guard import handlers_of
from tests.asgi import Answer, ask
from tests.contract.canaries import Filled, fill
from tests.contract.conftest import Clock
from tests.contract.doors import DENIED, calls, issue, status
from tests.contract.house import portal_of, whole_app
from tests.contract.walk import ENDLESS, targets

SPARROW, CANARY = "sparrow", "canary"
OPEN: Final = {
    "title": "Clean air",
    "licence": "CC-BY-4.0",
    "types": ["AirQualityObserved"],
    "attributes": ["NO2", "location"],
    "position_m": 1000,
}


@pytest.fixture
async def app(services: Services, data_dir: Path) -> AsyncIterator[Litestar]:
    async with portal_of(services, data_dir) as portal:
        portal.settings.maps.mkdir(exist_ok=True)
        (portal.settings.maps / "city.pmtiles").write_bytes(b"a plan")
        yield whole_app(services, portal)


@pytest.fixture
async def both(app: Litestar, services: Services, clock: Clock) -> tuple[Filled, Filled]:
    """`city`, whose sparrow is not listed, and `harbour`, which lists nothing."""
    return await fill(app, services, "city", SPARROW, clock), await fill(app, services, "harbour", CANARY, clock)


async def publish(app: Litestar, filled: Filled, *items: dict[str, object], version: int = 0) -> Answer:
    headers = {"authorization": f"Bearer {filled.token}", "content-type": "application/json"}
    return await ask(app, "PUT", "/v1/public-view", headers=headers, body={"version": version, "items": list(items)})


async def get(app: Litestar, path: str) -> Answer:
    return await ask(app, "GET", f"/portal/api/public{path}", headers={})


async def test_the_page_tells_what_is_listed(app: Litestar, both: tuple[Filled, Filled]) -> None:
    own, _ = both
    assert (await get(app, "")).json["places"] == []
    assert (await publish(app, own, OPEN)).status == 200
    page = await get(app, "")
    (item,), (place,) = page.json["items"], page.json["places"]
    assert (item["title"], item["licence"], item["places"], item["means"]) == ("Clean air", "CC-BY-4.0", 1, None)
    (value,) = place["values"]
    assert (place["id"], place["type"], value["attribute"], value["value"]) == (own.entity, "Air quality", "NO2", 40)
    assert (place["lon"], place["lat"]) != (24.9, 60.2)
    assert abs(place["lat"] - 60.2) < 0.005
    assert "set-cookie" not in page.headers
    chart = (await get(app, f"/series?id={own.entity}&attribute=NO2&from=2026-01-01T00:00:00Z")).json
    assert (chart["v"], chart["unit"]) == ([40], "µg/m³")
    newest = (await get(app, "/values.csv?item=0")).body.decode().splitlines()
    assert newest[1].startswith(own.entity)
    assert newest[1].endswith(",40.0,CC-BY-4.0")
    over_time = await get(app, f"/series.csv?id={own.entity}&attribute=NO2&from=2026-01-01T00:00:00Z")
    assert over_time.body.decode().splitlines()[1].endswith(",40.0,CC-BY-4.0")


async def test_nothing_else_is_told_to_anyone(
    app: Litestar, both: tuple[Filled, Filled], caplog: pytest.LogCaptureFixture
) -> None:
    """Every GET route of the house, asked by nobody for what there is in both tenants, by ids that were guessed."""
    own, other = both
    caplog.set_level(logging.DEBUG)
    headers = {"authorization": f"Bearer {own.token}", "content-type": "application/json"}
    dataset = {"id": f"urn:{own.name}", "title": "Air", "owner": "The city", "purpose": SPARROW}
    await ask(
        app, "PUT", "/v1/datasets", headers=headers, body=dataset
    )  # its title and its owner are told as the source
    await publish(app, own, OPEN)
    wrong, read = [], 0
    for path, handler in handlers_of(app):
        if "GET" not in handler.http_methods or path in ENDLESS:
            continue
        demand = demand_of(handler.opt)
        assert demand is not None
        for asked, tenant in ((own, None), (other, None), (other, other.tenant)):
            headers = {} if tenant is None else {"ngsild-tenant": tenant}
            for target in targets(path, handler, asked):
                answer = await ask(app, "GET", target, headers=headers)
                told = answer.body.decode(errors="replace")
                if (
                    SPARROW in told
                    or CANARY in told
                    or (asked is other and other.tenant in told and answer.status < 300)
                ):
                    wrong.append((target, answer.status, told[:200]))
                if not (demand.is_public or demand.within_reach) and answer.status not in DENIED:
                    wrong.append((target, answer.status, told[:200]))
                read += answer.status == 200 and own.entity in told
    assert wrong == []
    assert read >= 5, "what is listed is told by several routes"
    assert CANARY not in caplog.text
    for path in ("", "/values.csv", f"/series?id={other.entity}&attribute=NO2", "/map"):
        sign = "&" if "?" in path else "?"
        told = (await get(app, f"{path}{sign}tenant=harbour")).body.decode()
        assert CANARY not in told
        assert other.device not in told
    for hidden in (f"id={own.entity}&attribute={own.name}", f"id={own.own_entity}&attribute={own.name}"):
        assert (await get(app, f"/series?{hidden}")).status == 404


async def test_nobody_may_what_the_policy_says_and_no_more(app: Litestar, services: Services) -> None:
    """The access matrix's state `nobody`, where something is shown and where nothing is."""
    item = msgspec.convert(OPEN, Publication)
    for items, opened in (((), False), ((item,), True)):
        version = (await services.access.publications.read("city")).version
        database = await services.store.tenant("city")
        await services.access.publications.write("city", database, items, version=version, by="test")
        wrong = []
        for method, path, demand in calls(app):
            for tenant in (None, "harbour", "atlantis"):
                answered = await status(app, method, path, {} if tenant is None else {"ngsild-tenant": tenant})
                may = demand.within_reach and opened and method == "GET" and tenant is None
                if not demand.is_public and may != (answered not in DENIED):
                    wrong.append((method, path, tenant, opened, answered))
        assert wrong == []


async def test_a_token_limited_to_a_type_opens_what_keeps_to_it(app: Litestar, services: Services) -> None:
    await issue(services, "root", ["administrator"])
    made = await services.access.tokens.issue(
        "root", "api", "t", 600, by="root", scope=TokenScope.checked(["AirQualityObserved"], None)
    )
    wrong = []
    for method, path, demand in calls(app):
        answered = await status(app, method, path, {"authorization": f"Bearer {made.secret}"})
        if not demand.is_public and demand.within_reach != (answered not in DENIED):
            wrong.append((method, path, answered))
    assert wrong == []


async def test_a_token_limited_to_a_type_tells_of_nothing_else(
    app: Litestar, services: Services, both: tuple[Filled, Filled]
) -> None:
    own, _ = both
    scope = TokenScope.checked(["AirQualityObserved"], None)
    made = await services.access.tokens.issue(f"{own.tenant}-root", "api", "t", 600, by="root", scope=scope)
    headers = {"authorization": f"Bearer {made.secret}"}
    for path, handler in handlers_of(app):
        demand = demand_of(handler.opt)
        if "GET" in handler.http_methods and demand is not None and demand.within_reach:
            for target in targets(path, handler, own):
                answer = await ask(app, "GET", target, headers=headers)
                assert own.own_entity.encode() not in answer.body or answer.status == 404, target


async def test_a_preview_shows_and_writes_nothing(app: Litestar, both: tuple[Filled, Filled]) -> None:
    own, _ = both
    headers = {"authorization": f"Bearer {own.token}", "content-type": "application/json"}
    answer = await ask(app, "POST", "/portal/api/public/preview", headers=headers, body={"items": [OPEN]})
    assert [place["id"] for place in answer.json["places"]] == [own.entity]
    assert (await get(app, "")).json["places"] == []
    assert (await ask(app, "GET", "/v1/public-view", headers=headers)).json["version"] == 0


async def test_personal_data_is_refused_with_the_reason(app: Litestar, both: tuple[Filled, Filled]) -> None:
    own, _ = both
    headers = {"authorization": f"Bearer {own.token}", "content-type": "application/json"}
    dataset = {"id": f"urn:{own.name}", "title": "People", "personal_data": "personal"}
    assert (await ask(app, "PUT", "/v1/datasets", headers=headers, body=dataset)).status == 204
    answer = await publish(app, own, OPEN)
    assert answer.status == 400
    assert "about that person" in answer.json["detail"]


async def test_the_page_is_asked_so_often_from_one_address(
    app: Litestar, services: Services, clock: Clock, both: tuple[Filled, Filled]
) -> None:
    await publish(app, both[0], OPEN)
    services.access.visits = Visits(clock, 2)
    answered = [(await get(app, path)).status for path in ("", "/values.csv", "/map")]
    assert answered == [200, 200, 429]
