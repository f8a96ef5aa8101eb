"""Writing entities on a real database: what each write leaves, and what becomes of it when readings race it."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import Any

import pytest

from broadstreet.access import Principal
from broadstreet.apis import Services
from broadstreet.context import CORE, Broker, parse_attribute, parse_entity, parse_fragment
from broadstreet.context import decision as decisions
from broadstreet.context.ledger import Ledger
from broadstreet.context.meta import Metas
from broadstreet.history import Observations, append
from broadstreet.model.change import ChangeBatch, Flag, decode_changes
from broadstreet.model.errors import Conflict, InvalidInput, NotAllowed, NotFound
from broadstreet.model.terms import expand
from broadstreet.store import Database, write_origin
from tests.contract.conftest import Clock

ID = "urn:ngsi-ld:Lamp:1"
ANN = Principal.account("ann", "Ann", "city", ["engineer"])
SECOND_US = 1_000_000


@pytest.fixture
async def database(services: Services) -> Database:
    return await services.store.tenant("city")


async def changes(database: Database) -> list[ChangeBatch]:
    return [decode_changes(row["body"]) for row in await database.fetch("SELECT body FROM outbox ORDER BY key")]


async def attribute(database: Database, name: str) -> Any:
    return await database.fetchrow(
        "SELECT a.* FROM attribute a JOIN series s ON s.key = a.series_key JOIN term t ON t.key = s.term_key "
        "WHERE t.iri = $1",
        expand(name),
    )


async def past(database: Database, series_key: int) -> list[tuple[int, Any]]:
    rows = await database.fetch(
        "SELECT observed_at, number, value FROM observation WHERE series_key = $1 ORDER BY observed_at", series_key
    )
    return [(row["observed_at"], row["value"] if row["number"] is None else row["number"]) for row in rows]


def entity(**attributes: Any) -> Any:
    return parse_entity({"id": ID, "type": "Lamp", **attributes}, CORE)


async def device_reading(database: Database, series_key: int, at_us: int, value: float, now_us: int) -> Any:
    """A reading, applied as the recorder and the importer do it."""
    async with database.transaction() as connection:
        origin = await write_origin(connection, "import", "a device", now_us)
        one = Observations.of([series_key], [at_us], [value])
        return await append(connection, one, origin_key=origin, written_at_us=now_us)


async def test_a_write_leaves_origin_attribute_observation_and_change(
    services: Services, database: Database, clock: Clock
) -> None:
    at_us, observed_us = clock(), clock() - 60 * SECOND_US
    observed = {"value": 5, "observedAt": "2026-03-01T11:59:00Z", "unitCode": "WTT"}
    await services.broker.create(ANN, at_us, entity(power=observed, name="one"))
    power, name = await attribute(database, "power"), await attribute(database, "name")
    assert (power["number"], power["version"], power["as_of"], power["observed_at"]) == (5, 1, observed_us, observed_us)
    assert (name["value"], name["as_of"], name["observed_at"]) == ("one", at_us, None)
    assert await past(database, power["series_key"]) == [(observed_us, 5)]
    assert await past(database, name["series_key"]) == [(at_us, "one")]
    origin = await database.fetchrow("SELECT * FROM origin")
    assert origin is not None
    assert (origin["kind"], origin["principal"], origin["at"]) == ("api", "ann", at_us)
    assert power["origin_key"] == name["origin_key"] == origin["key"]
    (batch,) = await changes(database)
    assert (batch.tenant, batch.origin_key, batch.kind, batch.principal, batch.at_us) == (
        *("city", origin["key"], "api", "ann"),
        at_us,
    )
    told = dict(zip(batch.series, zip(batch.version, batch.value, batch.old, batch.flags, strict=True), strict=True))
    created = Flag.CURRENT | Flag.CREATED
    assert told == {power["series_key"]: (1, 5, None, created), name["series_key"]: (1, "one", None, created)}
    assert [(event.id, event.types, event.operation) for event in batch.entities] == [(ID, [expand("Lamp")], "created")]


async def test_old_and_new_leave_with_each_change(services: Services, database: Database, clock: Clock) -> None:
    await services.broker.create(ANN, clock(), entity(power=5, name="one"))
    clock.forward(1)
    await services.broker.update(ANN, clock(), parse_fragment({"id": ID, "power": {"value": 6}}, CORE))
    clock.forward(1)
    name = parse_attribute({}, "name", CORE)
    await services.broker.delete_attribute(ANN, clock(), ID, name, all_instances=False)
    clock.forward(1)
    await services.broker.delete(ANN, clock(), ID)
    _, updated, unnamed, deleted = await changes(database)
    assert (updated.version, updated.value, updated.old, updated.flags) == ([2], [6], [5], [Flag.CURRENT])
    assert (unnamed.version, unnamed.value, unnamed.old) == ([2], [None], ["one"])
    assert unnamed.flags == [Flag.CURRENT | Flag.DELETED]
    assert (deleted.version, deleted.old, [event.operation for event in deleted.entities]) == ([3], [6], ["deleted"])


async def test_sub_attributes_are_interned(services: Services, database: Database, clock: Clock) -> None:
    await services.broker.create(ANN, clock(), entity(**{f"a{n}": {"value": n, "unitCode": "WTT"} for n in range(5)}))
    assert await database.fetchval("SELECT count(*) FROM meta") == 1


async def test_a_number_of_any_size_is_kept_and_leaves_as_a_double(
    services: Services, database: Database, clock: Clock
) -> None:
    large = 10**25
    await services.broker.create(ANN, clock(), entity(whole=large, within=[1, {"deep": -large}]))
    (batch,) = await changes(database)
    assert batch.value == [1e25, [1, {"deep": -1e25}]]
    assert (await attribute(database, "whole"))["value"] == large
    assert (await attribute(database, "within"))["value"] == [1, {"deep": -large}]
    for beyond in (10**400, [{"a": -(10**400)}]):
        with pytest.raises(InvalidInput, match="beyond the largest double"):
            entity(whole=beyond)


async def test_an_api_write_becomes_current_at_once(services: Services, database: Database, clock: Clock) -> None:
    await services.broker.create(ANN, clock(), entity(power=5))
    series_key = (await attribute(database, "power"))["series_key"]
    newer_us = clock() + 10 * SECOND_US
    clock.forward(20)
    await device_reading(database, series_key, newer_us, 7, clock())
    assert (await attribute(database, "power"))["number"] == 7
    earlier = {"value": 9, "observedAt": "2026-03-01T11:00:00Z"}
    await services.broker.append(ANN, clock(), entity(power=earlier), may_overwrite=True)
    row = await attribute(database, "power")
    assert (row["number"], row["as_of"] < newer_us) == (9, True)
    # A reading that is not older than what is current wins; the one that was there before the write does not return.
    await device_reading(database, series_key, newer_us, 7, clock())
    assert (await attribute(database, "power"))["number"] == 9
    await device_reading(database, series_key, newer_us + 1, 8, clock())
    assert (await attribute(database, "power"))["number"] == 8


async def test_a_time_ahead_does_not_shut_readings_out(services: Services, database: Database, clock: Clock) -> None:
    await services.broker.create(ANN, clock(), entity(power={"value": 5, "observedAt": "2099-01-01T00:00:00Z"}))
    row = await attribute(database, "power")
    assert row["as_of"] == clock()
    clock.forward(1)
    await device_reading(database, row["series_key"], clock(), 6, clock())
    assert (await attribute(database, "power"))["number"] == 6


async def test_older_readings_do_not_cross_a_deletion(services: Services, database: Database, clock: Clock) -> None:
    await services.broker.create(ANN, clock(), entity(power=5))
    series_key = (await attribute(database, "power"))["series_key"]
    clock.forward(60)
    name = parse_attribute({}, "power", CORE)
    await services.broker.delete_attribute(ANN, clock(), ID, name, all_instances=False)
    await device_reading(database, series_key, clock() - SECOND_US, 6, clock())
    assert (await attribute(database, "power"))["deleted_at"] == clock()
    with pytest.raises(NotFound):
        await services.broker.update_attribute(ANN, clock(), ID, parse_attribute({"value": 1}, "power", CORE))
    await device_reading(database, series_key, clock() + 1, 7, clock())
    row = await attribute(database, "power")
    assert (row["number"], row["deleted_at"]) == (7, None)
    assert [value for _, value in await past(database, series_key)] == [5, 6, 7]


async def test_a_reading_that_holds_the_row_is_waited_for(services: Services, database: Database, clock: Clock) -> None:
    """Two transactions side by side: the write waits for the reading, and builds on what it left."""
    await services.broker.create(ANN, clock(), entity(power=5))
    row = await attribute(database, "power")
    at_us = clock() + SECOND_US
    async with database.transaction() as connection:
        origin = await write_origin(connection, "import", "a device", at_us)
        one = Observations.of([row["series_key"]], [at_us], [6.0])
        await append(connection, one, origin_key=origin, written_at_us=at_us)
        merge = parse_fragment({"id": ID, "power": {"value": 8}}, CORE)
        writing = asyncio.ensure_future(services.broker.merge(ANN, at_us + 1, merge))
        done, _ = await asyncio.wait({writing}, timeout=0.3)
        assert not done
    await writing
    row = await attribute(database, "power")
    assert (row["number"], row["version"]) == (8, 3)
    last = (await changes(database))[-1]
    assert (last.version, last.old, last.value) == ([3], [6], [8])


async def test_writes_and_readings_at_random_agree(services: Services, database: Database, clock: Clock) -> None:
    """Many writers at once on few series: every change has a version of its own, and the past has all of them."""
    chance = Random(7)
    names = ["a", "b", "c"]
    await services.broker.create(ANN, clock(), entity(**dict.fromkeys(names, 0)))
    series = {name: (await attribute(database, name))["series_key"] for name in names}
    versions: Counter[tuple[int, int]] = Counter()
    past_only: Counter[int] = Counter()
    times = iter(range(clock() + 1, clock() + 1_000))

    async def write(at_us: int) -> None:
        chosen = chance.sample(names, chance.randint(1, 3))
        fragment = parse_fragment({"id": ID, **{name: {"value": at_us} for name in chosen}}, CORE)
        await services.broker.update(ANN, at_us, fragment)

    async def read(at_us: int) -> None:
        keys = sorted(chance.sample(list(series.values()), chance.randint(1, 3)))
        async with database.transaction() as connection:
            origin = await write_origin(connection, "import", "devices", at_us)
            some = Observations.of(keys, [at_us] * len(keys), [float(at_us)] * len(keys))
            appended = await append(connection, some, origin_key=origin, written_at_us=at_us)
        versions.update((change.series_key, change.version) for change in appended.changes)
        past_only.update(set(keys) - {change.series_key for change in appended.changes})

    await asyncio.gather(*(chance.choice([write, read])(next(times)) for _ in range(120)))
    for batch in (await changes(database))[1:]:
        versions.update(zip(batch.series, batch.version, strict=True))
    assert max(versions.values()) == 1
    for name, series_key in series.items():
        row = await attribute(database, name)
        told = {version for key, version in versions if key == series_key}
        # What went into the past alone took a version, too, and is not told.
        assert told <= set(range(2, row["version"] + 1))
        assert len(told) + past_only[series_key] == row["version"] - 1
        kept = dict(await past(database, series_key))
        assert kept[row["as_of"]] == row["number"]
        assert all(at_us == value for at_us, value in kept.items() if value)


async def test_one_of_many_creators_wins(services: Services, database: Database, clock: Clock) -> None:
    attempts = [services.broker.create(ANN, clock() + n, entity(power=n)) for n in range(12)]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert Counter(type(result) for result in results) == {Conflict: 11, type(None): 1}
    assert len(await changes(database)) == 1
    assert await database.fetchval("SELECT count(*) FROM observation") == 1


async def test_a_create_that_lost_its_race_is_decided_again(
    services: Services, database: Database, clock: Clock
) -> None:
    """Between looking and writing somebody else creates the entity: the second look finds it."""
    ledger = Ledger(database, services.store.terms(database), Metas())
    seen: list[bool] = []
    fragment = entity(power=1)

    def decide(stored: Any) -> Any:
        seen.append(ID in stored)
        return [decisions.append(stored[ID], fragment) if ID in stored else decisions.create(None, fragment)]

    async with database.transaction() as connection:
        await connection.execute(
            "INSERT INTO entity (id, types, created_at, modified_at) VALUES ($1, '{}', $2, $2)", ID, clock()
        )
        iris = [expand("Lamp"), expand("power")]
        writing = asyncio.ensure_future(ledger.write(ANN, clock(), [ID], iris, decide))
        done, _ = await asyncio.wait({writing}, timeout=0.3)
        assert not done
    await writing
    assert seen == [False, True]


async def test_the_broker_checks_the_principals_right(services: Services, clock: Clock) -> None:
    viewer = Principal.account("vic", "Vic", "city", ["viewer"])
    with pytest.raises(NotAllowed, match="entity:write"):
        await services.broker.create(viewer, clock(), entity())
    device = Principal.device("d-1", "city")
    with pytest.raises(NotAllowed, match="entity:read"):
        await services.broker.retrieve(device, ID)


async def test_tenants_do_not_see_each_other(services: Services, clock: Clock) -> None:
    await services.broker.create(ANN, clock(), entity(power=5))
    bob = Principal.account("bob", "Bob", "harbour", ["engineer"])
    with pytest.raises(NotFound):
        await services.broker.retrieve(bob, ID)
    await services.broker.create(bob, clock(), entity(power=6))
    own = await Broker(services.store).retrieve(ANN, ID)
    assert own.attributes[0].number == 5
