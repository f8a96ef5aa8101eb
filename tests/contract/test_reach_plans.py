"""What is asked of a part of a tenant stays cheap: one thing reads one thing, and nothing reads the past to its end.

The views decide series by series, so that a question about all that is shown reads all of the city once; a question
about one entity, or one series, must not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest

from broadstreet.access.publication import Publication, reach_of
from broadstreet.access.reach import reach_of_limits
from broadstreet.apis import Services
from broadstreet.store import Database, load_queries
from tests.contract.canaries import Filled, fill
from tests.contract.conftest import Clock
from tests.contract.crowd import gather
from tests.contract.house import portal_of, whole_app
from tests.contract.test_indexes import GROW_FOR_EVER, GROW_WITH_THE_CITY

ALL_US: Final = (0, 4_000_000_000_000_000)
Asked = list[tuple[str, str, tuple[Any, ...]]]


@pytest.fixture
async def filled(services: Services, services_dsn: str, data_dir: Path, clock: Clock) -> Filled:
    async with portal_of(services, data_dir) as portal:
        one = await fill(whole_app(services, portal), services, "city", "sparrow", clock)
    await gather(services_dsn, "city")
    return one


def unbounded(plan: dict[str, Any]) -> Iterator[str]:
    """The tables that a plan reads from end to end, be it along an index."""
    is_scan = plan["Node Type"] in ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan")
    if is_scan and not {"Index Cond", "Recheck Cond"} & plan.keys():
        yield plan["Relation Name"]
    for inner in plan.get("Plans", ()):
        yield from unbounded(inner)


async def whole(database: Database, noun: str, name: str, args: tuple[Any, ...], filter_: str = "true") -> set[str]:
    """The tables that a query reads from end to end."""
    sql = load_queries(noun)[name].replace("true /* filter */", filter_)
    (plan,) = msgspec.json.decode(await database.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *args))
    return set(unbounded(plan["Plan"]))


async def test_one_thing_reads_one_thing(services: Services, filled: Filled, clock: Clock) -> None:
    city = await services.store.tenant("city")
    entity = await city.fetchval("SELECT key FROM entity WHERE id = $1", filled.entity)
    series = await city.fetchval("SELECT min(key) FROM series WHERE entity_key = $1", entity)
    no2 = "https://uri.etsi.org/ngsi-ld/default-context/NO2"
    one: Asked = [
        ("entity", "entity", (filled.entity, False)),
        ("entity", "entities", ([entity], False)),
        ("entity", "named", ([filled.entity],)),
        ("evolution", "series", ([entity], None)),
        ("evolution", "entity", (filled.entity,)),
        ("observation", "points", (series, *ALL_US, 1_000)),
        ("observation", "numbers", ([series], *ALL_US, 1_000)),
        ("observation", "oldest_first", ([series], *ALL_US, 10)),
        ("public", "values", ([entity],)),
        ("public", "series", (filled.entity, no2)),
    ]
    every: Asked = [("entity", "page", (20, 0)), ("entity", "count", ()), ("public", "entities", (5_000,))]
    types = ("https://uri.etsi.org/ngsi-ld/default-context/AirQualityObserved",)
    raw = Publication(title="Air", licence="CC0-1.0", types=types, attributes=(no2,))
    means = msgspec.structs.replace(raw, means="hour", days=30)
    wrong = []
    for reach in (reach_of([raw], clock()), reach_of([means], clock()), reach_of_limits(types, None)):
        assert reach is not None
        part = await services.store.tenant("city", reach)
        for noun, name, args in one:
            if read := await whole(part, noun, name, args) & (GROW_FOR_EVER | GROW_WITH_THE_CITY):
                wrong.append((noun, name, sorted(read), reach))
        for noun, name, args in every:
            if read := await whole(part, noun, name, args) & GROW_FOR_EVER:
                wrong.append((noun, name, sorted(read), reach))
    assert wrong == []
