"""Near-queries say the same however many candidates are taken at a time."""

from __future__ import annotations

import pytest
from pyproj import Geod

from broadstreet.context import geo_search
from tests.conformance.conftest import Client

GEOD = Geod(ellps="WGS84")
ALL = 60
HOME = (24.9, 60.1)


@pytest.mark.parametrize(
    ("few", "early", "some", "portion"), [(256, 4_096, 1_000, 256), (4, 0, 1_000, 4), (4, 20, 10, 4), (0, 10**6, 0, 1)]
)
async def test_every_way_finds_the_same(
    client: Client, monkeypatch: pytest.MonkeyPatch, few: int, early: int, some: int, portion: int
) -> None:
    for name, value in {"FEW": few, "EARLY": early, "SOME": some, "PORTION": portion, "GROWTH": 2}.items():
        monkeypatch.setattr(geo_search, name, value)
    kind = client.name()
    places = [(HOME[0] + n * 7 % ALL * 0.001, HOME[1]) for n in range(ALL)]
    entities = [
        {"id": f"urn:ngsi-ld:{kind}:{n:02}", "type": kind, "n": n, "location": {"type": "Point", "coordinates": place}}
        for n, place in enumerate(places)
    ]
    entities[7]["location"] = [
        {"type": "GeoProperty", "value": entities[7]["location"]},
        {"type": "GeoProperty", "value": {"type": "Point", "coordinates": HOME}, "datasetId": "urn:ngsi-ld:d:1"},
    ]
    answer = await client.ask("POST", "entityOperations/create", entities)
    assert answer.status == 201, answer.body
    far_m = [GEOD.inv(*HOME, *place)[2] for place in places]
    far_m[7] = 0.0
    where = f"entities?type={kind}&georel=near;maxDistance=={{}}&geometry=Point&coordinates=[{HOME[0]},{HOME[1]}]"
    for within_m in (1, 500, 1_700, 9_000):
        near = [f"urn:ngsi-ld:{kind}:{n:02}" for n, one in enumerate(far_m) if one <= within_m]
        for limit, offset in ((3, 0), (5, 4), (100, 0)):
            found = await client.get(f"{where.format(within_m)}&limit={limit}&offset={offset}")
            assert [one["id"] for one in found] == near[offset : offset + limit]
        odd = await client.get(f"{where.format(within_m)}&limit=100&q=n>=30")
        assert [one["id"] for one in odd] == [one for one in near if int(one.rpartition(":")[2]) >= 30]
