"""Wrong inputs of the small town of `quarter`, each with what is said of it and what the map shows; and the right ones
that look unusual."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyogrio
import shapely
from pyproj import Transformer

from broadstreet.network.ground.catalogue import default_sheet
from broadstreet.network.scenarios import base_extract
from tests.quarter import HOMES, INPUTS, OFFICE, STREETS

HEAD: Final = b"id,lon,lat,flats\n"
UNPRICED: Final = 'title = "None"\ncurrency = "EUR"\n'
HOME_COLUMNS: Final = {"id": "id", "households": "flats"}
AREA: Final = {
    "type": "Polygon",
    "coordinates": [[[24.935, 60.165], [24.95, 60.165], [24.95, 60.175], [24.935, 60.175], [24.935, 60.165]]],
}
SPUR: Final = json.dumps(
    {
        "type": "FeatureCollection",
        "features": [
            *json.loads(STREETS)["features"],
            {
                "type": "Feature",
                "properties": {"name": "Spur", "surface": "asphalt"},
                "geometry": {"type": "LineString", "coordinates": [[24.946, 60.171], [24.946, 60.1745]]},
            },
        ],
    }
).encode()
CLINIC: Final = {"id": "clinic", "label": "Clinic", "lon": 24.9461, "lat": 60.174, "is_critical": True}


@dataclass(frozen=True)
class Wrong:
    """files: in place of the town's, or beside them; inputs, wish: in place of its. said: of the error, and remedy;
    without it the plan is made. kinds: of the faults on the map."""

    name: str
    said: str = ""
    remedy: str = ""
    kinds: frozenset[str] = frozenset()
    files: Mapping[str, bytes] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    wish: Mapping[str, Any] = field(default_factory=dict)

    def all_files(self) -> dict[str, bytes]:
        return {"streets.geojson": STREETS, "homes.csv": HOMES, **self.files}

    def all_inputs(self) -> dict[str, Any]:
        return {**INPUTS, **self.inputs}


def layer(
    name: str, shapes: Sequence[Any], crs: str, columns: Mapping[str, Sequence[Any]], layers: int = 1
) -> dict[str, bytes]:
    """The files of a layer that is written in a projection; layers: how many it has, all alike."""
    turn = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    turned = [
        shapely.transform(shape, lambda at: np.column_stack(turn.transform(at[:, 0], at[:, 1]))) for shape in shapes
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        for number in range(layers):
            pyogrio.raw.write(
                path,
                np.array([shapely.to_wkb(shape) for shape in turned], dtype=object),
                [np.array(values) for values in columns.values()],
                list(columns),
                geometry_type=shapes[0].geom_type,
                crs=crs,
                append=number > 0,
                **({"layer": f"part{number}"} if layers > 1 else {}),
            )
        return {file.name: file.read_bytes() for file in Path(folder).iterdir()}


@cache
def homes(name: str, crs: str, layers: int = 1) -> dict[str, bytes]:
    """The town's houses as a layer."""
    rows = [line.split(",") for line in HOMES.decode().splitlines()[1:]]
    shapes = [shapely.Point(float(lon), float(lat)) for _, lon, lat, _ in rows]
    return layer(
        name, shapes, crs, {"id": [row[0] for row in rows], "flats": [int(row[3]) for row in rows]}, layers=layers
    )


@cache
def streets(name: str, crs: str) -> dict[str, bytes]:
    """The town's streets as a layer."""
    features = json.loads(STREETS)["features"]
    shapes = [shapely.LineString(one["geometry"]["coordinates"]) for one in features]
    columns = {key: [one["properties"][key] for one in features] for key in ("name", "surface")}
    return layer(name, shapes, crs, columns)


def of_streets(file: str) -> dict[str, Any]:
    return {"streets": {"file": file, "columns": {"name": "name", "surface": "surface"}}}


def of_homes(file: str) -> dict[str, Any]:
    return {"demand": [{"file": file, "columns": HOME_COLUMNS}]}


def metres() -> bytes:
    """The streets in metres, which do not say so."""
    turn = Transformer.from_crs("EPSG:4326", "EPSG:3879", always_xy=True)
    found = json.loads(STREETS)
    for one in found["features"]:
        line = one["geometry"]
        line["coordinates"] = [list(turn.transform(*point)) for point in line["coordinates"]]
    return json.dumps(found).encode()


