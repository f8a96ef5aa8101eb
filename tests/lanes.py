"""Two lanes of a street, a cabinet each, and two businesses: for tests of what a plan is worth."""

from __future__ import annotations

import msgspec

from broadstreet.network.design import Statement
from broadstreet.network.ground import Ground, Office, default_catalogue, put_together
from broadstreet.network.ground.premises import Demand, PremisesKind, Row
from broadstreet.network.ground.sheet import Amount
from broadstreet.network.investment import default_business
from broadstreet.network.investment.business import Drops, Falls, Lives, Meant, Money, Sum
from broadstreet.network.investment.take_up import Form, TakeUp
from tests.designs import Drawn, Hanging, route
from tests.ground import at, line, streets, trait

PLAIN = default_business()
replace = msgspec.structs.replace
TAXED = replace(
    PLAIN,
    money=Money(
        discount_rate=0.07,
        discount_rate_is=Meant.NOMINAL,
        inflation=0.02,
        price_growth=0.015,
        operating_growth=0.025,
        building_growth=0.03,
        residual_share=0.4,
        tax_rate=0.2,
    ),
    building=replace(PLAIN.building, drops=Drops.AT_ONCE),
    life=Lives(civil=30, passive=11, active=5, customer=4),
    time=replace(PLAIN.time, falls=Falls.END, ready_after_years=0.4, years=17),
    customer={
        **PLAIN.customer,
        "household": replace(
            PLAIN.customer["household"],
            take_up=TakeUp(form=Form.BASS, start=0.02, ceiling=0.6, speed=0.03, following=0.5),
            connection_fee=5000,
        ),
        "business": replace(
            PLAIN.customer["business"], take_up=TakeUp(form=Form.TABLE, table=[0.2, 0.5, 0.45, 0.3, 0.35, 0.6])
        ),
    },
    grant={2: Sum(amount=Amount(1_000_000))},
)


def amount(cents: int) -> Sum:
    return Sum(amount=Amount(cents))


def rows_of_two_lanes() -> list[Row]:
    """A sensor and six houses: a cheap lane near the office, a dear one behind it."""
    places = [(60 + 10 * n, 12) for n in range(4)] + [(500, 12), (520, 12)]
    rows = [
        Row(f"h{n}", f"High Street {n}", PremisesKind.ADDRESS, *at(*place), 1.0, 0.0, 2 if n == 1 else 1, 1.0, False)
        for n, place in enumerate(places)
    ]
    rows.append(Row("lamp", "Lights sensor 7", PremisesKind.SITE, *at(540, 12), 0.0, 0.0, 1, 2.0, False))
    return rows


def two_lanes() -> Ground:
    return put_together(
        streets([line((0, 0), (600, 0))], traits=[trait("High Street")]),
        Demand.of(rows_of_two_lanes()),
        default_catalogue(),
        offices=[Office("co", "Office", *at(0, 5))],
    )


def drawn_lanes(ground: Ground, *, far: bool = True, near: bool = True, phases: bool = False) -> Statement:
    """A cabinet for each lane, each with its own feeder."""
    node = [int(node) for node in ground.premises.node]
    ids = ground.premises.demand.ids
    drawn = Drawn(ground)
    office = drawn.office()
    groups = [[ids.index(f"h{n}") for n in range(4)], [ids.index(name) for name in ("h4", "h5", "lamp")]]
    if phases:
        nearer = set(route(ground, office.node, node[groups[0][-1]]))
        drawn.phase_of = {row: 1 if row in nearer else 2 for row in range(len(ground.ways))}
    for rows in [group for group, wanted in zip(groups, (near, far), strict=True) if wanted]:
        hanging = Hanging(drawn, office, node[rows[0]], rows, route(ground, office.node, node[rows[0]]))
        hanging.hang([(node[row], [row]) for row in rows], route(ground, node[rows[0]], node[rows[-1]]))
    return drawn.statement()
