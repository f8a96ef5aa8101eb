"""What is seen by whoever sees a part of a tenant: everyone, by its public view, and tokens that are limited."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import asyncpg
import msgspec
import pytest
from litestar import Litestar

from broadstreet.access import Principal
from broadstreet.access.publication import PSEUDONYMOUS_POSITION_M, Publication
from broadstreet.access.reach import ReachItem, reach_text
from broadstreet.access.token import TokenScope
from broadstreet.access.visits import Visits
from broadstreet.apis import Services
from broadstreet.apis.app import create_app
from broadstreet.model.clock import parse_rfc3339
from broadstreet.model.errors import Conflict, InvalidInput
from broadstreet.model.terms import expand
from broadstreet.store import Database
from tests.asgi import Answer, ask
from tests.contract.conftest import Clock
from tests.contract.doors import issue

API: Final = "/ngsi-ld/v1"
AIR: Final = "urn:ngsi-ld:Air:1"
QUIET: Final = "urn:ngsi-ld:Air:2"
ONE: Final = "urn:ngsi-ld:Person:1"
CANARY: Final = "canary"
HOURS: Final = {"09:10": 10.0, "09:50": 20.0, "10:20": 40.0, "11:40": 90.0}
LON, LAT = 24.9412, 60.1699
WIDE: Final = "timerel=after&timeAt=2026-01-01T00:00:00Z"
OPEN: Final = Publication(title="Air", licence="CC-BY-4.0", types=("Air",), attributes=("NO2", "name", "location"))
MEANS: Final = Publication(
    title="Air", licence="CC-BY-4.0", types=("Air",), attributes=("NO2", "location"), means="hour", position_m=1_000
)
FILED: Final = """
    UPDATE series SET dataset_key = (SELECT key FROM dataset WHERE id = 'urn:air')
    WHERE term_key = (SELECT key FROM term WHERE iri = $1)
