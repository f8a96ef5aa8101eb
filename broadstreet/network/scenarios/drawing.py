"""A plan as a map draws it: layers of GeoJSON, each feature with what a reader of the map asks first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from broadstreet.network.design import Cable, Role, SiteKind, Statement
from broadstreet.network.ground import SURFACES, Fault, Ground, WayKind, faults_geojson
from broadstreet.network.ground.beside import NO_STREET, StreetBy
from broadstreet.network.ground.points import premises_points
from broadstreet.network.light import Phasing
from broadstreet.network.scenarios.following import Follower
from broadstreet.network.scenarios.wish import Sheets

_DECIMALS: Final = 7
Feature = dict[str, Any]


def layers_of(statement: Statement, ground: Ground, sheets: Sheets, faults: Iterable[Fault]) -> Mapping[str, bytes]:
    """Every layer of a plan, by its name. faults: of the ground, and of the plan (`faults_of`)."""
    drawing = _Drawing(statement, ground, sheets)
    makers: dict[str, Callable[[], Iterator[Feature]]] = {
        "ways": drawing.ways,
        "cables": drawing.cables,
        "sites": drawing.sites,
        "premises": drawing.premises,
    }
    made = {name: collection(make()) for name, make in makers.items()}
    return {**made, "faults": faults_geojson(faults)}


LAYERS: Final = ("ways", "cables", "sites", "premises", "faults")


def collection(features: Iterator[Feature]) -> bytes:
    """Features as one GeoJSON document."""
    return msgspec.json.encode({"type": "FeatureCollection", "features": list(features)})


def line_of(ground: Ground, way: int) -> list[list[float]]:
    """A way's course, as GeoJSON has it."""
    courses = ground.ways.courses
    at = slice(int(courses.starts[way]), int(courses.starts[way + 1]))
    return [
        [round(lon, _DECIMALS), round(lat, _DECIMALS)]
        for lon, lat in zip(courses.lon[at].tolist(), courses.lat[at].tolist(), strict=True)
    ]


