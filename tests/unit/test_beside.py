"""Which street a way belongs to: small streets drawn in metres, each with a way of which it is asked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from broadstreet.network.ground.assembly import put_together
from broadstreet.network.ground.beside import StreetBy, belonging
from broadstreet.network.ground.catalogue import Surface, default_catalogue
from broadstreet.network.ground.fault import BadGround, FaultKind
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.premises import Demand
from broadstreet.network.ground.rules import Rules
from broadstreet.network.ground.streets import Trait, WayKind
from broadstreet.network.ground.ways import ways_of
from tests.ground import Metres, line, streets, trait

Drawn = tuple[tuple[Metres, ...], str]
FOOTWAY = Trait(WayKind.PATH, Surface.PAVING, True, "", "footway")
CROSSING = replace(FOOTWAY, kind=WayKind.CROSSING)
HIGH: Drawn = (((0, 0), (100, 0), (200, 0)), "High Street")
SIDE: Drawn = (((100, -80), (100, 0), (100, 80)), "Side Lane")
ROUND: Drawn = (((0, 0), (60, 0), (100, 40), (100, 100)), "Bow Street")


def found(way: tuple[Metres, ...], *drawn: Drawn, kind: Trait = FOOTWAY, level: int = 0) -> set[tuple[str, StreetBy]]:
    """To which streets the pieces of a way belong, and how that is known."""
    lines = [line(*way), *(line(*points) for points, _ in drawn)]
    named = streets(lines, traits=[kind, *(trait(name) for _, name in drawn)], levels=[level, *(0 for _ in drawn)])
    ways = ways_of(named)
    made = belonging(ways, named)
    assert len(made) == len(ways)
    asked = [i for i in range(len(ways)) if ways.sources[i] == ("way/0",)]
    return {(made.named(i), StreetBy(made.by[i])) for i in asked}


NONE = {("", StreetBy.NONE)}
CASES: dict[str, tuple[set[tuple[str, StreetBy]], tuple[Metres, ...], tuple[Drawn, ...]]] = {
    "a pavement": ({("High Street", StreetBy.BESIDE)}, ((10, 8), (90, 8)), (HIGH, SIDE)),
    "drawn the other way": ({("High Street", StreetBy.BESIDE)}, ((90, -8), (10, -8)), (HIGH, SIDE)),
    "a boulevard's": ({("High Street", StreetBy.BESIDE)}, ((10, 21), (90, 21)), (HIGH,)),
    "too far away": (NONE, ((10, 24), (90, 24)), (HIGH,)),
    "at 25 degrees": ({("High Street", StreetBy.BESIDE)}, ((50, 2), (80, 16)), (HIGH,)),
    "at 35 degrees": (NONE, ((50, 2), (75, 19.5)), (HIGH,)),
    "away from it": (NONE, ((40, 4), (40, 60)), (HIGH,)),
    "along it and far on": (NONE, ((120, 8), (300, 8)), (HIGH,)),
    "two thirds along it": ({("High Street", StreetBy.BESIDE)}, ((100, 8), (240, 8)), (HIGH,)),
    "round a bend": ({("Bow Street", StreetBy.BESIDE)}, ((0, 8), (57, 8), (92, 43), (92, 100)), (ROUND,)),
    "round a corner": (NONE, ((20, 8), (92, 8), (92, 80)), (HIGH, SIDE)),
    "the nearer of two": (
        {("High Street", StreetBy.BESIDE)},
        ((10, 7), (90, 7)),
        (HIGH, (((0, 22), (200, 22)), "Back Lane")),
    ),
    "between two": (
        {("Back Lane", StreetBy.UNSURE)},
        ((10, 11), (90, 11)),
        (HIGH, (((0, 20), (200, 20)), "Back Lane")),
    ),
    "two carriageways": (
        {("High Street", StreetBy.BESIDE)},
        ((10, 8), (90, 8)),
        (HIGH, (((0, 15), (200, 15)), "High Street")),
    ),
    "a link to its pavement": (
        {("High Street", StreetBy.LINKS)},
        ((50, 0), (54, 8)),
        ((((0, 0), (50, 0), (200, 0)), "High Street"), (((0, 8), (54, 8), (200, 8)), "High Street")),
    ),
    "a link to another": (
        NONE,
        ((46, 0), (54, 8)),
        ((((0, 0), (46, 0), (200, 0)), "High Street"), (((54, 8), (54, 90)), "Side Lane")),
    ),
    "beside nothing named": (NONE, ((10, 8), (90, 8)), (((((0, 0), (200, 0))), ""),)),
}


@pytest.mark.parametrize("case", CASES)
def test_a_way_without_a_name_belongs_to_the_street_that_it_runs_beside(case: str) -> None:
    wanted, way, drawn = CASES[case]
    assert found(way, *drawn) == wanted


def test_a_crossing_is_the_street_s_that_it_crosses() -> None:
    across = ((60, -9), (60, 0), (60, 9))
    high = (((0, 0), (60, 0), (200, 0)), "High Street")
    assert found(across, high, kind=CROSSING) == {("High Street", StreetBy.CROSSES)}
    # At a junction it touches both, and runs along the one.
    corner = ((92, 0), (100, 0), (108, 0))
    side = (((100, -80), (100, 0), (100, 80)), "Side Lane")
    assert found(corner, side, (((100, 0), (300, 5)), "High Street"), kind=CROSSING) == {
        ("Side Lane", StreetBy.CROSSES)
    }
    # Across a drive without a name it is part of the pavement.
    drive = (((60, 0), (60, 8), (60, 40)), "")
    assert found(((55, 8), (60, 8), (65, 8)), HIGH, drive, kind=CROSSING) == {("High Street", StreetBy.BESIDE)}
    assert found(((55, 60), (60, 60), (65, 60)), HIGH, (((60, 40), (60, 60), (60, 80)), ""), kind=CROSSING) == NONE


def test_what_the_source_says_comes_before_what_is_near() -> None:
    pavement = ((10, 8), (90, 8))
    assert found(pavement, HIGH, kind=replace(FOOTWAY, name="Old Walk")) == {("Old Walk", StreetBy.NAME)}
    assert found(pavement, HIGH, kind=replace(FOOTWAY, beside="Side Lane")) == {("Side Lane", StreetBy.SOURCE)}
    assert found(pavement, HIGH, kind=replace(FOOTWAY, apart=True)) == NONE
    assert found(pavement, HIGH, level=1) == NONE, "a bridge does not run beside the street below it"
    path = (((0, 0), (200, 0)), "High Street")
    named = streets([line(*pavement), line(*path[0])], traits=[FOOTWAY, replace(FOOTWAY, name="Old Walk")])
    assert belonging(ways_of(named), named).by.tolist().count(StreetBy.BESIDE) == 0, "a path has no pavements"


def town(rules: Rules | None = None) -> Ground:
    """High Street with its pavements and a crossing, and a lane between two others that leaves it open whose it is."""
    drawn = [
        ((0, 0), (60, 0), (200, 0)),
        ((0, 8), (60, 8), (200, 8)),
        ((0, -8), (60, -8), (200, -8)),
        ((60, -8), (60, 0), (60, 8)),
        ((0, 300), (200, 300)),
        ((0, 320), (200, 320)),
        ((0, 311), (200, 311)),
        ((0, 8), (0, 300)),
        ((0, 300), (0, 311), (0, 320)),
    ]
    names = ["High Street", None, None, None, "Low Lane", "Back Lane", None, "Long Road", "Long Road"]
    traits = [trait(name) if name else FOOTWAY for name in names]
    traits[3] = CROSSING
    made = streets([line(*points) for points in drawn], traits=traits)
    return put_together(made, Demand.of(()), default_catalogue(), rules=rules)


def usable(ground: Ground, name: str, by: StreetBy) -> set[bool]:
    ways = ground.ways
    rows = (ways.street == ground.streets.index(name)) & (ways.street_by == by)
    return set(ways.usable[rows].tolist())


def test_to_close_a_street_closes_its_pavements_and_leaves_its_crossings() -> None:
    ground = town(Rules(closed=("high street",)))
    assert usable(ground, "High Street", StreetBy.NAME) == {False}
    assert usable(ground, "High Street", StreetBy.BESIDE) == {False}
    assert usable(ground, "High Street", StreetBy.CROSSES) == {True}
    # By its number in the source it is the carriageway alone.
    alone = town(Rules(closed=("way/0",)))
    assert usable(alone, "High Street", StreetBy.NAME) == {False}
    assert usable(alone, "High Street", StreetBy.BESIDE) == {True}


def test_to_lock_a_street_locks_what_has_its_name_alone() -> None:
    ground = town(Rules(locked=("High Street",)))
    ways = ground.ways
    assert {StreetBy(by) for by in ways.street_by[ways.locked].tolist()} == {StreetBy.NAME}
    assert set(ways.street[ways.locked].tolist()) == {ground.streets.index("High Street")}
    with pytest.raises(BadGround, match="is locked, and closed as well"):
        town(Rules(closed=("High Street",), locked=("way/1",)))


def test_what_could_be_either_street_s_is_told() -> None:
    ground = town()
    told = [fault for fault in ground.faults if fault.kind is FaultKind.UNSURE_STREET]
    assert len(told) == 1
    assert "beside Back Lane and Low Lane: it counts as Back Lane's" in told[0].what
    by = ground.ways.street_by
    assert np.count_nonzero(by == StreetBy.UNSURE) == 1
    assert np.count_nonzero(by == StreetBy.NONE) == 0
