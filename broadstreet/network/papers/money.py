"""The treasurer's tables: what it costs, item by item, by phase, by area, by street, and how much less it could be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Final

from broadstreet.network.design import Item, Role, What
from broadstreet.network.ground import Catalogue, Surface
from broadstreet.network.ground.catalogue import Each, PerMetre
from broadstreet.network.papers.dossier import Dossier, natural
from broadstreet.network.papers.parts import SHARED, Part, Share, dealt, parts_of
from broadstreet.network.papers.table import Column, Row, Sort, Table, count, metres, money, text

NAMES: Final = {
    What.TRENCH: "Trench",
    What.CROSSING: "Crossing",
    What.PERMIT: "Permit",
    What.PLANT: "Use of what lies there",
    What.POLE_LINE: "Pole line",
    What.DUCT: "Duct",
    What.CABLE: "Cable",
    What.DROP: "Drop",
    What.CABINET: "Cabinet",
    What.CLOSURE: "Closure",
    What.SPLITTER: "Splitter",
    What.JOINT: "Splice",
    What.OFFICE: "Central office",
    What.PORT: "Port",
}
"""What people call it, in the order of the bill."""
GROUPS: Final = {
    "digging": (What.TRENCH, What.CROSSING, What.PERMIT, What.PLANT, What.POLE_LINE),
    "laying": (What.DUCT, What.CABLE),
    "drops": (What.DROP,),
    "equipment": (What.CABINET, What.CLOSURE, What.SPLITTER, What.JOINT, What.OFFICE, What.PORT),
}
"""What of the bill stands together where there is no room for every item."""
TOGETHER: Final = frozenset({What.OFFICE, What.PORT, What.PERMIT})
"""What has one price, labour and material together."""


def named(item: Item) -> str:
    """An item in words: 12-fibre cable, trench in asphalt."""
    key = item.key
    match item.what:
        case What.TRENCH:
            return f"Trench, {key}"
        case What.CROSSING:
            return f"Crossing of a {key}" if key != "water" else "Crossing of water"
        case What.PERMIT:
            return "Permit, by the metre" if item.unit == "m" else "Permit, by the street"
        case What.PLANT:
            return f"Use of a {key} that lies there"
        case What.DUCT:
            return f"Duct {key}"
        case What.CABLE:
            return f"Cable of {key} fibres"
        case What.CABINET | What.CLOSURE:
            return f"{NAMES[item.what]} for {key}"
        case What.SPLITTER:
            return f"Splitter 1:{key}"
        case What.OFFICE:
            return "Central office" if key == "office" else f"Central office: {key}"
        case What.DROP:
            return "Drop, by the metre" if item.unit == "m" else "Drop, each"
        case _:
            return NAMES[item.what]


def bill_items(dossier: Dossier) -> list[Item]:
    """The bill in the order in which it is read."""
    order = list(NAMES)
    return sorted(
        dossier.statement.bill.items, key=lambda i: (order.index(i.what), i.phase, i.unit == "m", natural(i.key))
    )


def bill_table(dossier: Dossier) -> Table:
    """The bill of materials and work."""
    catalogue, rows = dossier.ground.catalogue, list[Row]()
    for item in bill_items(dossier):
        labour, material = _price(catalogue, dossier, item)
        parted = item.what not in TOGETHER
        rows.append(
            (
                item.phase,
                NAMES[item.what],
                named(item),
                item.quantity,
                item.unit,
                labour if parted else None,
                material if parted else None,
                labour + material,
                item.labour_cents if parted else None,
                item.material_cents if parted else None,
                item.cents,
            )
        )
    columns = (
        count("phase", "Phase"),
        text("kind", "Kind"),
        text("item", "Item"),
        Column("quantity", "Quantity", Sort.NUMBER),
        text("unit", "Unit"),
        money("labour_each", "Labour, each", summed=False),
        money("material_each", "Material, each", summed=False),
        money("price_each", "Price, each", summed=False),
        money("labour", "Labour"),
        money("material", "Material"),
        money("cost", "Cost"),
    )
    note = (
        f"Prices of the catalogue “{catalogue.title}”. What is opened is paid for once, however many cables lie in it. "
        "Offices, ports and permits have one price for labour and material together, so their cost is in the last "
        "column alone."
    )
    return Table("bill", "Bill of materials and work", note, columns, rows)


def _price(catalogue: Catalogue, dossier: Dossier, item: Item) -> tuple[int, int]:
    """Labour and material of one, in cents; a price for both together stands in the second."""
    key = item.key
    found: PerMetre | Each | int
    match item.what:
        case What.TRENCH:
            found = catalogue.trench.of(Surface(key))
        case What.CROSSING:
            found = getattr(catalogue.crossing, key)
        case What.PERMIT:
            found = catalogue.permit.permit_per_m if item.unit == "m" else catalogue.permit.each_street
        case What.PLANT:
            found = getattr(catalogue.existing, key)
        case What.POLE_LINE:
            found = catalogue.pole_line
        case What.DUCT:
            found = catalogue.duct[key]
        case What.CABLE:
            found = catalogue.cable[int(key)]
        case What.DROP:
            if item.unit == "m":
                return catalogue.drop.labour_per_m, catalogue.drop.material_per_m
            found = catalogue.drop
        case What.CABINET:
            found = catalogue.cabinet[int(key)]
        case What.CLOSURE:
            found = catalogue.closure[int(key)]
        case What.SPLITTER:
            found = catalogue.splitter[int(key)]
        case What.JOINT:
            found = catalogue.splice
        case What.PORT:
            found = catalogue.central_office.port_each
        case What.OFFICE:
            found = int(dossier.ground.offices.cents[dossier.ground.offices.ids.index(key)])
    if isinstance(found, int):
        return 0, found
    if isinstance(found, PerMetre):
        return found.labour_per_m, found.material_per_m
    return found.labour_each, found.material_each


def phase_table(dossier: Dossier) -> Table:
    """What each phase costs and whom it reaches."""
    groups: dict[int, list[Share]] = {phase: [] for phase in range(1, dossier.phases + 1)}
    for item in dossier.statement.bill.items:
        groups[item.phase].append(Share(item, item.quantity, item.labour_cents, item.material_cents))
    phase_of = [max((dossier.cable_phase(cable) for cable in path.cables), default=1) for path in dossier.paths]
    first: dict[int, int] = {}
    for path, phase in zip(dossier.paths, phase_of, strict=True):
        first[path.premises] = min(phase, first.get(path.premises, phase))
    rows = [
        (phase, list(first.values()).count(phase), phase_of.count(phase), *_costs(groups[phase])) for phase in groups
    ]
    note = "A piece is of the phase in which it is first needed; a path, of the latest of its cables."
    return Table("phases", "Cost by phase", note, (count("phase", "Phase"), *_COLUMNS), rows)


def area_table(dossier: Dossier, parts: Sequence[Part] | None = None) -> Table:
    """What each cabinet's catchment costs, and what serves several of them."""
    shares = dealt(dossier, list(parts or parts_of(dossier)), lambda part: part.area)
    home: dict[int, str] = {}
    for path, of in zip(dossier.paths, dossier.areas, strict=True):
        home.setdefault(path.premises, of)  # of its first socket: a second way may come from another area
    premises_of = Counter(home.values())
    rows: list[Row] = []
    for area in [*dossier.area_ids, SHARED]:
        mine = [path for path, of in zip(dossier.paths, dossier.areas, strict=True) if of == area]
        where = dossier.site_where(dossier.sites[area]) if area in dossier.sites else "what serves several areas"
        premises = premises_of[area]
        costs = _costs(shares.get(area, []))
        each = round(int(costs[-1]) / premises) if premises else None
        rows.append((area, where, premises, len(mine), *costs, each))
    columns = (text("area", "Area"), text("where", "Where"), *_COLUMNS, money("cost_each", "Each", summed=False))
    note = (
        "An area is the catchment of a cabinet. What is built for one area alone is that area's; trenches, cables and "
        "permits that serve several stand in a row of their own. The last column is the area's own cost for "
        "each of its "
        "premises, without its share of what serves several."
    )
    return Table("areas", "Cost by area", note, columns, rows)


