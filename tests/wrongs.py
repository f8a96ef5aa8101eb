"""Plans planted wrong: each takes a trial whose statement is correct, and makes one thing of it untrue."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Final

from broadstreet.network.design import (
    Choice,
    End,
    Fibre,
    Leg,
    Port,
    Programme,
    Role,
    Side,
    SiteKind,
    Socket,
    What,
)
from broadstreet.network.ground import (
    default_worth,
)
from broadstreet.network.proof import FindingKind as Kind
from tests.designs import Drawn
from tests.town import CRITICAL, lined, node_at, plant_rows, rows_of
from tests.trial import Trial, to


def _column(part: Any, name: str, row: int, value: Any) -> Any:
    """A part of the ground with another value in one row of one column."""
    column = getattr(part, name).copy()
    column[row] = value
    return dataclasses.replace(part, **{name: column})


def _way(trial: Trial, name: str, row: int, value: Any) -> Trial:
    return trial.on(dataclasses.replace(trial.ground, ways=_column(trial.ground.ways, name, row, value)))


def _premises(trial: Trial, name: str, row: int, value: Any) -> Trial:
    premises = trial.ground.premises
    changed = dataclasses.replace(premises, demand=_column(premises.demand, name, row, value))
    return trial.on(dataclasses.replace(trial.ground, premises=changed))


def _without_opened(trial: Trial, row: int) -> Trial:
    return trial.designed(opened=tuple(way for way in trial.statement.design.opened if way != row))


def _site(trial: Trial, kind: SiteKind, **changes: Any) -> Trial:
    site = trial.site(kind)
    return trial.swap("sites", site, to(site, **changes))


def _cable(trial: Trial, which: Role, **changes: Any) -> Trial:
    cable = trial.cable(which)
    return trial.swap("cables", cable, to(cable, **changes))


def _first_splitter(trial: Trial, **changes: Any) -> Trial:
    splitter = trial.statement.design.splitters[0]
    return trial.swap("splitters", splitter, to(splitter, **changes))


def _first_duct(trial: Trial, **changes: Any) -> Trial:
    duct = trial.statement.design.ducts[0]
    return trial.swap("ducts", duct, to(duct, **changes))


def _first_path(trial: Trial, **changes: float) -> Trial:
    first, *others = trial.statement.paths
    return trial.claims(paths=(to(first, **changes), *others))


def _end(trial: Trial, kind: type, end: Any, number: int = 0) -> Trial:
    """Another end in place of one of this kind."""
    joint = trial.joint(kind, number)
    return trial.swap("joints", joint, to(joint, a=end) if isinstance(joint.a, kind) else to(joint, b=end))


def _two_in_a_duct(trial: Trial) -> Trial:
    """A second feeder like the first, in its duct, with no light in it."""
    feeder = trial.cable(Role.FEEDER)
    return trial.swap("cables", feeder, feeder, to(feeder, id="another"))


def _loop(trial: Trial) -> Trial:
    """The splitter's shared leg is joined to one of its others, and a feeder no more."""
    joint = next(joint for joint in trial.statement.design.joints if joint.b == Leg("s0", 0))
    return trial.swap("joints", joint, to(joint, a=Leg("s0", 20)))


def _turned(trial: Trial) -> Trial:
    """A socket's fibre hangs on the splitter's shared leg, and the feeder on one of its others."""
    first, second = Leg("s0", 0), Leg("s0", 1)
    other: dict[End, End] = {first: second, second: first}
    joints = trial.statement.design.joints
    return trial.designed(
        joints=tuple(to(joint, a=other.get(joint.a, joint.a), b=other.get(joint.b, joint.b)) for joint in joints)
    )


def _shared_way(trial: Trial) -> Trial:
    """The second feeder follows the first along High Street, in a duct of its own."""
    high = trial.cable(Role.FEEDER).ways[0]
    return dataclasses.replace(trial, statement=lined(Drawn(trial.ground), high))


def shared_duct(trial: Trial) -> Trial:
    """The second feeder lies in the first one's duct."""
    shared = _shared_way(trial)
    first, second = shared.cable(Role.FEEDER), shared.cable(Role.FEEDER, 1)
    return shared.swap("cables", second, to(second, ducts=first.ducts))


def _shared_trench(trial: Trial) -> Trial:
    """High Street is said to lie where the old duct does: the duct's course, drawn a few centimetres beside it."""
    ways = trial.ground.ways
    courses = ways.courses
    lon, lat = courses.lon.copy(), courses.lat.copy()
    (old,) = plant_rows(trial.ground)
    high = trial.cable(Role.FEEDER).ways[0][-1]
    (begin, end), (first, last) = (courses.starts[row : row + 2] for row in (old, high))
    lon[begin], lat[begin], lon[end - 1], lat[end - 1] = lon[first], lat[first], lon[last - 1], lat[last - 1] + 1e-6
    courses = dataclasses.replace(courses, lon=lon, lat=lat)
    return trial.on(dataclasses.replace(trial.ground, ways=dataclasses.replace(ways, courses=courses)))


