"""From what stands to every node of the ground: the cheapest way to lay one small cable there.

A cable begins at a site that a fibre comes to, or anywhere along a cable that has a free one, in a closure that is put
there. It goes on in ducts with room, or in what must be opened for it. Dijkstra's search from all of these at once
gives each node the cheapest; permits of streets are added afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import Final

import msgspec
import numpy as np

from broadstreet.network.design import Cable, Item, What
from broadstreet.network.serviceability.feeding import Feed, Feeding
from broadstreet.network.serviceability.laying import Piece, Tariff
from broadstreet.network.serviceability.tally import piece

NOWHERE: Final = -1


@dataclass(frozen=True, slots=True)
class Start:
    """Where a cable can begin: at which node, with which fibre, and what beginning there takes. site: which stands
    there; empty: a closure is put there."""

    node: int
    site: str
    feed: Feed
    items: tuple[Item, ...]

    @property
    def cents(self) -> int:
        return self.feed.cents + sum(item.cents for item in self.items)

    @property
    def rank(self) -> tuple[int, float]:
        return self.cents, self.feed.length_m


class Reach:
    """The cheapest start of each node, and the way from there. Each piece of a way with a free fibre in it is known by
    `in_way`: which begins at one of its ends, and goes on to the other."""

    def __init__(self, feeding: Feeding, tariff: Tariff) -> None:
        self.feeding, self.tariff, self.ground = feeding, tariff, tariff.ground
        count = len(self.ground.lon)
        self.in_way: dict[int, Start] = {}
        self.cents = np.full(count, np.inf)
        self.start = np.full(count, NOWHERE, dtype=np.int64)
        self.by = np.full(count, NOWHERE, dtype=np.int64)
        self.starts: list[Start] = sorted(
            [*self._at_sites(), *self._along_cables()], key=lambda start: (*start.rank, start.node, start.site)
        )
        self._search(self._neighbours())

    def _neighbours(self) -> list[list[tuple[int, int, float]]]:
        ways = self.ground.ways
        beside: list[list[tuple[int, int, float]]] = [[] for _ in range(len(self.ground.lon))]
        cents = (ways.length_m * self.tariff.per_m + self.tariff.fixed).tolist()
        for row, (a, b, whole) in enumerate(zip(ways.a.tolist(), ways.b.tolist(), cents, strict=True)):
            if math.isfinite(whole):
                beside[a].append((b, row, whole))
                beside[b].append((a, row, whole))
        return beside

    def _search(self, beside: list[list[tuple[int, int, float]]]) -> None:
        waiting = [(float(start.cents), number, start.node, NOWHERE) for number, start in enumerate(self.starts)]
        while waiting:
            cents, number, node, by = heappop(waiting)
            if self.start[node] != NOWHERE:
                continue
            self.cents[node], self.start[node], self.by[node] = cents, number, by
            for other, row, whole in beside[node]:
                if self.start[other] == NOWHERE:
                    heappush(waiting, (cents + whole, number, other, row))

    def _at_sites(self) -> Iterator[Start]:
        feeding = self.feeding
        for site, feed in feeding.at.items():
            if feeding.takes_fibre(site):
                joined = feeding.joined(site, is_terminal=feed.is_terminal)
                yield Start(feeding.stages.sites[site].node, site, feed, joined)

    def _along_cables(self) -> Iterable[Start]:
        """At every node that a cable with a free fibre passes between its sites."""
        best: dict[int, Start] = {}
        splice = piece(What.JOINT, "", self.ground.catalogue.splice)
        taking = (*self.feeding.closure(), splice)
        for cable in self.feeding.cables:
            for stretch in range(len(cable.ways)):
                feed = self.feeding.entering(cable, stretch)
                if feed is not None:
                    for start in self._along(cable, stretch, Start(NOWHERE, "", feed, taking)):
                        if start.node not in best or start.rank < best[start.node].rank:
                            best[start.node] = start
        return best.values()

    def _along(self, cable: Cable, stretch: int, start: Start) -> Iterator[Start]:
        """The starts at the nodes within a stretch; notes for each way where its fibre comes into it."""
        stages, ways = self.feeding.stages, self.ground.ways
        site = stages.sites[cable.sites[stretch]]
        lead_m = float(self.ground.offices.lead_m[site.office]) if site.office is not None else 0.0
        here = replace(start, node=site.node, feed=extended(start.feed, lead_m))
        rows = cable.ways[stretch]
        for number, row in enumerate(rows):
            if row not in self.in_way or here.rank < self.in_way[row].rank:
                self.in_way[row] = here
            node = int(ways.b[row] if ways.a[row] == here.node else ways.a[row])
            here = replace(here, node=node, feed=extended(here.feed, float(ways.length_m[row])))
            if number < len(rows) - 1:
                yield here

    def way_to(self, node: int) -> tuple[Start, list[Piece]] | None:
        """Where the cheapest cable to a node begins, and the ways it lies in from there; None where none leads."""
        if self.start[node] == NOWHERE:
            return None
        start, ways, pieces = self.starts[int(self.start[node])], self.ground.ways, list[Piece]()
        while (row := int(self.by[node])) != NOWHERE:
            pieces.append((row, float(ways.length_m[row])))
            node = int(ways.b[row] if ways.a[row] == node else ways.a[row])
        return start, pieces[::-1]


def extended(feed: Feed, length_m: float) -> Feed:
    """A fibre that goes on so far in its cable."""
    *before, last = feed.hops
    hop = msgspec.structs.replace(last, last="", length_m=last.length_m + length_m)
    return replace(feed, length_m=feed.length_m + length_m, hops=(*before, hop))
