"""What holds of drops that may choose their way, on small random towns: the choice is the cheapest of all there are,
and no plan costs less than its bound to whichever of their ways drops lead."""

from __future__ import annotations

import itertools
import time

import msgspec
import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from broadstreet.network.ground.architecture import default_architecture
from broadstreet.network.ground.assembly import Limits, put_together
from broadstreet.network.ground.catalogue import Catalogue, default_catalogue
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.office import Office
from broadstreet.network.ground.optics import default_optics
from broadstreet.network.plan import plan_fibre, plan_with_drops, way_cents
from broadstreet.network.plan.drops import choose_drops
from broadstreet.network.proof import prove
from tests.ground import at, line, premises, streets

FEW = settings(max_examples=20, deadline=None)
SECONDS = 60.0
"""Each ends as soon as it is proved."""
MANY_WAYS = Limits(drop_ways=3, drop_more_m=60)
PON, OPTICS = default_architecture(), default_optics()
MAX_CHOICES = 36


@st.composite
def catalogues(draw: st.DrawFn) -> Catalogue:
    """Metres of drops that cost next to nothing, what they do, or as much as a trench."""
    catalogue = default_catalogue()
    drop = msgspec.structs.replace(catalogue.drop, labour_per_m=draw(st.sampled_from([0, 1_900, 9_000])))
    return msgspec.structs.replace(catalogue, drop=drop)


@st.composite
def towns(draw: st.DrawFn) -> Ground:
    """Blocks of 50 m with some sides left out, and houses in them that see several."""
    corners = [(50 * i, 50 * j) for i in range(4) for j in range(3)]
    edges = [((x, y), (x + east, y + 50 - east)) for x, y in corners for east in (0, 50)]
    kept = [edge for edge in edges if draw(st.integers(0, 5))] or edges
    place = st.tuples(st.integers(1, 190), st.integers(1, 140))
    places = draw(st.lists(place, min_size=2, max_size=4, unique=True))
    return put_together(
        streets([line(*edge) for edge in kept]),
        premises(places, fibres=draw(st.sampled_from([1, 3]))),
        draw(catalogues()),
        offices=[Office("co", "Office", *at(0, 5), cents=0)],
        limits=MANY_WAYS,
    )


def choices(ground: Ground) -> list[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Every choice of a hook for each premises, by its rows."""
    of = [np.flatnonzero(ground.hooks.premises == row).tolist() for row in range(len(ground.premises))]
    return [np.array(chosen) for chosen in itertools.islice(itertools.product(*of), MAX_CHOICES + 1)]


def least_by_table(ground: Ground) -> int:
    """What the cheapest ways cost that join all premises, as they hang, with the office: by the table of Dreyfus and
    Wagner, written down once more."""
    ways, count = ground.ways, len(ground.lon)
    far = np.full((count, count), 2**40, np.int64)
    np.fill_diagonal(far, 0)
    for way, cents in enumerate(way_cents(ground).tolist()):
        a, b = ways.a[way], ways.b[way]
        far[a, b] = far[b, a] = min(far[a, b], cents)
    for via in range(count):
        far = np.minimum(far, far[:, via, None] + far[None, via, :])
    ends = sorted(set(ground.premises.node.tolist()))
    root = int(ground.offices.node[0])
    table = {1 << i: far[end] for i, end in enumerate(ends)}
    for size in range(2, len(ends) + 1):
        for members in itertools.combinations(range(len(ends)), size):
            whole = sum(1 << i for i in members)
            parts = [part for part in range(1, whole) if part & whole == part]
            meet = np.min([table[part] + table[whole ^ part] for part in parts], axis=0)
            table[whole] = (meet[None, :] + far).min(axis=1)
    return int(table[(1 << len(ends)) - 1][root])


def drops_cents(ground: Ground) -> int:
    drop = ground.catalogue.drop
    own = np.floor(ground.premises.drop_m * (drop.labour_per_m + drop.material_per_m)).astype(np.int64)
    return int(own.sum()) + len(own) * drop.each_cents


@given(towns())
@FEW
def test_the_choice_is_the_cheapest_and_its_bound_no_more(ground: Ground) -> None:
    assume(len(ground.offices) and 1 < len(every := choices(ground)) <= MAX_CHOICES)
    rows = range(len(ground.premises))
    assume((ground.part[ground.premises.node] == ground.part[ground.offices.node[0]]).all())
    chosen = choose_drops(ground, PON, [0], rows, seconds=SECONDS, seed=1, clock=time.process_time)
    assert chosen is not None
    assert chosen.joint is not None
    costs = [least_by_table(hung) + drops_cents(hung) for hung in (ground.hung(each) for each in every)]
    assert chosen.joint.cents == min(costs)
    assert least_by_table(chosen.ground) + drops_cents(chosen.ground) == min(costs)
    late = choose_drops(ground, PON, [0], rows, seconds=0, seed=1, clock=time.process_time)
    assert late is not None
    assert late.joint is not None
    assert late.joint.cents <= min(costs)


@given(towns(), st.integers(0, 2**16))
@settings(max_examples=8, deadline=None)
def test_no_plan_is_below_the_bound_however_drops_lead(ground: Ground, seed: int) -> None:
    assume(len(ground.offices) and 1 < len(every := choices(ground)) <= MAX_CHOICES)
    assume((ground.part[ground.premises.node] == ground.part[ground.offices.node[0]]).all())
    made, statement = plan_with_drops(ground, PON, OPTICS, [0], seconds=SECONDS)
    assert prove(statement, made, PON, OPTICS) == []
    assert statement.design.ground == made.digest
    others = np.random.default_rng(seed).permutation(len(every))[:4]
    for hung in (ground, *(ground.hung(every[number]) for number in others.tolist())):
        other = plan_fibre(hung, PON, OPTICS, [0], seconds=SECONDS)
        assert statement.bound_cents <= other.cost_cents