def _phases(trial: Trial, *late: int) -> Trial:
    opened = trial.statement.design.opened
    return trial.designed(phases=tuple(2 if row in late else 1 for row in opened))


def _twice_billed(trial: Trial) -> Trial:
    item = trial.item(What.TRENCH)
    doubled = to(
        item,
        quantity=2 * item.quantity,
        labour_cents=2 * item.labour_cents,
        material_cents=2 * item.material_cents,
    )
    return trial.bills(item, doubled)


def _terms(trial: Trial, **changes: Any) -> Trial:
    first, *others = trial.statement.terms
    return trial.claims(terms=(to(first, **changes), *others))


def _unreached(trial: Trial) -> Trial:
    """No way that may be used ends at the node of the first premises."""
    return trial.on(_column(trial.ground, "part", int(trial.ground.premises.node[0]), -1))


def _without_second(trial: Trial) -> Trial:
    """The second way is struck from the claims: its feeder's joints are there, its socket's is not."""
    joint = next(joint for joint in trial.statement.design.joints if joint.b == Socket("pr8", 2))
    paths = tuple(path for path in trial.statement.paths if (path.premises, path.socket) != (CRITICAL, 2))
    return trial.swap("joints", joint).designed(second=()).claims(paths=paths)


def _mixed_cable(trial: Trial) -> Trial:
    """What lies in Back Street are spare fibres of a cable."""
    (old,) = plant_rows(trial.ground)
    return _way(trial, "kind", old, 6)


def _small_office(trial: Trial) -> Trial:
    return trial.priced(central_office=to(trial.ground.catalogue.central_office, fibres=7))


def _closure(trial: Trial) -> Trial:
    site = trial.site(SiteKind.CLOSURE)
    catalogue = trial.ground.catalogue
    small = {2: catalogue.closure[24], **catalogue.closure}
    return trial.priced(closure=small).swap("sites", site, to(site, size=2))


def _cabinet(size: int, splitters: int = 4) -> Callable[[Trial], Trial]:
    def changed(trial: Trial) -> Trial:
        site = trial.site(SiteKind.CABINET)
        catalogue = trial.ground.catalogue
        small = {**catalogue.cabinet, size: to(catalogue.cabinet[48], splitters=splitters)}
        return trial.priced(cabinet=small).swap("sites", site, to(site, size=size))

    return changed


def _class(trial: Trial, **changes: float) -> Trial:
    optics = trial.optics
    classes = {**optics.classes, "B+": to(optics.classes["B+"], **changes)}
    return dataclasses.replace(trial, optics=to(optics, classes=classes))


def _small_duct(trial: Trial) -> Trial:
    catalogue = trial.ground.catalogue
    return trial.priced(duct={**catalogue.duct, "1 x 40": to(catalogue.duct["1 x 40"], largest_cable_fibres=3)})


def _plugged(trial: Trial, *kinds: SiteKind) -> Trial:
    """Every joint at sites of these kinds a connector, and no other."""
    sites = {site.id for site in trial.statement.design.sites if site.kind in kinds}
    joints = trial.statement.design.joints
    return trial.designed(joints=tuple(to(joint, is_connector=joint.site in sites) for joint in joints))


def _extra_joint(trial: Trial) -> Trial:
    joint = trial.joint(Port)
    down = joint.b
    assert isinstance(down, Fibre)
    return trial.swap("joints", joint, joint, to(joint, b=to(down, fibre=4)))


def _other_leg(trial: Trial) -> Trial:
    """Two customers on one leg of a splitter."""
    joint = next(joint for joint in trial.statement.design.joints if joint.a == Leg("s0", 2))
    return trial.swap("joints", joint, to(joint, a=Leg("s0", 1)))


Change = Callable[[Trial], Trial]


def _choice(t: Trial, **changes: Any) -> Trial:
    """As if the town's four houses, of a weight of 1 each, had been chosen for all that there is."""
    right = Choice(t.statement.cost_cents, default_worth(), 400, (CRITICAL,), 400, "proved", ())
    assert t.claims(choice=right).proved() == []
    return t.claims(choice=to(right, **changes))


def _programme(t: Trial, **changes: Any) -> Trial:
    """As if all had been planned for one phase."""
    right = Programme((t.statement.cost_cents,), default_worth(), 400, 400, "proved")
    assert t.claims(programme=right).proved() == []
    return t.claims(programme=to(right, **changes))


