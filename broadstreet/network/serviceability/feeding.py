"""How one fibre more comes to each site of a network, at the least cost: through what is free of it.

A fibre begins at a port of an office, passes splitters, and goes from site to site through fibres of cables that nobody
has. Sites and stretches of cables are the vertices of a graph whose arcs lead outwards; Dijkstra's search, once for
each number of splitters passed, finds the cheapest way to each, and of several that cost the same the shortest.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from heapq import heappop, heappush

from broadstreet.network.design import Cable, Item, Role, SiteKind, What
from broadstreet.network.ground import Architecture, Catalogue
from broadstreet.network.ground.architecture import Kind
from broadstreet.network.serviceability.answer import Hop
from broadstreet.network.serviceability.stages import Stages
from broadstreet.network.serviceability.tally import piece


@dataclass(frozen=True, slots=True)
class Feed:
    """A fibre that comes to a place. items: what it takes to bring it there; joints: how many light has passed; spare:
    how many more like it there are; is_terminal: it ends at a port or a splitter's leg, and not in a cable."""

    items: tuple[Item, ...]
    length_m: float
    joints: int
    spare: int
    hops: tuple[Hop, ...]
    splitters: tuple[int, ...]
    is_terminal: bool

    @property
    def cents(self) -> int:
        return sum(item.cents for item in self.items)

    @property
    def rank(self) -> tuple[int, float]:
        return self.cents, self.length_m


