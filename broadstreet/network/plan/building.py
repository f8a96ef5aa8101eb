"""From places to pieces: sites, splitters, cables and every joint from the office's ports to the sockets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from broadstreet.network.design import End, Port, Role, Side, SiteKind, Socket
from broadstreet.network.ground.ground import Ground
from broadstreet.network.plan.draft import Draft, Standing, ends
from broadstreet.network.plan.laying import Terminal, lay
from broadstreet.network.plan.prices import Prices
from broadstreet.network.plan.rooted import Rooted
from broadstreet.network.plan.stations import Cabinet, Closure, Drop, Stations


def build(
    ground: Ground,
    prices: Prices,
    tree: Rooted,
    office: int,
    served: Sequence[int],
    numbers: Counter[str],
    *,
    is_second: bool = False,
) -> Draft:
    """A draft that serves these premises from an office on its tree. Its joints are all by fusion, its cables in no
    duct yet. numbers: of the pieces of the drafts before it. is_second: each gets a second way, of one fibre, that ends
    in a socket behind its others."""
    return _Building(ground, Draft(tree, prices, numbers), office, served, is_second).draft


class _Building:
    def __init__(self, ground: Ground, draft: Draft, office: int, served: Sequence[int], is_second: bool) -> None:
        self.draft, self.prices, self.tree = draft, draft.prices, draft.tree
        self.stations = Stations(draft.tree, draft.prices)
        self.office = self.draft.site(SiteKind.OFFICE, 0, row=office).id
        drops = self._drops(ground, served, is_second)
        self.premises = {row: self._premises(ground, row) for row in served}
        closures = self.stations.closures(drops)
        if self.prices.architecture.splitters:
            self._passive(self.stations.cabinets(closures))
        else:
            self._point_to_point(closures)

    def _drops(self, ground: Ground, served: Sequence[int], is_second: bool) -> list[Drop]:
        each = self.prices.architecture.fibres_per_premises
        most = self.stations.most_sockets
        spans = {
            row: range(sockets, sockets + 1) if is_second else range(0, sockets, most)
            for row in served
            for sockets in [int(ground.premises.demand.fibres[row]) * each]
        }
        return [
            Drop(
                row,
                self.tree.at[int(ground.premises.node[row])],
                float(ground.premises.drop_m[row]),
                first,
                min(first + most, span.stop),
            )
            for row, span in spans.items()
            for first in span
        ]

    def _premises(self, ground: Ground, row: int) -> str:
        return self.draft.site(SiteKind.PREMISES, self.tree.at[int(ground.premises.node[row])], row=row).id

    def _point_to_point(self, closures: Sequence[Closure]) -> None:
        terminals = [self._terminal(closure) for closure in closures]
        laid = lay(self.draft, Role.FEEDER, self.stations.spare, self.office, 0, terminals)
        for closure, terminal, begins, arrives in zip(closures, terminals, laid.begins, laid.arrives, strict=True):
            self._light(begins)
            self._serve(closure, terminal.site, arrives)

    def _passive(self, cabinets: Sequence[Cabinet]) -> None:
        ratio = self.prices.architecture.splitters[0]
        spare = self.prices.architecture.spare_feeder
        most = self.prices.most_on_cable(spare)
        feeding = list[Terminal]()
        behind = list[list[End]]()
        for cabinet in cabinets:
            site = self.draft.site(SiteKind.CABINET, cabinet.position, taken=cabinet.fibres)
            outgoing = self._behind(cabinet, site)
            # Where cables are small and splitters, too, a cabinet has more splitters than a feeder has fibres.
            for first in range(0, len(outgoing), most * ratio):
                behind.append(outgoing[first : first + most * ratio])
                feeding.append(Terminal(site.id, cabinet.position, -(-len(behind[-1]) // ratio)))
        laid = lay(self.draft, Role.FEEDER, spare, self.office, 0, feeding)
        for terminal, begins, arrives, outgoing in zip(feeding, laid.begins, laid.arrives, behind, strict=True):
            self._light(begins)
            self.draft.split(terminal.site, 0, arrives, outgoing)

    def _behind(self, cabinet: Cabinet, site: Standing) -> list[End]:
        """The fibres that leave a cabinet, in the order of its splitters' legs. Drops of its own place leave it
        directly where no second splitter is asked for."""
        direct = [c for c in cabinet.closures if c.position == site.position and self.stations.near == 1]
        others = [c for c in cabinet.closures if c.position != site.position or self.stations.near > 1]
        outgoing = [end for closure in direct for end in self._drop_ends(closure, site.id)]
        terminals = [self._terminal(closure) for closure in others]
        laid = lay(self.draft, Role.DISTRIBUTION, self.stations.spare, site.id, site.position, terminals)
        for closure, terminal, begins, arrives in zip(others, terminals, laid.begins, laid.arrives, strict=True):
            outgoing += begins
            self._serve(closure, terminal.site, arrives)
        return outgoing

    def _terminal(self, closure: Closure) -> Terminal:
        joints = self.stations.joints(sum(drop.sockets for drop in closure.drops))
        site = self.draft.site(SiteKind.CLOSURE, closure.position, taken=joints)
        return Terminal(site.id, closure.position, closure.up)

    def _serve(self, closure: Closure, site: str, arrives: list[End]) -> None:
        """Joins what comes to a closure to its drops, by splitters where there is a second stage."""
        outgoing = self._drop_ends(closure, site)
        if self.stations.near > 1:
            self.draft.split(site, 1, arrives, outgoing)
            return
        for fibre, drop in zip(arrives, outgoing, strict=True):
            self.draft.join(site, fibre, drop)

    def _drop_ends(self, closure: Closure, site: str) -> list[End]:
        """Lays a closure's drops, joins their sockets, and gives their fibres' ends at the site."""
        found: list[End] = []
        for drop in closure.drops:
            premises = self.premises[drop.premises]
            ways = self.tree.ways_down(closure.position, drop.position)
            cable = self.draft.cable(Role.DROP, self.prices.cable_for(drop.sockets, 0.0), (site, premises), (ways,))
            found += ends(cable, drop.sockets, site, Side.DOWN)
            for number, fibre in enumerate(ends(cable, drop.sockets, premises, Side.UP), start=drop.first + 1):
                self.draft.join(premises, fibre, Socket(premises, number))
        return found

    def _light(self, fibres: Sequence[End]) -> None:
        """Joins fibres to the office's next ports."""
        for fibre in fibres:
            self.draft.join(self.office, Port(self.office, self.draft.next(f"port of {self.office}")), fibre)