PIECES: Final[dict[Kind, Change]] = {
    Kind.GROUND: lambda t: t.designed(ground="another"),
    Kind.ID_TWICE: lambda t: _first_duct(t, id=t.cable(Role.FEEDER).id),
    Kind.UNKNOWN_PIECE: lambda t: t.swap("splitters", t.statement.design.splitters[0]),
    Kind.SITE_PLACE: lambda t: _site(t, SiteKind.PREMISES, node=node_at(t.ground, 0, 300)),
    Kind.SITE_TWICE: lambda t: t.designed(
        sites=(*t.statement.design.sites, to(t.site(SiteKind.PREMISES), id="another"))
    ),
    Kind.SITE_SIZE: lambda t: _site(t, SiteKind.CABINET, size=49),
    Kind.CABLE_SHAPE: lambda t: _cable(t, Role.DISTRIBUTION, ways=t.cable(Role.DISTRIBUTION).ways[:1]),
    Kind.DROP_PLACE: lambda t: _cable(t, Role.DROP, role=Role.DISTRIBUTION),
    Kind.SPLITTER_SITE: lambda t: _first_splitter(t, site=t.site(SiteKind.OFFICE).id),
    Kind.SPLITTER_RATIO: lambda t: _first_splitter(t, ratio=64),
    Kind.WAY_UNKNOWN: lambda t: t.designed(opened=(*t.statement.design.opened, len(t.ground.ways))),
    Kind.WAY_TWICE: lambda t: t.designed(opened=(*t.statement.design.opened, t.statement.design.opened[0])),
    Kind.WAY_UNUSABLE: lambda t: t.designed(opened=(*t.statement.design.opened, rows_of(t.ground, "Closed Lane")[0])),
    Kind.LOCKED_LEFT_OUT: lambda t: _without_opened(t, rows_of(t.ground, "The Yard")[0]),
    Kind.UNCONNECTED: lambda t: _without_opened(t, t.cable(Role.DISTRIBUTION).ways[1][0]),
    Kind.PHASES: lambda t: t.designed(phases=(1, 2)),
    Kind.PHASE_UNCONNECTED: lambda t: _phases(t, *t.cable(Role.FEEDER).ways[0], *plant_rows(t.ground)),
}
"""Pieces and ways, by the kind that each is found as."""

LINES: Final[dict[Kind, Change]] = {
    Kind.DUCT_KIND: lambda t: _first_duct(t, kind="2 x 40"),
    Kind.DUCT_BROKEN: lambda t: _first_duct(
        t, ways=(t.statement.design.ducts[0].ways[0], t.cable(Role.DISTRIBUTION).ways[1][0])
    ),
    Kind.DUCT_UNOPENED: lambda t: _first_duct(
        t, ways=(*t.statement.design.ducts[0].ways, rows_of(t.ground, "Closed Lane")[0])
    ),
    Kind.CABLE_BROKEN: lambda t: _cable(t, Role.DISTRIBUTION, ways=t.cable(Role.DISTRIBUTION).ways[::-1]),
    Kind.CABLE_UNOPENED: lambda t: _without_opened(t, t.cable(Role.FEEDER).ways[0][0]),
    Kind.CABLE_SIZE: lambda t: _cable(t, Role.FEEDER, fibres=7),
    Kind.CABLE_MIXED: _mixed_cable,
    Kind.DUCT_MISSING: lambda t: t.swap("ducts", t.statement.design.ducts[0]),
    Kind.DUCT_TOO_SMALL: _small_duct,
    Kind.DUCT_OVERFULL: _two_in_a_duct,
    Kind.ROOM_EXCEEDED: lambda t: _way(t, "room", plant_rows(t.ground)[0], 0),
    Kind.CABINET_OVERFULL: _cabinet(4),
    Kind.SPARE_CABINET: _cabinet(5),
    Kind.CABINET_SPLITTERS: _cabinet(49, 0),
    Kind.CLOSURE_OVERFULL: _closure,
    Kind.OFFICE_OVERFULL: _small_office,
    Kind.SPARE_CABLE: lambda t: _cable(t, Role.DISTRIBUTION, fibres=4),
}
"""Ducts, cables, and what stands."""

