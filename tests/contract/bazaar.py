"""A tenant with things of all sorts to be taken away: numbers, texts like formulas, corrections, a long past."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from broadstreet.access import Principal
from broadstreet.apis import Services
from broadstreet.context import CORE, parse_entity
from broadstreet.devices.dataset import Dataset, describe_dataset
from broadstreet.exports import Exports, Wish
from broadstreet.history import Observations, append, moving
from broadstreet.jobs import Jobs
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.terms import compact
from broadstreet.store import Database, write_origin
from tests.contract.conftest import BEGIN_US, Clock

DAY_US = 86_400_000_000
MINUTE_US = 60_000_000
FROM_US = BEGIN_US - 9 * DAY_US
MOVED_US = (BEGIN_US - 4 * DAY_US) // DAY_US * DAY_US
FORMULAS = ["=1+1", "+49", "-a", "@SUM(A1)", "\tx"]
ODD = [*FORMULAS, "", 'a "word"', "a,b\r\nc", "Ä µ", "null", None, True, [1, 2], {"b": "=2"}]
"""Values that are no numbers."""
LONE = "urn:ngsi-ld:Bench:lone"


def bench(number: int, **attributes: Any) -> dict[str, Any]:
    """An entity, a little further east each."""
    place = {"type": "Point", "coordinates": [24.9 + number / 100, 60.17]}
    return {
        "id": f"urn:ngsi-ld:Bench:{number}",
        "type": "Bench",
        "name": {"type": "Property", "value": f"Bench {number}"},
        "address": {"type": "Property", "value": {"streetAddress": f"Street {number % 2}"}},
        "location": {"type": "GeoProperty", "value": place},
        **attributes,
    }


@dataclass
class Bazaar:
    """The tenant, the exports over it, and who takes away."""

    services: Services
    database: Database
    jobs: Jobs
    exports: Exports
    analyst: Principal
    clock: Clock

    async def take(self, **wish: Any) -> bytes:
        """A file, whole."""
        made = self.exports.stream(self.database, self.analyst, Wish(**wish), self.clock())
        return b"".join([piece.data async for piece in made])

    async def stored(self, from_us: int, to_us: int) -> list[tuple[str, str, int, Any]]:
        """What stands in table and files, (entity, attribute, time, value), looked at without the room of exports."""
        from broadstreet.history import read

        series = await self.database.fetch(
            "SELECT s.key, e.id, t.iri FROM series s JOIN entity e ON e.key = s.entity_key "
            "JOIN term t ON t.key = s.term_key"
        )
        names = {row["key"]: (row["id"], compact(row["iri"])) for row in series}
        rows = await read(self.database, sorted(names), from_us, to_us)
        return [(*names[row.series_key], row.observed_at_us, row.value) for row in rows]

    async def series(self, entity: str, attribute: str) -> int:
        """The key of a series."""
        return int(
            await self.database.fetchval(
                "SELECT s.key FROM series s JOIN entity e ON e.key = s.entity_key JOIN term t ON t.key = s.term_key "
                "WHERE e.id = $1 AND t.iri LIKE '%/' || $2",
                entity,
                attribute,
            )
        )

    async def append(self, observations: Observations, kind: str = "import", at_us: int = BEGIN_US) -> None:
        """Something observed."""
        async with self.database.transaction() as connection:
            origin = await write_origin(connection, kind, "test", at_us)
            await append(connection, observations, origin_key=origin, written_at_us=at_us)


@asynccontextmanager
async def open_bazaar(services: Services, clock: Clock, folder: Path) -> AsyncIterator[Bazaar]:
    """Four benches with loads every ten minutes for nine days, the first five of which have moved to files."""
    city = await services.store.tenant("city")
    city.files = folder / "past" / "city"
    analyst = Principal.account("ann", "Ann", "city", ["analyst"])
    engineer = Principal.account("eve", "Eve", "city", ["engineer"])
    await services.access.accounts.create("ann", "Ann", tenant="city", roles=["analyst"], by="test")
    jobs = Jobs(services.store, folder / "exports", clock, os.urandom)
    bazaar = Bazaar(services, city, jobs, Exports(services.store, services.access, jobs), analyst, clock)
    told = {"type": "Property", "value": 1, "unitCode": "KGM", "observedAt": format_rfc3339(FROM_US - DAY_US)}
    said = {"type": "Property", "value": "x", "observedAt": format_rfc3339(FROM_US - DAY_US)}
    for number in range(4):
        document = bench(number, load=told, said=said) if number else bench(number, load=told)
        fragment = parse_entity(document, CORE)
        await services.broker.create(engineer, clock(), fragment)
    lone = {"id": LONE, "type": "Bench", "load": told}
    await services.broker.create(engineer, clock(), parse_entity(lone, CORE))
    await describe_dataset(city, Dataset(id="urn:benches", title="Benches"))
    times = FROM_US + 10 * MINUTE_US * np.arange(9 * 144)
    chance = np.random.default_rng(1854)
    for number in range(4):
        key = await bazaar.series(f"urn:ngsi-ld:Bench:{number}", "load")
        if number == 3:
            await city.execute(
                "UPDATE series SET dataset_key = (SELECT key FROM dataset WHERE id = 'urn:benches') WHERE key = $1", key
            )
        meta = await city.fetchval("SELECT meta_key FROM attribute WHERE series_key = $1", key)
        metas = np.full(len(times), meta, np.int32)
        kind = "simulated" if number == 1 else "import"
        loads = chance.random(len(times)) * 10.0 ** chance.integers(-9, 18, len(times))
        await bazaar.append(Observations(np.full(len(times), key, np.int32), times + number, loads, None, metas), kind)
    odd = await bazaar.series("urn:ngsi-ld:Bench:1", "said")
    for base_us in (FROM_US + 7, BEGIN_US - DAY_US):
        at_us = base_us + MINUTE_US * np.arange(len(ODD))
        nothing = np.full(len(ODD), np.nan)
        await bazaar.append(Observations(np.full(len(ODD), odd, np.int32), at_us, nothing, ODD))
    names = iter(range(1_000))
    async with moving(city, lambda: f"file-{next(names)}", clock) as mover:
        while await mover.move_some(MOVED_US) is not None:
            pass
    assert await city.fetchval("SELECT sum(rows) FROM past_file") > 1_000
    key = await bazaar.series("urn:ngsi-ld:Bench:0", "load")
    await bazaar.append(Observations.of(key, times[[5, -5]], [500.5, -0.25]))
    yield bazaar
