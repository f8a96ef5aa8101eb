"""Writes of single entities, gathered into few transactions: each is decided for itself, and none is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from broadstreet.access import Principal
from broadstreet.apis import Services
from broadstreet.context import CORE, parse_attribute, parse_entity
from broadstreet.context.gathering import MAX_AT_ONCE, MAX_GATHERED
from broadstreet.context.writing import Writing
from broadstreet.model.errors import NotFound
from broadstreet.store import Database
from tests.contract.conftest import Clock

ANN = Principal.account("ann", "Ann", "city", ["engineer"])
BO = Principal.account("bo", "Bo", "city", ["engineer"])
LAMPS = 100


@pytest.fixture
async def database(services: Services) -> Database:
    return await services.store.tenant("city")


def lamp(n: int) -> str:
    return f"urn:ngsi-ld:Lamp:{n}"


async def create(services: Services, at_us: int) -> None:
    fragments = [parse_entity({"id": lamp(n), "type": "Lamp", "power": 0}, CORE) for n in range(LAMPS)]
    await asyncio.gather(*(services.broker.create(ANN, at_us + n, one) for n, one in enumerate(fragments)))


def update(services: Services, who: Principal, at_us: int, n: int, value: Any) -> Any:
    return services.broker.update_attribute(who, at_us, lamp(n), parse_attribute({"value": value}, "power", CORE))


async def powers(database: Database) -> dict[str, float]:
    rows = await database.fetch("SELECT e.id, a.number FROM entity e JOIN attribute a ON a.entity_key = e.key")
    return {row["id"]: row["number"] for row in rows}


async def test_what_comes_at_once_is_written_in_few_transactions(
    services: Services, database: Database, clock: Clock
) -> None:
    await create(services, clock())
    assert await powers(database) == {lamp(n): 0 for n in range(LAMPS)}
    before = await database.fetchval("SELECT count(*) FROM origin")
    writes = [update(services, ANN, clock() + 1_000 + n, n, n) for n in range(LAMPS)]
    writes += [update(services, ANN, clock() + 2_000, LAMPS + 1, 1)]
    *done, refused = await asyncio.gather(*writes, return_exceptions=True)
    assert done == [None] * LAMPS
    assert isinstance(refused, NotFound)
    assert await powers(database) == {lamp(n): n for n in range(LAMPS)}
    transactions = await database.fetchval("SELECT count(*) FROM origin") - before
    assert LAMPS / MAX_GATHERED <= transactions <= MAX_AT_ONCE + LAMPS // 10
    assert await database.fetchval("SELECT count(*) FROM observation") == 2 * LAMPS


async def test_writes_of_one_entity_keep_their_order(services: Services, database: Database, clock: Clock) -> None:
    await create(services, clock())
    await asyncio.gather(*(update(services, ANN, clock() + 1_000 + n, n % 3, n) for n in range(30)))
    values = await powers(database)
    assert [values[lamp(n)] for n in range(4)] == [27, 28, 29, 0]
    versions = await database.fetchval("SELECT array_agg(version ORDER BY version DESC) FROM attribute")
    assert versions == [11, 11, 11] + [1] * (LAMPS - 3)


async def test_each_write_is_put_down_to_whoever_made_it(services: Services, database: Database, clock: Clock) -> None:
    await create(services, clock())
    whose = [ANN if n % 2 else BO for n in range(40)]
    await asyncio.gather(*(update(services, who, clock() + 1_000 + n, n, 5) for n, who in enumerate(whose)))
    rows = await database.fetch(
        "SELECT e.id, o.principal FROM entity e JOIN attribute a ON a.entity_key = e.key "
        "JOIN origin o ON o.key = a.origin_key"
    )
    found = {row["id"]: row["principal"] for row in rows}
    assert [found[lamp(n)] for n in range(40)] == [who.name for who in whose]


async def test_a_group_that_cannot_be_written_is_tried_one_by_one(
    services: Services, database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await create(services, clock())
    run = Writing.run

    async def failing(self: Writing, principal: Principal, ids: Any, names: Any, decide: Any) -> Any:
        if len(ids) > 1 or lamp(7) in ids:
            raise ValueError("the disk is on fire")
        return await run(self, principal, ids, names, decide)

    monkeypatch.setattr(Writing, "run", failing)
    writes = [update(services, ANN, clock() + 1_000 + n, n, 1) for n in range(20)]
    done = await asyncio.gather(*writes, return_exceptions=True)
    assert [n for n, one in enumerate(done) if one is not None] == [7]
    assert isinstance(done[7], ValueError)
    assert [n for n in range(20) if (await powers(database))[lamp(n)] == 1] == [n for n in range(20) if n != 7]


async def test_a_caller_who_leaves_takes_nobody_along(services: Services, database: Database, clock: Clock) -> None:
    await create(services, clock())
    tasks = [asyncio.create_task(update(services, ANN, clock() + 1_000 + n, n, 1)) for n in range(10)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [n for n, one in enumerate(done) if one is not None] == [3]
    assert {n for n in range(10) if (await powers(database))[lamp(n)] == 1} >= set(range(10)) - {3}
