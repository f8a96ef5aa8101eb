"""The bill, taken apart: for whom each cent is spent, and when.

Each item's cents are spread over the pieces that it counts, by their quantity, to the last cent; a piece is for the
areas whose light passes it, in the proportion of their sockets; one that no light passes is for all. So a trench that
two areas share is told apart, and what an area costs beside those that are built already can be asked. Drops are kept
by premises, since they can wait for their customer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Port, Role, SiteKind, Statement, What
from broadstreet.network.ground import OBSTACLES, SURFACES, Ground, WayKind
from broadstreet.network.ground.courses import F8, I8
from broadstreet.network.ground.ground import NO_STREET
from broadstreet.network.investment.catchment import Area, Catchment, Users, catchment_of

WHATS = tuple(What)
_PLANT = {WayKind.DUCT: "duct", WayKind.TRENCH: "trench", WayKind.FIBRE: "fibre"}

Key = tuple[What, str, str, int]
"""What an item is of: its kind, key, unit and phase."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """So much of an item, and for whom."""

    key: Key
    quantity: float
    users: Users


@dataclass(frozen=True, eq=False)
class Outlay:
    """A row for what has one kind, phase and users. what: a number in WHATS. users: rows by areas, each row sums to 1.
    ways_m: metres of opened ways; ports: of offices. rows: the served premises, with their areas, phases, drops."""

    areas: tuple[Area, ...]
    currency: str
    what: I8
    phase: I8
    cents: I8
    ways_m: F8
    ports: F8
    users: F8
    rows: I8
    area_of: I8
    phase_of: I8
    drop_cents: I8

    @cached_property
    def last_phase(self) -> int:
        return int(max(self.phase.max(initial=1), self.phase_of.max(initial=1)))

    @property
    def bill_cents(self) -> int:
        return int(self.cents.sum() + self.drop_cents.sum())


def spread(cents: int, weights: Sequence[float] | F8) -> I8:
    """Whole cents by weight that sum to the whole: each rounded down, the rest to those with the largest remainders."""
    weight = np.asarray(weights, dtype=np.float64)
    if weight.sum() <= 0:
        weight = np.ones_like(weight)
    exact = weight / weight.sum() * cents
    whole: I8 = np.floor(exact).astype(np.int64)
    rest = cents - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:rest]] += 1
    return whole


def outlay_of(statement: Statement, ground: Ground) -> Outlay:
    """The bill by areas and phases. Raises InvalidInput where the design is of another ground, or serves nobody."""
    design = statement.design
    if design.ground != ground.digest:
        raise InvalidInput(
            "the plan is of another ground than this one",
            where="plan",
            remedy="Give the ground that it was planned on.",
        )
    if not design.served:
        raise InvalidInput("the plan serves nobody", where="plan", remedy="Plan for one premises or more.")
    catchment = catchment_of(design, ground)
    return _Ledger(statement, ground, catchment).outlay()


class _Ledger:
    def __init__(self, statement: Statement, ground: Ground, catchment: Catchment) -> None:
        self.statement, self.design, self.ground = statement, statement.design, ground
        self.catchment = catchment
        sockets = Counter(catchment.area_of.values())
        self.everybody: Users = sockets
        self.phase_of_way = dict(zip(self.design.opened, self.design.phases, strict=True)) if self.design.phases else {}

    def outlay(self) -> Outlay:
        cents: defaultdict[tuple[int, int, tuple[tuple[int, int], ...]], int] = defaultdict(int)
        ways_m: defaultdict[tuple[int, int, tuple[tuple[int, int], ...]], float] = defaultdict(float)
        ports: defaultdict[tuple[int, int, tuple[tuple[int, int], ...]], float] = defaultdict(float)
        pieces: defaultdict[Key, list[_Piece]] = defaultdict(list)
        for piece in self._pieces():
            pieces[piece.key].append(piece)
        for item in self.statement.bill.items:
            if item.what is What.DROP:
                continue
            key = item.what, item.key, item.unit, item.phase
            found = pieces[key] or [_Piece(key, 1.0, self.everybody)]
            for piece, part in zip(found, spread(item.cents, [one.quantity for one in found]).tolist(), strict=True):
                row = WHATS.index(item.what), item.phase, _told(piece.users or self.everybody)
                cents[row] += part
                if item.what is What.PORT:
                    ports[row] += piece.quantity
        opened = WHATS.index(What.TRENCH)
        for way in self.design.opened:
            row = opened, self.phase_of_way.get(way, 1), _told(self.catchment.ways.get(way) or self.everybody)
            ways_m[row] += float(self.ground.ways.length_m[way])
        rows = sorted({*cents, *ways_m})
        users = np.zeros((len(rows), len(self.catchment.areas)))
        for number, (_, _, told) in enumerate(rows):
            users[number, [area for area, _ in told]] = [count for _, count in told]
        served = sorted(self.catchment.area_of)
        return Outlay(
            self.catchment.areas,
            self.statement.bill.currency,
            _whole(what for what, _, _ in rows),
            _whole(phase for _, phase, _ in rows),
            _whole(cents[row] for row in rows),
            np.array([ways_m[row] for row in rows]),
            np.array([ports[row] for row in rows]),
            users / users.sum(axis=1, keepdims=True),
            _whole(served),
            _whole(self.catchment.area_of[row] for row in served),
            _whole(self.catchment.phase_of[row] for row in served),
            self._drops(served),
        )

    def _drops(self, served: list[int]) -> I8:
        """The bill's drops by premises: those of each phase by pieces, or by metres. One drop of a premises may be of a
        later phase than another, where its second way is."""
        count, metres = defaultdict[tuple[int, int], float](float), defaultdict[tuple[int, int], float](float)
        row_of = {site.id: site.premises for site in self.design.sites if site.premises is not None}
        for cable in self.design.cables:
            if cable.role is Role.DROP and (row := row_of.get(cable.sites[-1])) is not None:
                key = row, self.catchment.lit.get(cable.id, 1)
                count[key] += 1
                metres[key] += float(self.ground.premises.drop_m[row])
        found = np.zeros(len(served), dtype=np.int64)
        for item in self.statement.bill.items:
            if item.what is What.DROP:
                weight = metres if item.unit == "m" else count
                found += spread(item.cents, [weight[row, item.phase] for row in served])
        return found

    def _pieces(self) -> Iterator[_Piece]:
        yield from self._opened()
        yield from self._laid()
        yield from self._set_up()

    def _opened(self) -> Iterator[_Piece]:
        """Ways: trench, permits, crossings, the use of plant; the ducts in them."""
        table = self.ground.ways
        streets: defaultdict[int, list[tuple[int, Users]]] = defaultdict(list)
        for way in self.design.opened:
            users = self.catchment.ways.get(way, Counter())
            phase, length_m = self.phase_of_way.get(way, 1), float(table.length_m[way])
            kind = WayKind(int(table.kind[way]))
            if kind in _PLANT:
                yield _Piece((What.PLANT, _PLANT[kind], "m", phase), length_m, users)
                continue
            if kind is WayKind.POLE_LINE:
                yield _Piece((What.POLE_LINE, "", "m", phase), length_m, users)
                continue
            yield _Piece((What.TRENCH, SURFACES[int(table.surface[way])].value, "m", phase), length_m, users)
            yield _Piece((What.PERMIT, "", "m", phase), length_m, users)
            across = [kind.value for kind, is_there in zip(OBSTACLES, table.crossings[way], strict=True) if is_there]
            for name in [*across, *(["street"] if kind is WayKind.CROSSING else [])]:
                yield _Piece((What.CROSSING, name, "each", phase), 1.0, users)
            if (street := int(table.street[way])) != NO_STREET:
                streets[street].append((phase, users))
        for ways in streets.values():
            users = sum((used for _, used in ways), Counter[int]())
            yield _Piece((What.PERMIT, "", "street", min(phase for phase, _ in ways)), 1.0, users)
        in_duct = self._in_ducts()
        for duct in self.design.ducts:
            for way in duct.ways:
                key = (What.DUCT, duct.kind, "m", self.phase_of_way.get(way, 1))
                users = in_duct.get((duct.id, way)) or self.catchment.ways.get(way, Counter())
                yield _Piece(key, float(table.length_m[way]), users)

    def _in_ducts(self) -> dict[tuple[str, int], Users]:
        """For whom each duct is on each of its ways: for whoever uses the cables that lie in it there."""
        found: dict[tuple[str, int], Users] = {}
        for cable in self.design.cables:
            for number, (ways, ducts) in enumerate(zip(cable.ways, cable.ducts, strict=True)):
                users = self.catchment.stretches.get((cable.id, number), Counter())
                for way, duct in zip(ways, ducts, strict=True):
                    found[duct, way] = found.get((duct, way), Counter()) + users
        return found

    def _laid(self) -> Iterator[_Piece]:
        """Cables, stretch by stretch; one that no light passes is for whoever uses its cable."""
        table, offices = self.ground.ways, self.ground.offices
        office_of = {site.id: site.office for site in self.design.sites}
        for cable in self.design.cables:
            if any(int(table.kind[way]) == WayKind.FIBRE for ways in cable.ways for way in ways):
                continue
            phase = max((self.phase_of_way.get(way, 1) for ways in cable.ways for way in ways), default=1)
            stretches = [self.catchment.stretches.get((cable.id, n), Counter()) for n in range(len(cable.ways))]
            whole: Users = sum(stretches, Counter())
            for n, ways in enumerate(cable.ways):
                length_m = sum(float(table.length_m[way]) for way in ways)
                at = [office_of[id] for id in cable.sites[n : n + 2]]
                length_m += sum(float(offices.lead_m[office]) for office in at if office is not None)
                if length_m:
                    yield _Piece((What.CABLE, str(cable.fibres), "m", phase), length_m, stretches[n] or whole)

    def _set_up(self) -> Iterator[_Piece]:
        """Offices, cabinets, closures, splitters, joints, ports."""
        things, lit = self.catchment.things, self.catchment.lit
        named = {SiteKind.CABINET: What.CABINET, SiteKind.CLOSURE: What.CLOSURE}
        for site in self.design.sites:
            key = "each", lit.get(site.id, 1)
            if site.office is not None:
                yield _Piece((What.OFFICE, self.ground.offices.ids[site.office], *key), 1.0, _of(things, site.id))
            elif site.kind in named:
                yield _Piece((named[site.kind], str(site.size), *key), 1.0, _of(things, site.id))
        for splitter in self.design.splitters:
            where = What.SPLITTER, str(splitter.ratio), "each", lit.get(splitter.id, 1)
            yield _Piece(where, 1.0, _of(things, splitter.id) or _of(things, splitter.site))
        for number, joint in enumerate(self.design.joints):
            users = self.catchment.joints.get(number) or _of(things, joint.site)
            phase = lit.get(number, 1)
            if not joint.is_connector:
                yield _Piece((What.JOINT, "", "each", phase), 1.0, users)
            for end in (joint.a, joint.b):
                if isinstance(end, Port):
                    yield _Piece((What.PORT, "", "each", phase), 1.0, users)


def _of(things: dict[str, Users], id: str) -> Users:
    return things.get(id, Counter())


def _told(users: Users) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(users.items()))


def _whole(numbers: Iterable[int]) -> NDArray[np.int64]:
    return np.array(list(numbers), dtype=np.int64)