def lying(files: Mapping[str, bytes], others: Mapping[str, bytes]) -> dict[str, bytes]:
    """A Shapefile with the .prj of another."""
    return {**files, **{name: content for name, content in others.items() if name.endswith(".prj")}}


def _sheet(name: str, old: str, new: str) -> str:
    text = default_sheet(name).decode()
    assert old in text
    return text.replace(old, new, 1)


EXTRACT: Final = {"e.osm.pbf": (base_extract() or Path()).read_bytes()[:98]}
"""All of an extract but what is in it: what it states of itself."""
OF_EXTRACT: Final = {"extract": "e.osm.pbf", "offices": []}
HERE: Final = frozenset({"input"})
"""It has no place of its own, and is drawn where the plan was to begin."""
BESIDE: Final = frozenset({"bad_geometry"})
DIM: Final = _sheet("optics.toml", "most_loss_db = 28.0", "most_loss_db = 18.0")


def wrongs() -> list[Wrong]:
    """All of them."""
    return [*_premises(), *_prices(), *_rules(), *_projections(), *_files()]


def _premises() -> list[Wrong]:
    """Who is to be reached."""
    return [
        Wrong(
            "nobody reached",
            "no street leads to any of the premises",
            "Allow a longer drop",
            frozenset({"unreached"}),
            {"homes.csv": HEAD + b"far,24.9435,60.1755,2\n"},
        ),
        Wrong("one astray", kinds=frozenset({"outside"}), files={"homes.csv": HOMES + b"astray,2.35,48.85,1\n"}),
        Wrong(
            "critical, street forbidden",
            "two ways must lead there",
            "open a street",
            frozenset({"critical"}),
            {"streets.geojson": SPUR},
            {"sites": [CLINIC]},
            {"closed": ["Spur"]},
        ),
        Wrong(
            "critical, one way",
            kinds=frozenset({"one_way"}),
            files={"streets.geojson": SPUR},
            inputs={"sites": [CLINIC]},
        ),
        Wrong(
            "too dim",
            "more than light of class B+ goes",
            "Choose another class",
            frozenset({"out_of_reach"}),
            wish={"optics": DIM},
        ),
        Wrong("ids twice", kinds=frozenset({"duplicate"}), files={"homes.csv": HOMES + b"b3,24.9450,60.1701,2\n"}),
        Wrong(
            "offices twice",
            "two central offices have the id co",
            "its own id",
            HERE,
            inputs={"offices": [OFFICE, OFFICE]},
        ),
        Wrong(
            "no homes", "homes.csv has no feature at all", "Write it again", frozenset({"empty"}), {"homes.csv": HEAD}
        ),
        Wrong(
            "no streets",
            "there is no street in this layer",
            "Write it again",
            frozenset({"empty"}),
            {"streets.geojson": b'{"type": "FeatureCollection", "features": []}'},
        ),
    ]


def _prices() -> list[Wrong]:
    """Prices and budgets."""
    negative = _sheet("catalogue.toml", "labour_per_m = ", "labour_per_m = -")
    return [
        Wrong(
            "no prices",
            "trench: is missing",
            "Mend",
            frozenset({"no_price"}),
            {"p.toml": UNPRICED.encode()},
            {"catalogue": "p.toml"},
        ),
        Wrong("no prices wished", "trench: is missing", "Mend", frozenset({"no_price"}), wish={"catalogue": UNPRICED}),
        Wrong(
            "negative price", "a price is not negative", "Mend", frozenset({"no_price"}), wish={"catalogue": negative}
        ),
        Wrong(
            "nothing fits",
            "nothing fits the budget of 1.00 EUR",
            "Raise",
            frozenset({"over_budget"}),
            wish={"budget_cents": 100},
        ),
        Wrong(
            "budget of 0",
            "nothing fits the budget of 0.00 EUR",
            "Raise",
            frozenset({"over_budget"}),
            wish={"budget_cents": 0},
        ),
        Wrong("budget under 0", "a whole number of 0 or more is expected", "", HERE, wish={"budget_cents": -1}),
        Wrong("phase under 0", "a whole number of 0 or more is expected", "", HERE, wish={"phase_budgets_cents": [-5]}),
        Wrong("no time, of an extract", "a number of 0.1 or more", "", HERE, EXTRACT, OF_EXTRACT, {"seconds": 0}),
        Wrong("phases of 0", "they lack", "Give more", frozenset({"over_budget"}), wish={"phase_budgets_cents": [0]}),
    ]


