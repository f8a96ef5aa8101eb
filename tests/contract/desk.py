"""A desk where tables are imported into a tenant of a real store, for the tests of it."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from broadstreet.access import Principal
from broadstreet.importer import Import, ImportReport, prepare
from broadstreet.store import Database, Store

NOW_US = 1_790_000_000_000_000
ADMINISTRATOR = Principal.account("test", "Test", "city", ["administrator"])
MAPPING = """
[file]
form = "long"
[time]
column = "at"
time_zone = "Europe/Berlin"
ambiguous = "latest"
nonexistent = "shift_forward"
[sensor]
column = "id"
type = "AirQualityObserved"
entity = "urn:ngsi-ld:AirQualityObserved:{sensor}"
title = "Station {sensor}"
[attributes.NO2]
column = "no2"
unit = "GQ"
minimum = 0
[attributes.status]
column = "status"
type = "text"
[dataset]
id = "urn:example:dataset:air"
title = "Air"
owner = "The city"
licence = "CC0-1.0"
retention = "P30D"
"""
DEVICES = """
[locations]
file = "places.csv"
sensor = "id"
latitude = "lat"
longitude = "lon"
"""
AS_DEVICES = MAPPING.replace(
    'title = "Station {sensor}"', 'title = "{street}"\ndevice = "air-{sensor}"\nprofile = "air"\ninterval_s = 60'
)
AS_DEVICES += DEVICES
Rows = list[tuple[Any, ...]]


class Desk:
    """Where files are imported into the tenant `city`."""

    def __init__(self, store: Store, database: Database, folder: Path) -> None:
        self.store = store
        self.database = database
        self.folder = folder
        self.rejects = folder / "rejects"

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def work(self, file: Path, mapping: str = MAPPING) -> Import:
        prepared = prepare(file, mapping)
        return Import(self.store, self.database, prepared, principal=ADMINISTRATOR, clock=lambda: NOW_US)

    async def take_in(self, file: Path, mapping: str = MAPPING) -> ImportReport:
        report = await self.work(file, mapping).run(self.rejects)
        assert report.totals.rejected == sum(report.reasons.values())
        return report

    async def past(self) -> Rows:
        """(entity, attribute, time, value) of every observation of the imported attributes."""
        rows = await self.database.fetch(
            "SELECT e.id, t.iri, o.observed_at, o.number, o.value FROM observation o "
            "JOIN series s ON s.key = o.series_key "
            "JOIN entity e ON e.key = s.entity_key JOIN term t ON t.key = s.term_key "
            "WHERE t.iri NOT LIKE '%/name' AND t.iri NOT LIKE '%/location' ORDER BY 1, 2, 3"
        )
        return [
            (r["id"].rpartition(":")[2], r["iri"].rpartition("/")[2], r["observed_at"], r["value"] or r["number"])
            for r in rows
        ]

    def rejected(self, report: ImportReport) -> list[dict[str, str]]:
        assert report.rejects is not None
        with report.rejects.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def us(text: str) -> int:
    at_us: int = round(pd.Timestamp(text).timestamp() * 1_000_000)
    return at_us


TABLE = """at,id,no2,status
2026-01-01T00:00,a,1,fine
2026-01-01T00:00,b,2,
2026-01-01T01:00,a,-1,dull
2026-01-01T00:00,a,1,fine
2026-01-01T00:00,b,3,fine
2026-01-01T02:00,c d,5,fine
2026-01-01T02:00,,5,fine
"""


@asynccontextmanager
async def open_desk(city_dsn: str, folder: Path) -> AsyncIterator[Desk]:
    """A desk in a city of which nothing is known."""
    async with await Store.connect(city_dsn) as store:
        yield Desk(store, await store.tenant("city"), folder)
