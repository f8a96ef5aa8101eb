"""The works of a design as jobs: what each way, cable and piece costs, who waits for what, and what a phase comes to.

Phases of the ways decide everything else (`Design`): a cable is of the latest of its ways, light of the latest of its
cables, a piece of the earliest light that passes it. `Works` keeps who belongs to whom in flat arrays, so that what
phases come to is known in a fraction of a millisecond, to the cents that a bill rounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from broadstreet.network.design import Cable, Design, Port, Role, SiteKind
from broadstreet.network.ground.courses import F8, I8
from broadstreet.network.ground.ground import NO_STREET, Ground
from broadstreet.network.ground.streets import PLANT_KINDS, WayKind
from broadstreet.network.light import Passing, passings
from broadstreet.optimiser import Needs


@dataclass(frozen=True, slots=True)
class Sets:
    """Sets of numbers, one after another: none is empty."""

    members: I8
    start: I8

    @classmethod
    def of(cls, sets: Sequence[Iterable[int]]) -> Sets:
        listed = [sorted(each) for each in sets]
        assert all(listed)
        ends = np.cumsum([0] + [len(each) for each in listed])
        return cls(np.array([x for each in listed for x in each], np.int64), ends[:-1].astype(np.int64))

    def __iter__(self) -> Iterator[list[int]]:
        parts = np.split(self.members, self.start[1:]) if len(self.start) else []
        return iter([part.tolist() for part in parts])

    def least(self, values: I8) -> I8:
        found: I8 = np.minimum.reduceat(values[self.members], self.start) if len(self.start) else values[:0]
        return found

    def most(self, values: I8) -> I8:
        found: I8 = np.maximum.reduceat(values[self.members], self.start) if len(self.start) else values[:0]
        return found


class Works:
    """Ways are numbered as `design.opened` has them. Units are premises that are reached together: `rows` of each,
    `points`, and which `ways` it waits for."""

    def __init__(self, ground: Ground, design: Design, points: I8) -> None:
        self.number = {way: at for at, way in enumerate(design.opened)}
        opened = np.array(design.opened, np.int64)
        dug = ~np.isin(ground.ways.kind[opened], PLANT_KINDS)
        self.way_cents: F8 = ground.ways.length_m[opened] * ground.ways.cents_per_m[opened]
        self.way_cents = self.way_cents + ground.ways.fixed_cents[opened]
        for duct in design.ducts:
            at = [self.number[way] for way in duct.ways]
            self.way_cents[at] += ground.ways.length_m[list(duct.ways)] * ground.catalogue.duct[duct.kind].per_m_cents
        streets = defaultdict[int, list[int]](list)
        for number, way in enumerate(design.opened):
            if dug[number] and int(ground.ways.street[way]) != NO_STREET:
                streets[int(ground.ways.street[way])].append(number)
        self.streets = Sets.of(list(streets.values()))
        self.street_cents = float(ground.catalogue.permit.each_street)
        # Cables that lie in no way are of the first phase, as light is that goes through none.
        self.cables = [cable for cable in design.cables if any(cable.ways)]
        self.cable_ways = Sets.of([{self.number[way] for rows in cable.ways for way in rows} for cable in self.cables])
        self.cable_cents = np.array([_cable_cents(ground, design, cable) for cable in self.cables], np.float64)
        self.first_cents = sum(_cable_cents(ground, design, cable) for cable in design.cables if not any(cable.ways))
        self._count_light(ground, design, points)

    def _count_light(self, ground: Ground, design: Design, points: I8) -> None:
        """Sorts of light, by the cables they go through; what each piece is passed by; premises with the same sorts."""
        known = {cable.id: at for at, cable in enumerate(self.cables)}
        sort_of: dict[frozenset[int], int] = {}
        by_piece = defaultdict[str | int, set[int]](set)
        by_premises = defaultdict[int, set[int]](set)
        for passing in passings(ground, design):
            cables = frozenset(known[id] for id in passing.cables if id in known)
            sort = sort_of.setdefault(cables, len(sort_of))
            for piece in _pieces(passing):
                by_piece[piece].add(sort)
            by_premises[passing.premises].add(sort)
        # One cable more than there are, of the first phase: so that no sort is empty.
        self.sorts = Sets.of([{len(self.cables), *cables} for cables in sort_of])
        cents = defaultdict[frozenset[int], float](float)
        for piece, each in _piece_cents(ground, design).items():
            cents[frozenset(by_piece[piece])] += each
        self.first_cents += cents.pop(frozenset(), 0.0)
        self.pieces = Sets.of(list(cents))
        self.piece_cents = np.array(list(cents.values()), np.float64)
        together = defaultdict[frozenset[int], list[int]](list)
        for row, sorts in by_premises.items():
            together[frozenset(sorts)].append(row)
        self.rows = list(together.values())
        self.units = Sets.of(list(together))
        self.points = np.array([int(points[rows].sum()) for rows in self.rows], np.int64)
        of_sort = list(sort_of)
        self.unit_cables = [frozenset().union(*(of_sort[sort] for sort in sorts)) for sorts in together]
        ways = list(self.cable_ways)
        self.ways = [sorted({way for cable in cables for way in ways[cable]}) for cables in self.unit_cables]

    def reached(self, phases: I8) -> I8:
        """In which phase each unit is reached. phases: by way."""
        return self.units.most(self._light(phases))

    def _light(self, phases: I8) -> I8:
        return self.sorts.most(np.append(self.cable_ways.most(phases), 1))

    def cents(self, phases: I8, last: int) -> F8:
        """What each of the phases 1 to `last` costs; nothing is at 0."""
        cents = np.zeros(last + 1)
        cents += np.bincount(phases, self.way_cents, last + 1)
        cents += np.bincount(self.streets.least(phases), minlength=last + 1) * self.street_cents
        cents += np.bincount(self.cable_ways.most(phases), self.cable_cents, last + 1)
        cents += np.bincount(self.pieces.least(self._light(phases)), self.piece_cents, last + 1)
        cents[1] += self.first_cents
        return cents

    def needs(self) -> Needs:
        """Who needs what, for the bound: what is needed by the same units is one."""
        of_way, of_cable = defaultdict[int, set[int]](set), defaultdict[int, set[int]](set)
        of_sort = defaultdict[int, set[int]](set)
        for unit, cables in enumerate(self.unit_cables):
            for cable in cables:
                of_cable[cable].add(unit)
            for way in self.ways[unit]:
                of_way[way].add(unit)
        for unit, sorts in enumerate(self.units):
            for sort in sorts:
                of_sort[sort].add(unit)
        cents = defaultdict[frozenset[int], float](float)
        for way, each in enumerate(self.way_cents.tolist()):
            cents[frozenset(of_way[way])] += each
        for ways in self.streets:
            cents[frozenset().union(*(of_way[way] for way in ways))] += self.street_cents
        for cable, each in enumerate(self.cable_cents.tolist()):
            cents[frozenset(of_cable[cable])] += each
        for sorts, each in zip(self.pieces, self.piece_cents.tolist(), strict=True):
            cents[frozenset().union(*(of_sort[sort] for sort in sorts))] += each
        cents[frozenset()] += self.first_cents
        cost = np.floor(np.array(list(cents.values()))).astype(np.int64)
        return Needs(self.points, cost, [sorted(units) for units in cents])


def _pieces(passing: Passing) -> Iterable[str | int]:
    yield from passing.joints
    yield from passing.pieces


def _cable_cents(ground: Ground, design: Design, cable: Cable) -> float:
    """What a cable costs for its metres; none for spare fibres of what lies there."""
    rows = [way for stretch in cable.ways for way in stretch]
    if (ground.ways.kind[rows] == WayKind.FIBRE).any():
        return 0.0
    ends = {site for stretch in zip(cable.sites, cable.sites[1:], strict=False) for site in stretch}
    leads = sum(float(ground.offices.lead_m[s.office]) for s in design.sites if s.office is not None and s.id in ends)
    metres = float(ground.ways.length_m[rows].sum()) + leads
    return metres * ground.catalogue.cable[cable.fibres].per_m_cents if metres else 0.0


def _piece_cents(ground: Ground, design: Design) -> dict[str | int, float]:
    """What each site, splitter, joint and drop costs, by id or number."""
    catalogue = ground.catalogue
    cents: dict[str | int, float] = {}
    for site in design.sites:
        if site.office is not None:
            cents[site.id] = float(ground.offices.cents[site.office])
        elif site.kind is SiteKind.CABINET and site.size is not None:
            cents[site.id] = catalogue.cabinet[site.size].each_cents
        elif site.kind is SiteKind.CLOSURE and site.size is not None:
            cents[site.id] = catalogue.closure[site.size].each_cents
    for splitter in design.splitters:
        cents[splitter.id] = catalogue.splitter[splitter.ratio].each_cents
    for number, joint in enumerate(design.joints):
        ports = sum(isinstance(end, Port) for end in (joint.a, joint.b))
        splice = 0 if joint.is_connector else catalogue.splice.each_cents
        cents[number] = ports * catalogue.central_office.port_each + splice
    premises = {site.id: site.premises for site in design.sites if site.premises is not None}
    for cable in design.cables:
        if cable.role is Role.DROP:
            length_m = float(ground.premises.drop_m[premises[cable.sites[-1]]])
            per_m = catalogue.drop.labour_per_m + catalogue.drop.material_per_m
            cents[cable.id] = catalogue.drop.each_cents + length_m * per_m
    return cents
