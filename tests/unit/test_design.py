"""The words of a design pass through JSON unharmed, and sum up what they say."""

from __future__ import annotations

import msgspec
import pytest

from broadstreet.network.design import (
    Bill,
    Cable,
    Design,
    Duct,
    Fibre,
    Item,
    Joint,
    Leg,
    Path,
    Port,
    Role,
    Side,
    Site,
    SiteKind,
    Socket,
    Splitter,
    Statement,
    Term,
    What,
)

DESIGN = Design(
    "digest",
    (4, 7),
    (0,),
    (),
    (Site("o", SiteKind.OFFICE, 1, office=0), Site("c", SiteKind.CABINET, 2, 144), Site("p", SiteKind.PREMISES, 3)),
    (Duct("d", "7 x 14", (4, 7)),),
    (Cable("f", Role.FEEDER, 12, ("o", "c"), ((4, 7),), (("d", "d"),)),),
    (Splitter("s", "c", 32),),
    (
        Joint("o", Port("o", 1), Fibre("f", 1, "o", Side.DOWN), is_connector=True),
        Joint("c", Fibre("f", 1, "c", Side.UP), Leg("s", 0)),
        Joint("p", Fibre("f", 1, "c", Side.UP), Socket("p", 1)),
    ),
)


def statement(*items: Item, bound_cents: int = 0) -> Statement:
    terms = (Term("opening", bound_cents, 0, "a tree", "nothing"),)
    return Statement(DESIGN, Bill("EUR", items), terms, (Path(0, 1, 812.5, 21.4),), "B+")


def test_a_statement_is_kept_as_json() -> None:
    said = statement(Item(What.TRENCH, "asphalt", 12.5, "m", 7_000, 3_000, 2))
    assert msgspec.json.decode(msgspec.json.encode(said), type=Statement) == said


@pytest.mark.parametrize(("bound_cents", "gap"), [(10_000, 0.0), (9_000, 0.1)])
def test_the_gap_is_what_may_be_too_much(bound_cents: int, gap: float) -> None:
    said = statement(
        Item(What.TRENCH, "asphalt", 12.5, "m", 6_000, 3_000),
        Item(What.JOINT, "", 5, "each", 1_000, 0),
        bound_cents=bound_cents,
    )
    assert (said.cost_cents, said.bound_cents) == (10_000, bound_cents)
    assert said.gap == pytest.approx(gap)


def test_what_costs_nothing_has_no_gap() -> None:
    assert statement().gap == 0.0