class Feeding:
    """Brings fibres through what stands after a phase. own: each its own fibre from the office, past all splitters."""

    def __init__(
        self, stages: Stages, catalogue: Catalogue, architecture: Architecture, phase: int, *, own: bool
    ) -> None:
        self.stages, self.catalogue, self.architecture = stages, catalogue, architecture
        self.phase, self.own = phase, own
        self.cables = [
            cable
            for cable in stages.design.cables
            if cable.role is not Role.DROP and stages.cable_phase[cable.id] <= phase
        ]
        self.levels = 0 if own else len(architecture.splitters)
        self.at: dict[str, Feed] = {}
        for level in range(self.levels + 1):
            self.at = self._spread(level, self._origins(level, self.at))

    def stands(self, site: str) -> bool:
        return self.stages.site_phase.get(site, self.stages.last + 1) <= self.phase

    def _origins(self, level: int, below: dict[str, Feed]) -> dict[str, Feed]:
        """Where fibres with so many splitters behind them begin: at ports, at free legs, at splitters still to be set
        up in cabinets where a fibre with one splitter less comes to."""
        stages, found = self.stages, dict[str, Feed]()
        if level == 0:
            price = self.catalogue.central_office
            port = Item(What.PORT, "", 1, "each", 0, price.port_each)
            for place in stages.sites.values():
                spare = price.fibres - stages.ports[place.id]
                if place.kind is SiteKind.OFFICE and self.stands(place.id) and spare > 0:
                    found[place.id] = Feed((port,), 0.0, 1, spare, (), (), True)
            return found
        for name, splitter in stages.splitters.items():
            if splitter.stage != level - 1 or not stages.free_legs[name] or name not in stages.leads:
                continue
            if stages.splitter_phase[name] > self.phase:
                continue
            length_m, joints, hops = stages.leads[name]
            ratios = tuple(self.architecture.splitters[:level])
            _keep(found, splitter.site, Feed((), length_m, joints + 1, stages.free_legs[name], hops, ratios, True))
        ratio, price_of = self.architecture.splitters[level - 1], self.catalogue.splitter
        for site, feed in below.items():
            if not self._takes_splitter(site):
                continue
            set_up = piece(What.SPLITTER, str(ratio), price_of[ratio])
            made = replace(
                feed,
                items=(*feed.items, *self.joined(site, is_terminal=True), set_up),
                joints=feed.joints + (0 if feed.is_terminal else 1) + 1,
                spare=ratio * feed.spare,
                splitters=(*feed.splitters, ratio),
                is_terminal=True,
            )
            _keep(found, site, made)
        return found

    def _takes_splitter(self, site: str) -> bool:
        """Whether a cabinet has room for one more."""
        place = self.stages.sites[site]
        if place.kind is not SiteKind.CABINET or place.size is None or not self.takes_fibre(site):
            return False
        return self.stages.set_up[site] < self.catalogue.cabinet[place.size].splitters

    def takes_fibre(self, site: str) -> bool:
        """Whether one fibre more can leave here towards the premises."""
        place = self.stages.sites[site]
        if place.kind is SiteKind.CABINET and place.size is not None:
            return self.stages.arrived.get(site, 0) < place.size
        return place.kind is not SiteKind.PREMISES

    def joined(self, site: str, *, is_terminal: bool) -> tuple[Item, ...]:
        """What joining a fibre at a site takes: nothing at a port, a splitter or a socket where connectors do it, and
        otherwise a splice, for which a closure needs room."""
        if is_terminal and self.architecture.connectors >= 2 + 2 * self.levels:
            return ()
        return (*self._room(site), piece(What.JOINT, "", self.catalogue.splice))

    def _room(self, site: str) -> tuple[Item, ...]:
        """The closure that must stand beside one that is full."""
        place = self.stages.sites[site]
        is_full = place.kind is SiteKind.CLOSURE and self.stages.joints[site] >= (place.size or 0)
        return self.closure() if is_full else ()

    def closure(self) -> tuple[Item, ...]:
        """The cheapest closure there is."""
        size, price = min(self.catalogue.closure.items(), key=lambda item: (item[1].each_cents, item[0]))
        return (piece(What.CLOSURE, str(size), price),)

    def _carries(self, cable: Cable, level: int) -> bool:
        """Whether a cable is for fibres with so many splitters behind them."""
        if self.own or self.architecture.kind is Kind.POINT_TO_POINT:
            return True
        return (cable.role is Role.FEEDER) == (level == 0)

    def _spread(self, level: int, found: dict[str, Feed]) -> dict[str, Feed]:
        """From where fibres begin to all sites that they come to through free ones."""
        leaving: defaultdict[str, list[tuple[Cable, int]]] = defaultdict(list)
        for cable in self.cables:
            if self._carries(cable, level):
                for number, site in enumerate(cable.sites[:-1]):
                    leaving[site].append((cable, number))
        waiting = [(*feed.rank, site) for site, feed in found.items()]
        waiting.sort()
        done = set[str]()
        while waiting:
            site = heappop(waiting)[-1]
            if site in done:
                continue
            done.add(site)
            for cable, begin in leaving[site]:
                for end in range(begin + 1, len(cable.sites)):
                    feed = self.along(cable, begin, end, found[site])
                    if feed is None:
                        break
                    other = cable.sites[end]
                    if other not in done and self.stands(other) and _keep(found, other, feed):
                        heappush(waiting, (*feed.rank, other))
        return found

    def along(self, cable: Cable, begin: int, end: int, feed: Feed, until: int | None = None) -> Feed | None:
        """A fibre from one of a cable's sites to another; None where none is free, or none can leave there. until: the
        site up to which it must be free, where that lies farther on."""
        free = self.stages.free_fibres(cable, begin, end if until is None else until)
        site = cable.sites[begin]
        if free < 1 or not self.takes_fibre(site):
            return None
        until_m = self.stages.light.until_m[cable.id]
        length_m = until_m[end] - until_m[begin]
        return Feed(
            (*feed.items, *self.joined(site, is_terminal=feed.is_terminal)),
            feed.length_m + length_m,
            feed.joints + (0 if feed.is_terminal else 1),
            min(feed.spare, free),
            (*feed.hops, Hop(cable.id, site, cable.sites[end], length_m)),
            feed.splitters,
            is_terminal=False,
        )

    def entering(self, cable: Cable, stretch: int) -> Feed | None:
        """The cheapest fibre that goes into a stretch of a cable and is free to its end; as long as it is up to there.
        None where there is none."""
        if not self._carries(cable, self.levels):
            return None
        found = [
            feed
            for begin in range(stretch + 1)
            if (source := self.at.get(cable.sites[begin])) is not None
            and (feed := self.along(cable, begin, stretch, source, until=stretch + 1)) is not None
        ]
        return min(found, key=lambda feed: feed.rank, default=None)


def _keep(found: dict[str, Feed], site: str, feed: Feed) -> bool:
    """Keeps a feed where it is better than what is there; answers whether it is."""
    there = found.get(site)
    if there is not None and there.rank <= feed.rank:
        return False
    found[site] = feed
    return True