def _rules() -> list[Wrong]:
    """Rules, and places by their degrees."""
    return [
        Wrong(
            "contradiction",
            "is locked, and closed as well",
            "Take it out",
            frozenset({"contradiction"}),
            inputs={"rules": {"locked": ["Lane"]}},
            wish={"closed": ["Lane"]},
        ),
        Wrong(
            "no such street",
            "street's name 'Lene'",
            "Did you mean Lane",
            frozenset({"not_found"}),
            wish={"closed": ["Lene"]},
        ),
        Wrong(
            "no number, in a line",
            "a coordinate is no number",
            "with numbers",
            frozenset({"place"}),
            {"streets.geojson": STREETS.replace(b"24.942, 60.17]", b"NaN, 60.17]", 1)},
        ),
        Wrong("no number, in a table", kinds=BESIDE, files={"homes.csv": HOMES + b"n,nan,60.1701,2\n"}),
        Wrong(
            "nowhere on Earth",
            "no place on Earth",
            "Longitude comes first",
            inputs={"offices": [{**OFFICE, "lat": 95.0}]},
        ),
    ]


def _projections() -> list[Wrong]:
    """Projections, right and wrong."""
    shp = homes("homes.shp", "EPSG:3067")
    return [
        Wrong("streets in EPSG:3879", files=streets("s.gpkg", "EPSG:3879"), inputs=of_streets("s.gpkg")),
        Wrong("streets in EPSG:3067", files=streets("s.shp", "EPSG:3067"), inputs=of_streets("s.shp")),
        Wrong("homes in EPSG:3067", files=shp, inputs=of_homes("homes.shp")),
        Wrong(
            "metres", "says that it is in degrees", "EPSG:3879", frozenset({"misplaced"}), {"streets.geojson": metres()}
        ),
        Wrong(
            ".prj lies",
            "cannot be in EPSG:3879",
            "EPSG:3067",
            frozenset({"misplaced"}),
            lying(streets("s.shp", "EPSG:3067"), streets("s.shp", "EPSG:3879")),
            of_streets("s.shp"),
        ),
        Wrong(
            ".prj lies within an area",
            "cannot be in EPSG:3879",
            "EPSG:3067",
            frozenset({"misplaced"}),
            lying(shp, homes("homes.shp", "EPSG:3879")),
            {**of_homes("homes.shp"), "area": AREA},
        ),
        Wrong(
            "outside the area",
            "nothing of homes.csv lies in the area",
            "Draw the area wider",
            frozenset({"outside"}),
            {"homes.csv": HEAD + b"a,24.99,60.2,1\n"},
            {"area": AREA},
        ),
        Wrong(
            "no .shx",
            "homes.shx is not beside",
            "together",
            HERE,
            {name: content for name, content in shp.items() if not name.endswith(".shx")},
            of_homes("homes.shp"),
        ),
    ]


def _files() -> list[Wrong]:
    """What is not what its name says."""
    gpkg = homes("homes.gpkg", "EPSG:3879")["homes.gpkg"]
    two = homes("homes.gpkg", "EPSG:3879", 2)["homes.gpkg"]
    return [
        Wrong("a web page", "it looks like a web page", "Fetch", HERE, {"streets.geojson": b"<html>502</html>"}),
        Wrong(
            "a workbook",
            "it looks like a ZIP archive, or a workbook",
            "saved as CSV",
            HERE,
            {"homes.csv": b"PK\x03\x04" + bytes(90)},
        ),
        Wrong("not UTF-8", "not in UTF-8", "UTF-8", HERE, {"homes.csv": HOMES.replace(b"b3", b"b\xe93")}),
        Wrong(
            "cut short",
            "is cut short: by its header it has",
            "to the end",
            HERE,
            {"homes.gpkg": gpkg[: len(gpkg) // 2]},
            of_homes("homes.gpkg"),
        ),
        Wrong(
            "two layers",
            "this file has 2 layers, and none is named: part0, part1",
            "Name the one",
            HERE,
            {"homes.gpkg": two},
            of_homes("homes.gpkg"),
        ),
        Wrong(
            "an archive",
            "it looks like a ZIP archive",
            "Unpack",
            HERE,
            {"l.zip": b"PK\x03\x04" + bytes(90)},
            of_homes("l.zip"),
        ),
    ]
