"""To which of the ways within reach each drop leads: ways, offices and drops sought as one tree.

Each premises is a vertex of its own, from which an edge leads to every node where its drop may leave, at what the drop
costs there. Trees could pass through it from one way to another, where nobody digs. So each of its edges costs as much
more as going round costs at the most: then a tree that passes through is no cheaper than one that goes round, of which
that sum, once for each premises, is taken off again. The cheapest tree is the cheapest choice with its ways, exactly;
and a bound of the one, less the sum, bounds the other, whatever the sum is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

import numpy as np

from broadstreet.network.ground.architecture import Architecture
from broadstreet.network.ground.courses import I8
from broadstreet.network.ground.ground import Ground
from broadstreet.network.plan.joint import Joint
from broadstreet.network.plan.network import Network
from broadstreet.network.plan.prices import Prices
from broadstreet.optimiser import Graph, Solution, solve

LENT_SHARE: Final = 0.3
"""Where spare fibres of others' cables could be used: of the time, for a bound with them."""
MAX_SETTLED: Final = 1_000
"""So many nodes are looked at for what going round from one hook to the others costs."""
FAR_CENTS: Final = 10**8
"""What it is taken to cost beyond that: a million of the currency, more than a way round."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """The ground with drops where they cost least with their ways, and the bound of all choices; none where some were
    not asked."""

    ground: Ground
    joint: Joint | None


def choose_drops(
    ground: Ground,
    architecture: Architecture,
    offices: Sequence[int],
    rows: Sequence[int],
    *,
    pinned: Sequence[int] = (),
    seconds: float,
    seed: int,
    clock: Callable[[], float],
) -> Chosen | None:
    """Where the drops of these premises (rows) leave best, by what ways from these offices and drops cost; none where
    nobody has a choice, or not everyone is in one part with an office. pinned: rows that hang where they do."""
    parts = ground.part[ground.offices.node[list(offices)]]
    if not len(ground.hooks) or not rows or not np.isin(ground.part[ground.premises.node[list(rows)]], parts).all():
        return None
    choice = _Choice(ground, Prices(ground.catalogue, architecture), rows, pinned)
    if len(choice.hooks) == len(rows):
        return None
    network = Network.of(ground, offices)
    whole = Network.of(ground, offices, with_fibres=True)
    is_lent = len(whole.ways) > len(network.ways)
    lent_s = seconds * LENT_SHARE if is_lent else 0.0
    found, bound = choice.solve(network, seconds - lent_s, seed, clock)
    if is_lent:
        _, bound = choice.solve(whole, lent_s, seed, clock)
    how = "proved the cheapest" if bound.is_optimal else "dual ascent and cases, ended by the clock"
    method = f"a Steiner tree of ways and drops, {how}"
    joint = Joint(choice.cents(bound.bound, network), method, tuple(sorted(offices)), tuple(sorted(rows)))
    return Chosen(ground.hung(choice.taken(found)), None if set(pinned) & set(rows) else joint)


class _Choice:
    """hooks: those that may be chosen, by row. cents: of each what the drop costs there beside what every drop does."""

    def __init__(self, ground: Ground, prices: Prices, rows: Sequence[int], pinned: Sequence[int]) -> None:
        at, drop = ground.hooks, prices.catalogue.drop
        self.ground, self.rows = ground, np.array(sorted(rows), np.int64)
        is_first = np.zeros(len(at), np.bool_)
        is_first[np.unique(at.premises, return_index=True)[1]] = True
        may = np.isin(at.premises, self.rows) & (at.drop_m <= prices.architecture.longest_drop_m)
        may &= ~np.isin(at.premises, list(pinned))
        self.hooks: I8 = np.flatnonzero(may | (is_first & np.isin(at.premises, self.rows)))
        self.leaf: I8 = np.searchsorted(self.rows, at.premises[self.hooks])
        self.node: I8 = at.node[self.hooks].astype(np.int64)
        sockets = ground.premises.demand.fibres[self.rows].astype(np.int64) * prices.architecture.fibres_per_premises
        drops = -(-sockets // prices.largest_drop)
        metres = drops[self.leaf] * at.drop_m[self.hooks]
        self.own_cents: I8 = np.floor(metres * (drop.labour_per_m + drop.material_per_m)).astype(np.int64)
        self.each_cents = int(drops.sum()) * drop.each_cents
        self.round_cents = np.zeros(len(self.rows), np.int64)

    def solve(self, network: Network, seconds: float, seed: int, clock: Callable[[], float]) -> tuple[I8, Solution]:
        """Which of the hooks a tree takes, by number, and the tree."""
        base = network.graph()
        self.round_cents = self._rounds(network)
        leaf = base.vertices + self.leaf
        graph = Graph.of(
            base.vertices + len(self.rows),
            np.concatenate((base.left, self.node)),
            np.concatenate((base.right, leaf)),
            np.concatenate((base.cost, self.own_cents + self.round_cents[self.leaf])),
        )
        terminals = np.append(base.vertices + np.arange(len(self.rows)), network.front)
        solution = solve(graph, terminals, seconds=seconds, seed=seed, clock=clock)
        return solution.edges[solution.edges >= base.edges] - base.edges, solution

    def cents(self, bound: int, network: Network) -> int:
        """What a bound of the tree says of ways, offices and drops."""
        return bound - int(self.round_cents.sum()) + self.each_cents + network.locked_cents

    def taken(self, found: I8) -> I8:
        """For each premises of the ground the row of its hook: the cheapest of those that a tree takes, and where it
        hangs for who is not asked for."""
        rows: I8 = np.searchsorted(self.ground.hooks.premises, np.arange(len(self.ground.premises))).astype(np.int64)
        order = found[np.argsort(-self.own_cents[found], kind="stable")]
        rows[self.rows[self.leaf[order]]] = self.hooks[order]
        return rows

    def _rounds(self, network: Network) -> I8:
        """For each premises no less than going round between any two of its hooks costs beyond a drop."""
        table = network.ground.ways
        beside: dict[int, list[tuple[int, int]]] = {}
        for way, cents in zip(network.ways.tolist(), network.weights.tolist(), strict=True):
            a, b = int(table.a[way]), int(table.b[way])
            beside.setdefault(a, []).append((b, cents))
            beside.setdefault(b, []).append((a, cents))
        found = np.zeros(len(self.rows), np.int64)
        starts = np.searchsorted(self.leaf, np.arange(len(self.rows) + 1)).tolist()
        for leaf in np.flatnonzero(np.bincount(self.leaf) > 1).tolist():
            begin, end = starts[leaf], starts[leaf + 1]
            first, *others = self.node[begin:end].tolist()
            away = sorted(_away(beside, first, others))
            found[leaf] = max(0, sum(away[-2:]) - int(self.own_cents[begin:end].min()))
        return found


def _away(beside: dict[int, list[tuple[int, int]]], begin: int, ends: Sequence[int]) -> list[int]:
    """What the cheapest way from a node to each of others costs; FAR_CENTS for what is not found."""
    left, away, settled = set(ends), dict.fromkeys(ends, FAR_CENTS), set[int]()
    waiting = [(0, begin)]
    while waiting and left and len(settled) < MAX_SETTLED:
        cents, node = heappop(waiting)
        if node in settled:
            continue
        settled.add(node)
        if node in left:
            left.discard(node)
            away[node] = cents
        for other, more in beside.get(node, ()):
            if other not in settled:
                heappush(waiting, (cents + more, other))
    return list(away.values())
