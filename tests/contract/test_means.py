"""A city's means over HTTP: over table and long past, as the observations say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from broadstreet.apis import Services, create_app
from broadstreet.history import Observations
from broadstreet.model.clock import format_rfc3339
from tests.asgi import Answer, ask
from tests.contract.bazaar import DAY_US, MOVED_US, Bazaar, open_bazaar
from tests.contract.conftest import BEGIN_US, Clock
from tests.contract.doors import issue

HOUR_US = 3_600_000_000


@pytest.fixture
async def bazaar(services: Services, clock: Clock, tmp_path: Path) -> AsyncIterator[Bazaar]:
    async with open_bazaar(services, clock, tmp_path) as opened:
        yield opened


async def asked(bazaar: Bazaar, query: str, role: str = "analyst") -> Answer:
    secret = await issue(bazaar.services, f"{role}-{abs(hash(query))}", [role])
    return await ask(
        create_app(bazaar.services), "GET", f"/v1/means?{query}", headers={"authorization": f"Bearer {secret}"}
    )


async def test_means_are_those_of_all_entities(bazaar: Bazaar) -> None:
    begin_us, end_us = MOVED_US - DAY_US, MOVED_US + DAY_US
    span = f"from={format_rfc3339(begin_us)}&to={format_rfc3339(end_us)}"
    told = (await asked(bazaar, f"attribute=load&{span}&every=PT6H")).json
    stored = [row for row in await bazaar.stored(begin_us, end_us) if row[1] == "load"]
    assert (told["attribute"], told["every"], len(told["periods"])) == ("load", "PT6H", 8)
    for place, period in enumerate(told["periods"]):
        from_us = begin_us + place * 6 * HOUR_US
        values = [value for _, _, at_us, value in stored if from_us <= at_us < from_us + 6 * HOUR_US]
        assert (period["from"], period["count"]) == (format_rfc3339(from_us), len(values))
        assert np.isclose(period["mean"], np.mean(values), rtol=1e-9)


async def test_the_last_day_is_what_is_told_where_nothing_is_said(bazaar: Bazaar) -> None:
    key = await bazaar.series("urn:ngsi-ld:Bench:0", "load")
    await bazaar.append(Observations.of(key, [BEGIN_US - 3], [1.0]))
    periods = (await asked(bazaar, "attribute=load", "viewer")).json["periods"]
    assert (periods[0]["from"], periods[-1]["to"][:16]) == (
        format_rfc3339(BEGIN_US + 1 - DAY_US),
        format_rfc3339(BEGIN_US)[:16],
    )


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("attribute=height", 404),
        ("every=PT1H", 400),
        ("attribute=load&every=hour", 400),
        ("attribute=load&zone=Atlantis", 400),
        ("attribute=load&from=2026-03-01T00:00:00Z&to=2026-02-01T00:00:00Z", 400),
        ("attribute=load&from=1000-01-01T00:00:00Z&every=PT1S", 429),
    ],
)
async def test_what_cannot_be_told_is_refused(bazaar: Bazaar, query: str, status: int) -> None:
    assert (await asked(bazaar, query)).status == status
