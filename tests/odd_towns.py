"""Small towns with odd catalogues, for who looks for designs cheaper than a bound: most prices are nothing in some of
them, so that the bound of what is left stands bare."""

from __future__ import annotations

import itertools
import random
from typing import Any

import msgspec

from broadstreet.network.ground import PlantLine, WayKind, plant_of
from broadstreet.network.ground.architecture import Architecture, Kind, default_architecture
from broadstreet.network.ground.assembly import put_together
from broadstreet.network.ground.catalogue import Catalogue, default_catalogue
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.office import Office
from broadstreet.network.ground.optics import Optics, default_optics
from broadstreet.network.ground.premises import Demand, PremisesKind, Row
from broadstreet.network.ground.rules import Rules
from tests.ground import Metres, at, line, streets, trait

CORNERS = [(60 * i, 60 * j) for i in range(3) for j in range(2)]
EDGES = [(a, b) for a, b in itertools.combinations(CORNERS, 2) if abs(a[0] - b[0]) + abs(a[1] - b[1]) == 60]
CATALOGUE = default_catalogue()
TABLES = ("trench", "crossing", "duct", "cable", "cabinet", "splitter", "splice", "closure", "drop", "existing")


def any_loss() -> Optics:
    """Optics in which no path loses too little, or too much."""
    known = default_optics()
    wide = msgspec.structs.replace(known.classes["B+"], least_loss_db=0.0, most_loss_db=60.0)
    return msgspec.structs.replace(known, classes={"B+": wide})


def priced(entry: Any, cents: int) -> Any:
    """A price, or all of a table's, as labour and material of so much each."""
    if isinstance(entry, dict):
        return {key: priced(each, cents) for key, each in entry.items()}
    names = [name for name in entry.__struct_fields__ if name.startswith(("labour_", "material_"))]
    tables = {name: getattr(entry, name) for name in entry.__struct_fields__}
    nested = {name: priced(each, cents) for name, each in tables.items() if isinstance(each, msgspec.Struct)}
    return msgspec.structs.replace(entry, **dict.fromkeys(names, cents), **nested)


def architecture(splitters: list[int], **changes: Any) -> Architecture:
    """Connectors wherever there can be one: they cost nothing."""
    kind = Kind.PON if splitters else Kind.POINT_TO_POINT
    return msgspec.structs.replace(default_architecture(), kind=kind, splitters=splitters, connectors=20, **changes)


def any_architecture(draw: random.Random) -> Architecture:
    built = architecture(draw.choice([[32], [2], [4, 8], [2, 2], []]))
    changes: dict[str, Any] = {}
    if draw.random() < 0.3:
        changes["longest_drop_m"] = draw.choice([30.0, 60.0, 300.0])
    if draw.random() < 0.3:
        changes |= {"spare_cabinet": 0.0, "spare_feeder": 0.0, "spare_distribution": 0.0}
    if draw.random() < 0.1:
        changes["fibres_per_premises"] = 2
    return msgspec.structs.replace(built, **changes)


def any_catalogue(draw: random.Random) -> Catalogue:
    """Boxes cheaper than closures, cables dearer than larger ones, none for many fibres; and much of it for nothing."""
    replace = msgspec.structs.replace
    found = CATALOGUE
    if draw.random() < 0.5:
        sizes = {size: found.cable[48 if size == 4 else size] for size in (4, 12, 24)}
        found = replace(found, cable=sizes, splice=replace(found.splice, labour_each=5_000))
    if draw.random() < 0.5:
        boxes = {
            size: replace(
                found.cabinet[48], splitters=draw.choice([0, 0, 1, 2]), labour_each=draw.choice([100, 30_000])
            )
            for size in (7, 70, 500)
        }
        found = replace(found, cabinet={**found.cabinet, **boxes})
    if draw.random() < 0.3:
        found = replace(found, closure={2: found.closure[96], **found.closure})
    if draw.random() < 0.3:
        return found
    for name in TABLES:
        if draw.random() < 0.6:
            found = replace(found, **{name: priced(getattr(found, name), 0)})
    permit = {name: 0 for name in ("each_street", "permit_per_m") if draw.random() < 0.6}
    port = {"port_each": 0} if draw.random() < 0.6 else {}
    drop = {name: 0 for name in ("labour_per_m", "material_per_m") if draw.random() < 0.3}
    return replace(
        found,
        permit=replace(found.permit, **permit),
        central_office=replace(found.central_office, **port),
        drop=replace(found.drop, **drop),
    )


def any_town(draw: random.Random) -> Ground:
    """A crooked grid of six corners with one or two offices, and up to four premises, some of them with many fibres,
    critical, or right at a corner; beside it plant, and a way that is locked or left out."""
    spot: dict[Metres, Metres] = {(x, y): (x + draw.uniform(-9, 9), y + draw.uniform(-9, 9)) for x, y in CORNERS}
    places = set[Metres]()
    for _ in range(draw.choice([1, 2, 2, 3, 3, 4])):
        beside = draw.uniform(0, 120), draw.choice([-8, 8, 52, 68]) + draw.uniform(-3, 3)
        places.add(spot[draw.choice(CORNERS)] if draw.random() < 0.15 else beside)
    rows = [
        Row(
            f"p{n}",
            f"House {n}",
            PremisesKind.ADDRESS,
            *at(*place),
            draw.choice([1.0, 2.0, 5.0]),
            0.0,
            draw.choice([1, 1, 1, 1, 2, 5, 40, 450]),
            1.0,
            draw.random() < 0.25,
        )
        for n, place in enumerate(sorted(places))
    ]
    kinds = [WayKind.DUCT, WayKind.POLE_LINE, WayKind.TRENCH, WayKind.FIBRE]
    plant = [
        PlantLine(f"x{n}", draw.choice(kinds), line(spot[a], spot[b]), room=draw.choice([-1, -1, 1, 2]))
        for n, (a, b) in enumerate(draw.sample(EDGES, draw.choice([0, 0, 1, 2, 3])))
    ]
    east, north = spot[0, 0]
    far = spot[120, 60]
    offices = [
        Office("co", "Office", *at(east, north - draw.choice([0, 0, 2]))),
        Office("far", "Far office", *at(*far), given=draw.random() < 0.5, cents=draw.choice([0, 90_000])),
    ]
    left_out = draw.choice([None, None, *EDGES])
    kept = [line(spot[a], spot[b]) for a, b in EDGES if (a, b) != left_out]
    names = [trait(f"{n % 3}" if draw.random() < 0.7 else "") for n in range(len(kept))]
    locked = (f"way/{draw.randrange(len(kept))}",) if draw.random() < 0.15 else ()
    return put_together(
        streets(kept, traits=names),
        Demand.of(rows),
        any_catalogue(draw),
        offices=offices[: draw.choice([1, 2])],
        plant=plant_of(plant),
        rules=Rules(locked=locked) if locked else None,
    )