"""


def prop(value: object, **more: object) -> dict[str, object]:
    return {"type": "Property", "value": value, **more}


@pytest.fixture
async def app(services: Services) -> AsyncIterator[Litestar]:
    """`city` with two stations of air, of which one is silent, and a person. The clock stands at noon."""
    app = create_app(services)
    secret = await issue(services, "root", ["administrator"])
    root = {"authorization": f"Bearer {secret}", "content-type": "application/json"}

    async def send(method: str, path: str, body: object) -> None:
        answer = await ask(app, method, path, headers=root, body=body)
        assert answer.status < 300, answer.body

    place = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [LON, LAT]}}
    secretive = {"note": prop(CANARY), "operator": {"type": "Relationship", "object": f"urn:ngsi-ld:{CANARY}"}}
    first = {"id": AIR, "type": ["Air", f"{CANARY}Kind"], "scope": f"/{CANARY}", "location": place}
    await send("POST", f"{API}/entities", {**first, "name": prop("Station"), **secretive})
    for at, value in HOURS.items():
        read = prop(value, unitCode="GQ", observedAt=f"2026-03-01T{at}:00Z", calibratedBy=prop(CANARY))
        await send("POST", f"{API}/entities/{AIR}/attrs", {"NO2": read, "state": prop(CANARY)})
    await send("POST", f"{API}/entities", {"id": QUIET, "type": "Air", "note": prop(CANARY)})
    await send("POST", f"{API}/entities", {"id": ONE, "type": "Person", "name": prop(CANARY)})
    await send("PUT", "/v1/datasets", {"id": "urn:air", "title": "Air", "owner": "The city"})
    await (await city(services)).execute(FILED, expand("NO2"))
    yield app


async def city(services: Services) -> Database:
    return await services.store.tenant("city")


async def publish(services: Services, *items: Publication) -> None:
    publications = services.access.publications
    version = (await publications.read("city")).version
    await publications.write("city", await city(services), items, version=version, by="root")


async def get(app: Litestar, path: str, headers: Mapping[str, str] | None = None) -> Answer:
    return await ask(app, "GET", API + path, headers=dict(headers or {}))


def numbers(temporal: Any) -> list[tuple[str, float]]:
    found = temporal["NO2"]
    return [(one["observedAt"][11:16], one["value"]) for one in (found if isinstance(found, list) else [found])]


async def past(app: Litestar) -> list[tuple[str, float]]:
    return numbers((await get(app, f"/temporal/entities/{AIR}?{WIDE}")).json)


async def test_nothing_listed_is_nothing_shown(app: Litestar, services: Services) -> None:
    for path in ("/entities?type=Air", f"/entities/{AIR}", "/types", f"/temporal/entities/{AIR}?{WIDE}"):
        assert (await get(app, path)).status == 401
    await publish(services, OPEN)
    assert (await get(app, "/entities?type=Air")).status == 200
    for elsewhere in ("harbour", "atlantis"):
        assert (await get(app, "/entities?type=Air", {"ngsild-tenant": elsewhere})).status == 401
    await publish(services)
    assert (await get(app, "/entities?type=Air")).status == 401


async def test_everyone_sees_what_is_listed_and_no_more(app: Litestar, services: Services) -> None:
    await publish(services, OPEN)
    (shown,) = (await get(app, "/entities?type=Air")).json
    assert (shown.pop("id"), shown.pop("type"), shown.pop("@context", None)) == (AIR, "Air", None)
    assert shown.keys() == {"NO2", "name", "location"}
    assert shown["NO2"] == prop(90, unitCode="GQ", observedAt="2026-03-01T11:40:00Z")
    assert (await get(app, f"/entities/{AIR}")).status == 200
    assert (await get(app, f"/entities/{QUIET}")).status == 404, "it has nothing that is listed"
    assert (await get(app, f"/entities/{ONE}")).status == 404
    assert await past(app) == [("09:10", 10), ("09:50", 20), ("10:20", 40), ("11:40", 90)]
    assert [one["typeName"] for one in (await get(app, "/types?details=true")).json] == ["Air"]


async def test_no_question_tells_of_what_is_not_listed(app: Litestar, services: Services) -> None:
    await publish(services, OPEN)
    asked = {
        f'/entities?type=Air&q=note=="{CANARY}"&count=true': 0,
        f"/entities?type=Air&q=note~={CANARY}&count=true": 0,
        f'/entities?type=Air&q=NO2.calibratedBy=="{CANARY}"&count=true': 0,
        "/entities?attrs=note&count=true": 0,
        f"/entities?scopeQ=/{CANARY}&count=true": 0,
        f"/entities?type={CANARY}Kind&count=true": 0,
        "/entities?type=Person&count=true": 0,
        "/entities?idPattern=.*&type=*&attrs=name&count=true": 1,
        "/entities?type=Air&q=NO2==90&count=true": 1,
    }
    for path, found in asked.items():
        answer = await get(app, path)
        assert (answer.status, answer.headers.get("ngsild-results-count")) == (200, str(found)), path
    quiet = ["/types?details=true", "/attributes?details=true", f"/temporal/entities/{AIR}?{WIDE}&options=sysAttrs"]
    quiet += [f"/temporal/entities?type=Air&{WIDE}", f"/temporal/entities/{AIR}?{WIDE}&timeproperty=createdAt"]
    quiet += [f"/entities/{AIR}?options=sysAttrs", f"/entities/{QUIET}", f"/entities/{ONE}"]
    for path in (*asked, *quiet):
        assert CANARY.encode() not in (await get(app, path)).body, path
    for hidden in (f"/types/{CANARY}Kind", "/attributes/note", f"/temporal/entities/{AIR}?attrs=note&{WIDE}"):
        assert (await get(app, hidden)).status == 404


async def test_means_are_shown_and_never_a_reading(app: Litestar, services: Services) -> None:
    await publish(services, MEANS)
    shown = (await get(app, f"/entities/{AIR}")).json
    assert (shown["NO2"]["value"], shown["NO2"]["observedAt"]) == (90, "2026-03-01T11:00:00Z")
    assert "name" not in shown
    assert await past(app) == [("09:00", 15), ("10:00", 40), ("11:00", 90)]
    summed = "&options=aggregatedValues&aggrMethods=max&aggrPeriodDuration=PT30M"
    maxima = (await get(app, f"/temporal/entities/{AIR}?{WIDE}{summed}")).json["NO2"]["max"]
    assert [one[0] for one in maxima] == [15, 40, 90]
    for reading in (10, 20):
        assert (await get(app, f"/entities?type=Air&q=NO2=={reading}")).json == []


async def test_an_hour_that_is_not_over_is_not_shown(app: Litestar, services: Services, clock: Clock) -> None:
    clock.now_us = parse_rfc3339("2026-03-01T11:59:00Z", "at")
    await publish(services, MEANS)
    shown = (await get(app, f"/entities/{AIR}")).json["NO2"]
    assert (shown["value"], shown["observedAt"]) == (40, "2026-03-01T10:00:00Z")
    assert len(await past(app)) == 2


async def test_places_are_rounded(app: Litestar, services: Services) -> None:
    await publish(services, MEANS)
    lon, lat = (await get(app, f"/entities/{AIR}")).json["location"]["value"]["coordinates"]
    assert (lon, lat) != (LON, LAT)
    assert abs(lat - LAT) <= 0.5 * 1_000 / 111_320 + 1e-6
    assert abs(lon - LON) <= 1_000 / 111_320 + 1e-6
    near = "/entities?georel=near;maxDistance==5&geometry=Point&coordinates=[{},{}]&type=Air"
    assert (await get(app, near.format(LON, LAT))).json == []
    assert len((await get(app, near.format(lon, lat))).json) == 1


async def test_nothing_is_shown_from_before_the_days_said(app: Litestar, services: Services, clock: Clock) -> None:
    await publish(services, msgspec.structs.replace(OPEN, days=1))
    clock.forward(22 * 3_600)
    assert await past(app) == [("10:20", 40), ("11:40", 90)]
    clock.forward(3 * 3_600)
    shown = (await get(app, f"/entities/{AIR}")).json
    assert "NO2" not in shown
    assert shown["name"]["value"] == "Station"


async def test_the_first_item_that_names_a_series_says_how(app: Litestar, services: Services) -> None:
    exact = Publication(title="B", licence="CC0-1.0", datasets=("urn:air",), attributes=("NO2", "location"))
    await publish(services, MEANS, exact)
    assert len(await past(app)) == 3
    await publish(services, exact, MEANS)
    assert len(await past(app)) == 4
    shown = (await get(app, f"/entities/{AIR}")).json
    assert shown["location"]["value"]["coordinates"] == [LON, LAT], "it goes with the dataset of its station"


@pytest.mark.parametrize(("kind", "said"), [("personal", "about that person"), ("special", "special kind")])
async def test_personal_data_is_shown_to_nobody(app: Litestar, services: Services, kind: str, said: str) -> None:
    await publish(services, OPEN)
    await (await city(services)).execute("UPDATE dataset SET personal_data = $1", kind)
    daily = Publication(title="B", licence="CC0-1.0", types=("Air",), attributes=("NO2",), means="day")
    by_dataset = msgspec.structs.replace(daily, types=None, datasets=("urn:air",), attributes=("nothing",))
    for item in (OPEN, daily, by_dataset):
        with pytest.raises(InvalidInput, match=said):
            await publish(services, item)
    shown = (await get(app, f"/entities/{AIR}")).json
    assert "NO2" not in shown, "what was published before is no longer, where its class was raised"
    assert "name" in shown


async def test_pseudonymous_data_is_shown_as_daily_means_nearby(
    app: Litestar, services: Services, clock: Clock
) -> None:
    await (await city(services)).execute("UPDATE dataset SET personal_data = 'pseudonymous'")
    item = Publication(title="B", licence="CC0-1.0", types=("Air",), attributes=("NO2",), means="day")
    coarse = msgspec.structs.replace(item, position_m=PSEUDONYMOUS_POSITION_M)
    finer = (item, msgspec.structs.replace(item, position_m=100), msgspec.structs.replace(coarse, means="hour"))
    for one in finer:
        with pytest.raises(InvalidInput, match="led back to a person"):
            await publish(services, one)
    await publish(services, coarse)
    clock.forward(86_400)
    assert await past(app) == [("00:00", 40)]


async def test_a_change_is_audited_and_crosses_no_other(app: Litestar, services: Services) -> None:
    await publish(services, OPEN)
    with pytest.raises(Conflict):
        await services.access.publications.write("city", await city(services), (), version=0, by="root")
    await publish(services, MEANS)
    newest, first = (one for one in await services.access.audit.read("city") if one.action == "public-view.change")
    assert (first.detail["before"], newest.detail["before"]) == ([], first.detail["after"])
    assert (newest.detail["after"][0]["means"], newest.principal) == ("hour", "root")


async def limited(services: Services, types: list[str] | None, datasets: list[str] | None) -> dict[str, str]:
    """The header of a token that is limited so."""
    scope = TokenScope.checked(types, datasets)
    made = await services.access.tokens.issue("root", "api", "limited", 60, by="root", scope=scope)
    return {"authorization": f"Bearer {made.secret}", "content-type": "application/json"}


async def test_a_token_sees_the_types_and_datasets_it_is_limited_to(app: Litestar, services: Services) -> None:
    everything = "/entities?idPattern=.*&local=true"
    people = await limited(services, ["Person"], None)
    assert [one["id"] for one in (await get(app, everything, people)).json] == [ONE]
    assert (await get(app, f"/entities/{AIR}", people)).status == 404
    air = await limited(services, ["Air"], None)
    shown = (await get(app, f"/entities/{AIR}", air)).json
    assert (shown["note"]["value"], shown["scope"], shown["type"]) == (CANARY, f"/{CANARY}", "Air")
    assert shown["NO2"]["calibratedBy"]["value"] == CANARY
    assert len((await get(app, "/entities?type=Air", air)).json) == 2, "one that has nothing to say, too"
    assert len(numbers((await get(app, f"/temporal/entities/{AIR}?{WIDE}&options=sysAttrs", air)).json)) == 4
    dataset = await limited(services, None, ["urn:air"])
    assert [one["id"] for one in (await get(app, everything, dataset)).json] == [AIR]
    both = await limited(services, ["Person"], ["urn:air"])
    assert (await get(app, everything, both)).json == []


async def test_a_limited_token_neither_writes_nor_reads_elsewhere(app: Litestar, services: Services) -> None:
    headers = await limited(services, ["Air"], None)
    for method, path in (("GET", "/v1/devices"), ("GET", "/v1/datasets"), ("DELETE", f"{API}/entities/{AIR}")):
        answer = await ask(app, method, path, headers=headers)
        assert answer.status == 403
        assert b"limited to entity types or datasets" in answer.body
    for kind, found in (("Person", 0), ("Air", 2)):
        posted = {"type": "Query", "entities": [{"type": kind}]}
        answer = await ask(app, "POST", f"{API}/entityOperations/query", headers=headers, body=posted)
        assert len(answer.json) == found


async def test_an_address_may_not_ask_without_end(app: Litestar, services: Services, clock: Clock) -> None:
    await publish(services, OPEN)
    services.access.visits = Visits(clock, 3)
    assert [(await get(app, f"/entities/{AIR}")).status for _ in range(4)] == [200, 200, 200, 429]
    assert (await get(app, f"/entities/{AIR}")).headers["retry-after"] == "20"
    assert (await ask(app, "GET", f"{API}/entities/{AIR}", headers={}, address="192.0.2.9")).status == 200
    clock.forward(20)
    assert (await get(app, f"/entities/{AIR}")).status == 200


async def test_a_connection_that_was_told_nothing_sees_nothing(app: Litestar, services: Services) -> None:
    nothing = await services.store.tenant("city", "[]")
    all_of_it = await services.store.tenant("city", reach_text([ReachItem(place=1, whole=True)]))
    own = await city(services)
    for view in ("entity", "series", "attribute", "observation", "place", "dataset", "origin"):
        assert await nothing.fetchval(f"SELECT count(*) FROM {view}") == 0
        whole = await own.fetchval(f"SELECT count(*) FROM {view}")
        assert await all_of_it.fetchval(f"SELECT count(*) FROM {view}") == whole > 0 or view == "dataset"
    for forbidden in ("tenant_city.entity", "control.token", "device", "tenant_city.term"):
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.UndefinedTableError)):
            await all_of_it.fetchval(f"SELECT count(*) FROM {forbidden}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await all_of_it.execute("DELETE FROM entity")


COLUMNS: Final = """
    SELECT c.relname AS name, array_agg(a.attname::text) AS columns
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'v') GROUP BY 1
"""


async def test_each_view_has_the_columns_of_its_table(services: Services) -> None:
    """But for the log's places, the people behind origins, and where values stand in an index, which views have not."""
    tables = {row["name"]: set(row["columns"]) for row in await (await city(services)).fetch(COLUMNS)}
    part = await services.store.tenant("city", "[]")
    views = {row["name"]: set(row["columns"]) for row in await part.fetch(COLUMNS)}
    differing = {name: tables[name] ^ columns for name, columns in views.items() if name in tables}
    assert {name: columns for name, columns in differing.items() if columns} == {
        "attribute": {"is_fed", "value_place"},
        "origin": {"note", "pack_id", "partition", "principal", "sequence", "stream"},
    }
    assert views.keys() - tables.keys() == {"seen"}


def test_anyone_is_no_account() -> None:
    anyone = Principal.anyone("city", "[]")
    assert anyone.kind == "anyone"
    assert not anyone.may("history:export")
    assert not anyone.is_limited