def street_table(dossier: Dossier, parts: Sequence[Part] | None = None) -> Table:
    """What each street costs."""
    shares = dealt(dossier, list(parts or parts_of(dossier)), lambda part: part.street)
    rows = [(street or "no name", *_costs(shares[street])) for street in sorted(shares, key=lambda s: (not s, s))]
    note = (
        "What lies in a street, and what stands at its corners: by the street of the way, or the first by name "
        "of several."
    )
    return Table("street_costs", "Cost by street", note, (text("street", "Street"), *_COLUMNS[2:]), rows)


_COLUMNS: Final = (
    count("premises", "Premises", summed=True),
    count("customers", "Customers", summed=True),
    metres("trench_m", "Trench", summed=True),
    money("digging", "Digging"),
    money("laying", "Ducts and cables"),
    money("drops", "Drops"),
    money("equipment", "Equipment"),
    money("labour", "Labour"),
    money("material", "Material"),
    money("both", "Not told apart"),
    money("cost", "Cost"),
)


def _costs(shares: Sequence[Share]) -> tuple[float | int, ...]:
    """Metres of trench, cents by group, by labour and material, and in all."""
    trench_m = sum(share.quantity for share in shares if share.item.what is What.TRENCH)
    groups = [sum(share.cents for share in shares if share.item.what in kinds) for kinds in GROUPS.values()]
    both = sum(share.cents for share in shares if share.item.what in TOGETHER)
    labour = sum(share.labour_cents for share in shares if share.item.what not in TOGETHER)
    material = sum(share.material_cents for share in shares if share.item.what not in TOGETHER)
    return trench_m, *groups, labour, material, both, labour + material + both