LIGHT: Final[dict[Kind, Change]] = {
    Kind.END_NOT_THERE: lambda t: _end(t, Leg, Leg("s1", 0)),
    Kind.FIBRE_BEYOND: lambda t: _end(t, Fibre, Fibre("c0", 5, "of0", Side.DOWN)),
    Kind.NO_SIDE: lambda t: _end(t, Fibre, Fibre("c0", 1, "of0", Side.UP)),
    Kind.PORT_BEYOND: lambda t: _end(t, Port, Port("of0", 10_001)),
    Kind.SPLITTER_OVERFULL: lambda t: _end(t, Leg, Leg("s0", 33), 1),
    Kind.END_TWICE: _other_leg,
    Kind.PORT_TWICE: _extra_joint,
    Kind.SERVED_UNKNOWN: lambda t: t.designed(served=(*t.statement.design.served, 4)),
    Kind.SERVED_WITHOUT_NEED: lambda t: _premises(t, "fibres", 0, 0),
    Kind.SERVED_UNREACHED: _unreached,
    Kind.UNLIT: lambda t: t.swap("joints", t.joint(Socket)),
    Kind.PATH_BROKEN: lambda t: t.swap("joints", t.joint(Port)),
    Kind.LOOP: _loop,
    Kind.LEG_BACKWARDS: _turned,
    Kind.SOCKET_BEYOND: lambda t: t.designed(second=()),
    Kind.NOT_SERVED: lambda t: t.designed(served=t.statement.design.served[1:]),
    Kind.STAGES: lambda t: _first_splitter(t, stage=1),
    Kind.ROLE: lambda t: _cable(t, Role.FEEDER, role=Role.DISTRIBUTION),
    Kind.CONNECTORS: _plugged,
    Kind.CONNECTOR_PLACE: lambda t: _plugged(t, SiteKind.CLOSURE),
    Kind.WAY_TOO_LONG: lambda t: t.built(longest_way_m=350.0),
    Kind.DISTRIBUTION_TOO_LONG: lambda t: t.built(longest_distribution_m=100.0),
    Kind.DROP_TOO_LONG: lambda t: t.built(longest_drop_m=12.0),
    Kind.SECOND_MISSING: _without_second,
    Kind.WAYS_SHARED: _shared_way,
    Kind.TRENCH_SHARED: _shared_trench,
}
"""What is joined to what, and where light goes."""

CLAIMS: Final[dict[Kind, Change]] = {
    Kind.CLASS: lambda t: t.claims(optical_class="C+"),
    Kind.LOSS_OVER: lambda t: _class(t, most_loss_db=21.0),
    Kind.LOSS_UNDER: lambda t: _class(t, least_loss_db=20.1),
    Kind.PATH_UNCLAIMED: lambda t: t.claims(paths=t.statement.paths[:-1]),
    Kind.PATH_UNFOUNDED: lambda t: t.claims(paths=(*t.statement.paths, t.statement.paths[0])),
    Kind.LENGTH: lambda t: _first_path(t, length_m=300.0),
    Kind.LOSS: lambda t: _first_path(t, loss_db=20.0),
    Kind.CURRENCY: lambda t: t.claims(bill=to(t.statement.bill, currency="BRL")),
    Kind.BILL_MISSING: lambda t: t.bills(t.item(What.CLOSURE)),
    Kind.BILL_UNFOUNDED: lambda t: t.bills(
        t.item(What.TRENCH), t.item(What.TRENCH), to(t.item(What.TRENCH), key="grass")
    ),
    Kind.BILL_QUANTITY: _twice_billed,
    Kind.BILL_CENTS: lambda t: t.bills(t.item(What.CABLE), to(t.item(What.CABLE), labour_cents=10_000)),
    Kind.TERM_TWICE: lambda t: _terms(t, name=t.statement.terms[1].name),
    Kind.TERM_OVER: lambda t: _terms(t, bound_cents=t.statement.terms[0].spent_cents + 1),
    Kind.TERMS_SUM: lambda t: _terms(t, spent_cents=t.statement.terms[0].spent_cents + 1),
    Kind.BOUND_OVER: lambda t: _terms(t, bound_cents=t.statement.cost_cents + 1),
    Kind.BUDGET: lambda t: _choice(t, budget_cents=t.statement.cost_cents - 1),
    Kind.POINTS: lambda t: _choice(t, points=399),
    Kind.POINTS_OVER: lambda t: _choice(t, bound_points=399),
    Kind.NEEDED: lambda t: _choice(t, needed=()),
    Kind.PHASE_BUDGET: lambda t: _programme(t, budgets_cents=(t.statement.cost_cents - 1,)),
    Kind.POINT_YEARS: lambda t: _programme(t, point_years=399),
    Kind.POINT_YEARS_OVER: lambda t: _programme(t, bound_point_years=399),
}
"""What is said of it: lengths, losses, prices, the bound, whom it chose."""

ALL: Final = {**PIECES, **LINES, **LIGHT, **CLAIMS}