def feature(kind: str, coordinates: object, properties: dict[str, Any]) -> Feature:
    """One feature."""
    return {"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties}


def way_properties(ground: Ground, way: int) -> dict[str, Any]:
    """What a way is, whatever lies in it."""
    ways = ground.ways
    street = int(ways.street[way])
    return {
        "way": ground.way_ids[ways.way[way]],
        "street": None if street == NO_STREET else ground.streets[street],
        "street_by": StreetBy(ways.street_by[way]).name.lower(),
        "kind": WayKind(ways.kind[way]).name.lower(),
        "surface": SURFACES[ways.surface[way]],
        "length_m": round(float(ways.length_m[way]), 2),
        "open_cents": int(ways.open_cents[way]),
        "locked": bool(ways.locked[way]),
    }


class _Drawing:
    def __init__(self, statement: Statement, ground: Ground, sheets: Sheets) -> None:
        self.statement, self.ground, self.design = statement, ground, statement.design
        self.follower = Follower(statement, ground, sheets)

    def ways(self) -> Iterator[Feature]:
        """Ways that are opened, with what lies in each."""
        cables: defaultdict[int, list[Cable]] = defaultdict(list)
        for cable in self.design.cables:
            for way in {way for stretch in cable.ways for way in stretch}:
                cables[way].append(cable)
        ducts: defaultdict[int, list[str]] = defaultdict(list)
        for duct in self.design.ducts:
            for way in duct.ways:
                ducts[way].append(duct.kind)
        phases: Sequence[int] = self.design.phases or [1] * len(self.design.opened)
        for way, phase in zip(self.design.opened, phases, strict=True):
            inside = cables[way]
            yield feature(
                "LineString",
                line_of(self.ground, way),
                {
                    **way_properties(self.ground, way),
                    "phase": phase,
                    "cables": [cable.id for cable in inside],
                    "roles": sorted({cable.role for cable in inside}),
                    "fibres": sum(cable.fibres for cable in inside),
                    "ducts": sorted(ducts[way]),
                },
            )

    def cables(self) -> Iterator[Feature]:
        """Cables that lie in ways; drops are a layer of the premises'."""
        reached = self.follower.reached
        for cable in self.design.cables:
            if cable.role is Role.DROP:
                continue
            length_m = sum(self.follower.stretch_m(cable, n) for n in range(len(cable.ways)))
            lit = sum((cable.id, fibre) in reached for fibre in range(1, cable.fibres + 1))
            yield feature(
                "LineString",
                self._course(cable),
                {
                    "id": cable.id,
                    "role": cable.role,
                    "fibres": cable.fibres,
                    "lit": lit,
                    "length_m": round(length_m, 2),
                    "begins": self.follower.named(cable.sites[0]),
                    "ends": self.follower.named(cable.sites[-1]),
                },
            )

    def sites(self) -> Iterator[Feature]:
        """Offices, cabinets and closures."""
        splitters: defaultdict[str, list[int]] = defaultdict(list)
        joints: defaultdict[str, int] = defaultdict(int)
        for splitter in self.design.splitters:
            splitters[splitter.site].append(splitter.ratio)
        for joint in self.design.joints:
            joints[joint.site] += 1
        offices = self.ground.offices
        for site in self.design.sites:
            if site.kind is SiteKind.PREMISES:
                continue
            place = [float(self.ground.lon[site.node]), float(self.ground.lat[site.node])]
            if site.office is not None:
                place = [float(offices.lon[site.office]), float(offices.lat[site.office])]
            yield feature(
                "Point",
                [round(axis, _DECIMALS) for axis in place],
                {
                    "id": site.id,
                    "kind": site.kind,
                    "label": self.follower.named(site.id),
                    "size": site.size,
                    "joints": joints[site.id],
                    "splitters": [f"1:{ratio}" for ratio in sorted(splitters[site.id])],
                },
            )

    def premises(self) -> Iterator[Feature]:
        """Everyone who was to be reached: a line from each to where its drop leaves the way."""
        premises, demand = self.ground.premises, self.ground.premises.demand
        served, second = set(self.design.served), set(self.design.second)
        phase = Phasing.of(self.ground, self.design).premises
        points = self._points()
        worst: defaultdict[int, float] = defaultdict(float)
        for path in self.statement.paths:
            worst[path.premises] = max(worst[path.premises], path.loss_db)
        for row in range(len(premises)):
            node = premises.node[row]
            ends = [(demand.lon[row], demand.lat[row]), (self.ground.lon[node], self.ground.lat[node])]
            yield feature(
                "LineString",
                [[round(float(axis), _DECIMALS) for axis in end] for end in ends],
                {
                    "id": demand.ids[row],
                    "label": demand.labels[row],
                    "fibres": int(demand.fibres[row]),
                    "weight": round(float(demand.weight[row]), 3),
                    "critical": bool(demand.is_critical[row]),
                    "served": row in served,
                    "second": row in second,
                    "drop_m": round(float(premises.drop_m[row]), 2),
                    "loss_db": round(worst[row], 3) if row in served else None,
                    "phase": phase.get(row, 1) if row in served else None,
                    "points": None if points is None else points[row],
                },
            )

    def _points(self) -> list[int] | None:
        """What each premises is worth, where that decided whom to serve, or when."""
        decided = self.statement.programme or self.statement.choice
        return None if decided is None else premises_points(self.ground, decided.worth).tolist()

    def _course(self, cable: Cable) -> list[list[float]]:
        """A cable's course: its ways one after another, each from where the one before it ended."""
        follower, ways = self.follower, self.ground.ways
        here = follower.sites[cable.sites[0]].node
        points: list[list[float]] = []
        for way in (way for stretch in cable.ways for way in stretch):
            line = line_of(self.ground, way)
            a, b = int(ways.a[way]), int(ways.b[way])
            if here == b and here != a:
                line.reverse()
            here = a if here == b and here != a else b
            points += line if not points else line[1:]
        if len(points) < 2:
            node = follower.sites[cable.sites[0]].node
            points = [[float(self.ground.lon[node]), float(self.ground.lat[node])]] * 2
        return points