def bound_table(dossier: Dossier) -> Table:
    """What no plan can cost less than, term by term."""
    columns = (
        text("term", "Part of the cost"),
        money("spent", "This plan spends"),
        money("bound", "No plan spends less than"),
        money("gap", "Between"),
        text("method", "How that was proved"),
        text("relaxed", "What was left out"),
    )
    rows = [
        (
            term.name[:1].upper() + term.name[1:],
            term.spent_cents,
            term.bound_cents,
            term.spent_cents - term.bound_cents,
            term.method,
            term.relaxed,
        )
        for term in dossier.statement.terms
    ]
    note = "No part is counted twice, so the sum of the third column is less than any plan of this ground can cost."
    return Table("bound", "How much less it could be", note, columns, rows)


def summary_table(dossier: Dossier) -> Table:
    """The plan in a few lines."""
    statement, design = dossier.statement, dossier.design
    served, customers = len(design.served), len(dossier.paths)
    length = partial(_length_m, dossier)
    money_lines = (
        ("Cost", statement.cost_cents),
        ("No plan costs less than", statement.bound_cents),
        ("Cost for each premises", round(statement.cost_cents / served) if served else None),
        ("Cost for each customer's fibre", round(statement.cost_cents / customers) if customers else None),
    )
    worst = max((claim.loss_db for claim in statement.paths), default=0.0)
    plain = (
        ("Plan", dossier.imprint.title),
        ("Date", dossier.imprint.date),
        ("Currency", dossier.currency),
        *((name, None if cents is None else cents / 100) for name, cents in money_lines),
        ("Gap, per cent of the cost", round(100 * statement.gap, 2)),
        ("Premises served", served),
        ("Paths of light, one for each customer's fibre", customers),
        ("Premises with a second way", len(design.second)),
        ("Phases", dossier.phases),
        ("Ways dug or used, m", round(float(dossier.ground.ways.length_m[list(design.opened)].sum()), 1)),
        *((f"Cables, {role.value}, m", round(length(role), 1)) for role in Role),
        ("Optical class", statement.optical_class),
        ("Worst loss, dB", worst),
        ("Worst loss that the class allows, the margin taken off, dB", dossier.most_loss_db),
        ("Checked", "nothing wrong was found"),
        ("Ground", design.ground),
        ("Catalogue", dossier.ground.catalogue.title),
        ("Architecture", dossier.architecture.title),
        ("Optics", dossier.optics.title),
    )
    columns = (text("what", "What"), text("value", "Value"))
    return Table("summary", "The plan in short", "", columns, [(name, value) for name, value in plain])


def _length_m(dossier: Dossier, role: Role) -> float:
    """Of all cables of a role, their drops in it."""
    mine = [cable for cable in dossier.cables.values() if cable.role is role]
    return sum(sum(dossier.stretch_m(c, n) for n in range(len(c.ways))) + dossier.drop_m(c) for c in mine)
