"""What closures and cabinets cost at the least is never more than what the best choice of them costs."""

from __future__ import annotations

from itertools import product
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.network.ground import default_architecture, default_catalogue
from broadstreet.network.ground.architecture import Kind
from broadstreet.network.plan.prices import Prices
from broadstreet.network.plan.stationing import Stationing

CATALOGUE = default_catalogue()
FEW = msgspec.structs.replace(CATALOGUE, cabinet={size: CATALOGUE.cabinet[size] for size in (48, 144)})
DEAR_SPLICES = msgspec.structs.replace(FEW, splice=msgspec.structs.replace(CATALOGUE.splice, labour_each=40_000))


@st.composite
def problems(draw: st.DrawFn) -> dict[str, Any]:
    sockets = draw(st.lists(st.integers(1, 30), min_size=1, max_size=3))
    numbers = range(len(sockets))
    place = st.sets(st.sampled_from(list(numbers)), min_size=1).map(sorted)
    places = draw(st.lists(place, min_size=1, max_size=2))
    places += [[number] for number in numbers if not any(number in found for found in places)]
    catalogue = draw(st.sampled_from([FEW, DEAR_SPLICES]))
    splitters = draw(st.sampled_from([[32], [4, 8], []]))
    return {"sockets": sockets, "places": places, "catalogue": catalogue, "splitters": splitters}


def cheapest(prices: Prices, sockets: list[int], places: list[list[int]], ends: int) -> int:
    """Every choice tried: which places have a closure, which a cabinet of which size, and one more for the ends that
    find no room."""
    catalogue = prices.catalogue
    closure = min(price.each_cents for price in catalogue.closure.values())
    splice = catalogue.splice.each_cents if prices.near == 1 else 0
    sizes = prices.cabinet_sizes()
    best = None
    for closures in product((False, True), repeat=len(places)):
        for cabinets in product((None, *sizes), repeat=len(places)):
            direct = {number for at, size in enumerate(cabinets) if size for number in places[at]}
            covered = {number for at, stands in enumerate(closures) if stands for number in places[at]}
            left = set(range(len(sockets))) - direct
            if left - covered:
                continue
            cents = closure * sum(closures) + sum(size[1] for size in cabinets if size)
            cents += sum(splice * sockets[number] for number in left)
            room = sum(size[0] for size in cabinets if size)
            cents += prices.least_cabinets_cents(max(0, ends - room)) if ends > room else 0
            best = cents if best is None else min(best, cents)
    assert best is not None
    return best


@given(problems())
def test_the_bound_is_never_above_the_best_choice(problem: dict[str, Any]) -> None:
    splitters = problem["splitters"]
    kind = Kind.PON if splitters else Kind.POINT_TO_POINT
    architecture = msgspec.structs.replace(default_architecture(), kind=kind, splitters=splitters)
    prices = Prices(problem["catalogue"], architecture)
    sockets, places = problem["sockets"], problem["places"]
    ends = -(-sum(sockets) // prices.near) if splitters else 0
    found = Stationing(prices, sockets, ends, places)
    best = cheapest(prices, sockets, places, ends)
    assert 0 <= found.bound() <= best
    if not splitters and len(places) == 1:
        assert found.bound() == best, "with one place there is one choice, and the dual finds it"
