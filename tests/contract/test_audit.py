"""The audit as it is read: who did what, by page, by filter, as a file, and of one's own tenant alone."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import astuple
from typing import Any, Final

import msgspec
import pytest
from litestar import Litestar

from broadstreet.access.audit import AuditFilter
from broadstreet.apis import Services
from broadstreet.apis.app import create_app
from broadstreet.devices.registration import DeviceSpec
from broadstreet.model.clock import format_rfc3339
from broadstreet.store import load_queries
from tests.asgi import Answer, ask
from tests.contract.conftest import Clock
from tests.contract.doors import issue
from tests.contract.test_indexes import sequential

Desk = tuple[Litestar, dict[str, str]]
PROFILE: Final = '[profile]\nname = "air"\ntype = "Air"\n[attributes.NO2]\nfield = "n"\nunit = "GQ"\n'
CROWD: Final = """
    INSERT INTO audit (at, principal, tenant, action, subject)
    SELECT now(), 'p-' || n % 1000, 'city', 'a-' || n % 50 || '.x', 's-' || n % 5000 FROM generate_series(1, 20000) AS n
"""


@pytest.fixture
async def desk(services: Services, clock: Clock) -> AsyncIterator[Desk]:
    """A steward who reads; an administrator who has done a few things, a minute apart."""
    secret = await issue(services, "eve", ["steward"])
    accounts, audit = services.access.accounts, services.access.audit
    for number in range(5):
        clock.forward(60)
        await accounts.create(f"bo-{number}", "Bo", tenant="city", roles=["viewer"], by="adam")
    await accounts.create("spy", "Canary", tenant="harbour", roles=["viewer"], by="canary")
    await audit.record(clock(), "bo-1", "sign-in.refused", "bo-1", detail={"address": "192.0.2.1"})
    await audit.record(
        clock(), "adam", "dead.discard", "3 letters", tenant="city", detail={"why": "a test, said twice"}
    )
    yield create_app(services), {"authorization": f"Bearer {secret}", "content-type": "application/json"}


async def get(desk: Desk, path: str) -> Answer:
    app, headers = desk
    return await ask(app, "GET", f"/v1/audit{path}", headers=headers)


async def told(desk: Desk, query: str = "") -> list[Any]:
    answer = await get(desk, f"?{query}")
    assert answer.status == 200, answer.body
    lines: list[Any] = answer.json
    return lines


async def test_pages_follow_each_other_and_miss_nothing(desk: Desk) -> None:
    whole = [line["key"] for line in await told(desk)]
    assert whole == sorted(whole, reverse=True)
    paged: list[int] = []
    while page := await told(desk, f"limit=2&before={paged[-1]}" if paged else "limit=2"):
        paged += [line["key"] for line in page]
    assert paged == whole


async def test_each_filter_narrows(desk: Desk, clock: Clock) -> None:
    assert {line["principal"] for line in await told(desk, "principal=adam")} == {"adam"}
    assert {line["action"] for line in await told(desk, "action=account.")} == {"account.create"}
    assert [line["subject"] for line in await told(desk, "subject=bo-3&action=account.create")] == ["bo-3"]
    refused = await told(desk, "refused=true")
    assert [line["action"] for line in refused] == ["sign-in.refused"]
    assert len(refused) + len(await told(desk, "refused=false")) == len(await told(desk))
    newest = format_rfc3339(clock())
    assert {line["at"] for line in await told(desk, f"from={newest}")} == {newest}
    assert {line["subject"] for line in await told(desk, f"to={newest}&action=account.create")} == {
        *(f"bo-{number}" for number in range(4)),
        "eve",
    }
    assert await told(desk, "principal=nobody") == []
    assert (await get(desk, "?from=yesterday")).status == 400


async def test_the_file_holds_every_line_with_its_reason(desk: Desk) -> None:
    answer = await get(desk, ".csv?principal=adam")
    header, *rows = csv.reader(io.StringIO(answer.body.decode()))
    assert header == ["key", "at_utc", "principal", "action", "subject", "why", "detail"]
    assert [int(row[0]) for row in rows] == [line["key"] for line in await told(desk, "principal=adam")]
    assert rows[0][5] == "a test, said twice"


async def test_another_tenant_is_not_heard_of(desk: Desk) -> None:
    for query in ("", "principal=canary", "subject=spy", "action=account"):
        assert b"anary" not in (await get(desk, f"?{query}")).body
        assert b"anary" not in (await get(desk, f".csv?{query}")).body


async def test_a_line_about_a_device_leads_to_its_entity(desk: Desk, services: Services, clock: Clock) -> None:
    city = await services.store.tenant("city")
    await services.registry.register_profile(city, PROFILE, principal="adam", at_us=clock())
    spec = DeviceSpec(id="a-1", title="Air", profile="air", lon=24.9, lat=60.2)
    await services.registry.register(city, spec, principal="adam", at_us=clock())
    await services.access.audit.record(clock(), "adam", "device.create", "a-1", tenant="city")
    (line,) = await told(desk, "action=device.")
    assert line["entity"] == await city.fetchval("SELECT id FROM entity")
    assert {line["entity"] for line in await told(desk, "action=account.")} == {None}


async def test_no_filter_reads_the_whole_audit(desk: Desk, services: Services, clock: Clock) -> None:
    control = services.store.control
    await control.execute(CROWD)
    await control.execute("ANALYZE audit, account, account_role")
    us = (clock(), clock() + 1)
    for wanted in (
        AuditFilter(),
        AuditFilter(principal="p-7"),
        AuditFilter(action="a-7."),
        AuditFilter(subject="s-7"),
        AuditFilter(from_us=us[0], to_us=us[1]),
        AuditFilter(refused=True),
        AuditFilter(principal="p-7", action="a-7.x", subject="s-7", from_us=0, to_us=us[1], refused=False),
    ):
        explain = f"EXPLAIN (FORMAT JSON) {load_queries('audit')['list']}"
        for before in (None, 9_000):
            (plan,) = msgspec.json.decode(await control.fetchval(explain, "city", before, 100, *astuple(wanted)))
            assert "audit" not in set(sequential(plan["Plan"])), wanted


async def test_what_was_described_is_told_with_what_was_before(desk: Desk) -> None:
    app, headers = desk
    for title in ("Air", "Clean air"):
        body = {"id": "urn:air", "title": title, "retention_days": 30}
        assert (await ask(app, "PUT", "/v1/datasets", headers=headers, body=body)).status == 204
    newest, first = await told(desk, "action=dataset.")
    assert (first["detail"]["before"], first["detail"]["after"]["title"]) == (None, "Air")
    assert (newest["detail"]["before"]["title"], newest["detail"]["after"]["title"]) == ("Air", "Clean air")
    assert newest["detail"]["before"]["retention_days"] == 30
