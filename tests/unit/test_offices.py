"""Which central offices are opened, and by which ways light reaches everyone: a small grid of streets, a ring, a long
street."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Statement
from broadstreet.network.ground.architecture import Architecture, Kind, default_architecture
from broadstreet.network.ground.assembly import put_together
from broadstreet.network.ground.catalogue import default_catalogue
from broadstreet.network.ground.fault import BadGround, FaultKind
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.office import Office
from broadstreet.network.ground.optics import Optics, default_optics
from broadstreet.network.plan import plan_fibre, plan_tree
from broadstreet.network.plan.paths import OutOfReach
from broadstreet.network.proof import prove
from tests.ground import Metres, at, line, premises, streets

PON = default_architecture()
OPTICS = default_optics()
TOWN_M = 800


def town(seed: int, *, prices: Sequence[int]) -> Ground:
    """A grid of streets of 100 m, forty houses in it, and an office in each corner at these prices."""
    random = np.random.default_rng(seed)
    lines = [line((0, 100 * i), (TOWN_M, 100 * i)) for i in range(9)]
    lines += [line((100 * i, 0), (100 * i, TOWN_M)) for i in range(9)]
    places = [
        (float(x), float(100 * y + 10)) for x, y in zip(*(random.integers(0, m, 40) for m in (800, 8)), strict=True)
    ]
    corners: list[Metres] = [(5, 5), (TOWN_M - 5, 5), (5, TOWN_M - 5), (TOWN_M - 5, TOWN_M - 5)]
    offices = [
        Office(f"o{n}", f"Office {n}", *at(*corner), given=cents == 0, cents=cents)
        for n, (corner, cents) in enumerate(zip(corners, prices, strict=True))
    ]
    return put_together(streets(lines, meet=True), premises(sorted(set(places))), default_catalogue(), offices=offices)


def opened(statement: Statement) -> list[int]:
    return sorted(site.office for site in statement.design.sites if site.office is not None)


def within(longest_m: float) -> Architecture:
    return msgspec.structs.replace(PON, longest_way_m=longest_m)


@pytest.mark.parametrize(("seed", "longest_m"), [(1, 20_000.0), (2, 1_300.0), (3, 900.0)])
def test_the_offices_chosen_are_as_good_as_any(seed: int, longest_m: float) -> None:
    """Against every set of them, each planned by itself; the bound is below them all."""
    ground = town(seed, prices=(0, 300_000, 900_000, 400_000))
    architecture = within(longest_m)
    chosen = plan_fibre(ground, architecture, OPTICS, range(4), seconds=20)
    assert prove(chosen, ground, architecture, OPTICS) == []
    assert max(path.length_m for path in chosen.paths) <= longest_m
    others = list[Statement]()
    for count in (1, 2, 3):
        for offices in itertools.combinations(range(4), count):
            try:
                others.append(plan_fibre(ground, architecture, OPTICS, offices, seconds=20))
            except BadGround as refused:
                assert {fault.kind for fault in refused.faults} == {FaultKind.OUT_OF_REACH}
    assert others
    assert chosen.cost_cents <= min(other.cost_cents for other in others) * 1.002
    assert chosen.bound_cents <= min(other.cost_cents for other in others)


def test_an_office_is_opened_where_it_saves_more_than_it_costs() -> None:
    free = town(4, prices=(0, 0, 0, 0))
    dear = town(4, prices=(10**9, 10**9, 10**9, 10**9))
    assert len(opened(plan_fibre(free, PON, OPTICS, range(4), seconds=5))) > 1
    assert len(opened(plan_fibre(dear, PON, OPTICS, range(4), seconds=5))) == 1
    near = plan_fibre(dear, within(1_000), OPTICS, range(4), seconds=5)
    assert len(opened(near)) > 1, "who is too far asks for a second, whatever it costs"


def test_more_offices_are_opened_where_one_would_be_overfull() -> None:
    """Two villages, of which an office in one could serve both, if it were not too small."""
    lines = [line((0, 0), (200, 0)), line((200, 0), (500, 0)), line((500, 0), (700, 0))]
    places = [(float(x), 10.0) for x in (20, 60, 100, 140, 550, 590, 630, 670)]
    small = msgspec.structs.replace(
        default_catalogue(), central_office=msgspec.structs.replace(default_catalogue().central_office, fibres=12)
    )
    made = [
        put_together(
            streets(lines),
            premises(places, fibres=2),
            catalogue,
            offices=[Office("a", "West", *at(10, 5)), Office("b", "East", *at(690, 5), given=False, cents=5_000_000)],
        )
        for catalogue in (default_catalogue(), small)
    ]
    each = msgspec.structs.replace(
        PON, kind=Kind.POINT_TO_POINT, splitters=[], connectors=2, optical_class="10GBASE-LR", spare_feeder=0.0
    )
    assert opened(plan_fibre(made[0], each, OPTICS, [0, 1], seconds=5)) == [0]
    both = plan_fibre(made[1], each, OPTICS, [0, 1], seconds=5)
    assert opened(both) == [0, 1]
    assert prove(both, made[1], each, OPTICS) == []
    with pytest.raises(InvalidInput, match="fibres would end in the office, which takes 12"):
        plan_fibre(made[1], each, OPTICS, [0], seconds=5)


def test_a_longer_way_is_opened_where_the_cheapest_is_too_long() -> None:
    """A horseshoe of houses: along it the last is 2.2 km away, by the bridge between its ends, where nobody lives,
    200 m."""
    lines = [line((0, 0), (1000, 0)), line((1000, 0), (1000, 200)), line((1000, 200), (0, 200)), line((0, 0), (0, 200))]
    places = [*((float(x), 10.0) for x in range(50, 1000, 50)), *((float(x), 210.0) for x in range(50, 1000, 50))]
    ground = put_together(
        streets(lines),
        premises([*places, (1010, 100)]),
        default_catalogue(),
        offices=[Office("co", "Office", *at(5, 5))],
    )
    along = plan_fibre(ground, PON, OPTICS, [0], seconds=5)
    across = plan_fibre(ground, within(1_300), OPTICS, [0], seconds=5)
    assert prove(across, ground, within(1_300), OPTICS) == []
    assert max(path.length_m for path in along.paths) > 1_300 >= max(path.length_m for path in across.paths)
    assert along.cost_cents < across.cost_cents


def test_splices_are_learnt_from_networks_that_lost_too_much() -> None:
    """Joints so lossy that only a short way with few of them is within the class."""
    ground = town(5, prices=(0, 300_000, 300_000, 300_000))
    lossy = msgspec.structs.replace(
        OPTICS,
        splice=msgspec.structs.replace(OPTICS.splice, loss_db=1.6),
        fibre={nm: msgspec.structs.replace(fibre, loss_db_per_km=4.0) for nm, fibre in OPTICS.fibre.items()},
    )
    plain = plan_fibre(ground, PON, OPTICS, range(4), seconds=2)
    with pytest.raises(OutOfReach):
        plan_tree(ground, PON, lossy, opened(plain), plain.design.opened)
    statement = plan_fibre(ground, PON, lossy, range(4), seconds=2)
    assert prove(statement, ground, PON, lossy) == []
    assert len(opened(statement)) > len(opened(plain))


@pytest.mark.parametrize(
    ("changes", "optics", "remedies"),
    [
        ({"longest_way_m": 2000.0}, OPTICS, ("Let ways be 3[0-9]{3} m long", "within 2.0 km of them")),
        (
            {},
            msgspec.structs.replace(
                OPTICS,
                fibre={nm: msgspec.structs.replace(fibre, loss_db_per_km=3.0) for nm, fibre in OPTICS.fibre.items()},
            ),
            (r"Choose another class \(C\+", "among 16 or fewer", "within 2.4 km"),
        ),
    ],
)
def test_whom_no_office_reaches_is_a_fault_with_its_place_and_what_would_help(
    changes: dict[str, float], optics: Optics, remedies: Sequence[str]
) -> None:
    ground = put_together(
        streets([line((0, 0), (3200, 0))]),
        premises([(100, 10), (1000, 10), (2600, 10), (3100, 10)]),
        default_catalogue(),
        offices=[Office("co", "Office", *at(5, 5)), Office("near", "Near", *at(100, 5))],
    )
    architecture = msgspec.structs.replace(PON, **changes)
    with pytest.raises(
        BadGround, match=r"House 3 is 3.0 km of fibre from the nearest office, .* more than light of"
    ) as refused:
        plan_fibre(ground, architecture, optics, [0, 1], seconds=5)
    assert [fault.kind for fault in refused.value.faults] == [FaultKind.OUT_OF_REACH] * 2
    assert refused.value.faults[0].lon == pytest.approx(float(ground.premises.demand.lon[3]))
    for remedy in remedies:
        assert re.search(remedy, refused.value.remedy or ""), refused.value.remedy


def test_the_first_network_is_told_early_and_bounds_rise() -> None:
    ground = town(6, prices=(0, 300_000, 300_000, 300_000))
    told = list[Statement]()
    # By the processor's own time, so that both do the same on a busy machine.
    spent: Any = {"seconds": 5.0, "clock": time.process_time}
    best = plan_fibre(ground, PON, OPTICS, range(4), on_progress=told.append, **spent)
    costs, bounds = ([getattr(one, what) for one in told] for what in ("cost_cents", "bound_cents"))
    assert costs == sorted(costs, reverse=True) and bounds == sorted(bounds)
    assert best.cost_cents == costs[-1] and best.bound_cents >= bounds[-1]
    assert msgspec.json.encode(best) == msgspec.json.encode(plan_fibre(ground, PON, OPTICS, range(4), **spent))
