"""How cables are laid from one site to many: along a tree, each as far as it goes, the others spliced to it.

A cable leaves its site and goes on along the branch with most fibres. At every site that it passes some of its fibres
are cut and taken out, and the others go through. Where a branch leaves, a cable begins that is spliced to it in a
closure, unless one of its own, laid beside it from the site, is cheaper; so a fibre is spliced on its way as often as
it leaves the heavier branch, which is at most as often as the number of fibres can be halved. Where it is cheaper to
change to a smaller cable than to carry dead fibres on, all that goes on is spliced to one: which stops those are is a
dynamic programme over the stops, exact for the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from broadstreet.network.design import End, Fibre, Role, Side
from broadstreet.network.plan.draft import Draft


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where so many fibres are to end."""

    site: str
    position: int
    fibres: int


@dataclass(frozen=True, slots=True)
class Laid:
    """For each terminal its fibres' ends, at the site where all begin and at its own."""

    begins: list[list[End]]
    arrives: list[list[End]]


Slot = tuple[int, int]
"""A terminal, and which of its fibres."""


@dataclass(slots=True, eq=False)
class _Stop:
    """A place of a run where fibres leave it: for terminals there, or into branches."""

    position: int
    terminals: list[int]
    branches: list[int]
    leaving: int
    along_m: float


@dataclass(slots=True, eq=False)
class _Stops:
    """What happens at the stops of a run. slots: whose fibres leave at each. where: at which site; branched: into which
    end of a branch. changes: the closures in which all that goes on is spliced to a smaller cable, by stop."""

    stops: list[_Stop]
    slots: list[list[Slot]] = field(init=False)
    where: dict[Slot, str] = field(default_factory=dict)
    branched: dict[Slot, End] = field(default_factory=dict)
    changes: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.slots = [[] for _ in self.stops]


def lay(draft: Draft, role: Role, spare: float, site: str, position: int, terminals: Sequence[Terminal]) -> Laid:
    """Cables from a site to terminals at or below its position. A terminal takes no more fibres than
    `most_on_cable`."""
    laid = Laid([[] for _ in terminals], [[] for _ in terminals])
    for group in _groups(draft, spare, position, terminals):
        run = _Run(draft, role, spare, terminals, group, laid)
        for (terminal, _), end in run.from_site(site, position):
            laid.begins[terminal].append(end)
    return laid


def _groups(draft: Draft, spare: float, position: int, terminals: Sequence[Terminal]) -> list[list[int]]:
    """Terminals that share a cable at its beginning: of one branch, neighbours, as many as one cable takes."""
    most = draft.prices.most_on_cable(spare)
    tree = draft.tree
    starts = sorted(tree.below[position])
    groups: list[list[int]] = []
    lit, branch = 0, -1
    for index in sorted(range(len(terminals)), key=lambda i: (terminals[i].position, i)):
        terminal = terminals[index]
        here = -1 if terminal.position == position else max(s for s in starts if s <= terminal.position)
        if not groups or here != branch or lit + terminal.fibres > most:
            groups.append([])
            lit, branch = 0, here
        groups[-1].append(index)
        lit += terminal.fibres
    return groups


class _Run:
    """The cables of one group."""

    def __init__(
        self, draft: Draft, role: Role, spare: float, terminals: Sequence[Terminal], group: list[int], laid: Laid
    ) -> None:
        self.draft, self.role, self.spare, self.laid = draft, role, spare, laid
        self.terminals = terminals
        self.here: dict[int, list[int]] = {}
        for index in group:
            self.here.setdefault(terminals[index].position, []).append(index)
        self.load: dict[int, int] = {}

    def from_site(self, site: str, position: int) -> list[tuple[Slot, End]]:
        up = self.draft.tree.up
        for below, indices in self.here.items():
            fibres = sum(self.terminals[index].fibres for index in indices)
            at = below
            while True:
                self.load[at] = self.load.get(at, 0) + fibres
                if at == position:
                    break
                at = up[at]
        return self._run(site, position, position)

    def _run(self, site: str, position: int, first: int) -> list[tuple[Slot, End]]:
        """Cables from a site, by the stretch to `first`, a position below (or the same: no stretch). Gives the
        fibres' ends at the site, each with what it leads to."""
        stops = self._stops(position, first)
        begins: list[tuple[Slot, End]] = []
        for branch in self._apart(stops):
            begins += self._run(site, position, branch)
        run = _Stops([stop for stop in stops if stop.leaving])
        for number in self._changes(run.stops):
            on = sum(stop.leaving for stop in run.stops[number + 1 :])
            run.changes[number] = self.draft.closure(run.stops[number].position, on).id
        for number, stop in enumerate(run.stops):
            slots = run.slots[number]
            for index in stop.terminals:
                slots += [(index, fibre) for fibre in range(self.terminals[index].fibres)]
                run.where |= dict.fromkeys(slots[-self.terminals[index].fibres :], self.terminals[index].site)
            for branch in stop.branches:
                closure = self.draft.closure(stop.position, self.load[branch]).id
                for slot, end in self._run(closure, stop.position, branch):
                    slots.append(slot)
                    run.where[slot], run.branched[slot] = closure, end
        return begins + self._cables(site, position, run)

    def _stops(self, position: int, first: int) -> list[_Stop]:
        tree = self.draft.tree
        stops: list[_Stop] = []
        at, along_m = first, tree.depth_m[first] - tree.depth_m[position]
        while True:
            below = sorted((b for b in tree.below[at] if self.load.get(b)), key=lambda b: (-self.load[b], b))
            terminals, branches = self.here.get(at, []), below[1:]
            leaving = sum(self.terminals[i].fibres for i in terminals) + sum(self.load[b] for b in branches)
            if leaving:
                stops.append(_Stop(at, terminals, branches, leaving, along_m))
            if not below:
                return stops
            at = below[0]
            along_m += tree.length_m[at]

    def _apart(self, stops: list[_Stop]) -> list[int]:
        """Branches for which a cable of their own from the run's beginning is cheaper than splices; they are taken out
        of the stops. One after another, the one that saves most first: each makes the cable that is left smaller."""
        lit = sum(stop.leaving for stop in stops)
        apart: list[int] = []
        while True:
            found = [
                (self._splicing_cents(stop, branch, lit) - self._beside_cents(stop, branch), branch, number)
                for number, stop in enumerate(stops)
                for branch in stop.branches
            ]
            saved, branch, number = max(found, default=(0.0, 0, 0))
            if saved <= 0:
                return apart
            apart.append(branch)
            stops[number].branches.remove(branch)
            stops[number].leaving -= self.load[branch]
            lit -= self.load[branch]

    def _splicing_cents(self, stop: _Stop, branch: int, lit: int) -> float:
        """What goes away when a branch of a run with so many fibres leaves it: splices, perhaps a closure, a cable that
        is larger by the branch."""
        prices, load = self.draft.prices, self.load[branch]
        sizes = [prices.cable_for(fibres, self.spare) for fibres in (lit, lit - load)]
        wider = prices.cables[sizes[0]] - prices.cables[sizes[1]]
        closure = prices.catalogue.closure[prices.closure_for(1)].each_cents
        is_alone = not stop.terminals and len(stop.branches) == 1
        return load * prices.splice_cents + closure * is_alone + wider * stop.along_m

    def _beside_cents(self, stop: _Stop, branch: int) -> float:
        """What another cable beside the run costs as far as the branch."""
        prices = self.draft.prices
        ducts = prices.duct_table(2)
        cable = prices.cables[prices.cable_for(self.load[branch], self.spare)]
        return stop.along_m * (cable + float(ducts[2] - ducts[1]))

    def _changes(self, stops: list[_Stop]) -> list[int]:
        """At which stops all that goes on is spliced to a smaller cable; not at the last."""
        prices = self.draft.prices
        closure = prices.catalogue.closure[prices.closure_for(1)].each_cents
        lit, on = 0, list[int]()  # lit: how many go on behind each stop
        for stop in reversed(stops):
            on.append(lit)
            lit += stop.leaving
        on.reverse()
        last = len(stops) - 1
        # From the beginning (-1) or a stop on: the least cents, and the next stop where the cable changes, or the last.
        best: dict[int, tuple[float, int]] = {}
        for begin in range(last - 1, -2, -1):
            size = prices.cable_for(on[begin] if begin >= 0 else lit, self.spare)
            start_m = stops[begin].along_m if begin >= 0 else 0.0
            found = [(prices.cables[size] * (stops[last].along_m - start_m), last)]
            for end in range(begin + 1, last):
                if prices.cable_for(on[end], self.spare) < size and on[end] <= prices.most_joints:
                    joints = on[end] * prices.splice_cents + (0 if stops[end].branches else closure)
                    metres = prices.cables[size] * (stops[end].along_m - start_m)
                    found.append((metres + joints + best[end][0], end))
            best[begin] = min(found)
        changes = []
        at = best[-1][1]
        while at < last:
            changes.append(at)
            at = best[at][1]
        return changes

    def _cables(self, site: str, position: int, run: _Stops) -> list[tuple[Slot, End]]:
        """The cables of a run, and the joints where one goes over into the next, or into a branch."""
        draft = self.draft
        begins: list[tuple[Slot, End]] = []
        before: dict[Slot, End] = {}
        at, number, last = position, 0, len(run.stops) - 1
        while number <= last:
            until = next((n for n in sorted(run.changes) if n >= number), last)
            lit = [slot for slots in run.slots[number:] for slot in slots]
            sites, ways = [site], list[tuple[int, ...]]()
            for n in range(number, until + 1):
                passed = [run.where[slot] for slot in run.slots[n]] + [run.changes[c] for c in run.changes if c == n]
                for stop in dict.fromkeys(passed):
                    sites.append(stop)
                    ways.append(draft.tree.ways_down(at, run.stops[n].position))
                    at = run.stops[n].position
            cable = draft.cable(self.role, draft.prices.cable_for(len(lit), self.spare), sites, ways)
            here = {slot for slots in run.slots[number : until + 1] for slot in slots}
            through: dict[Slot, End] = {}
            for fibre, slot in enumerate(lit, start=1):
                begin = Fibre(cable, fibre, site, Side.DOWN)
                if slot in before:
                    draft.join(site, before[slot], begin)
                else:
                    begins.append((slot, begin))
                arrives = Fibre(cable, fibre, run.where[slot] if slot in here else run.changes[until], Side.UP)
                if slot not in here:
                    through[slot] = arrives
                elif slot in run.branched:
                    draft.join(run.where[slot], arrives, run.branched[slot])
                else:
                    self.laid.arrives[slot[0]].append(arrives)
            before, site, number = through, run.changes.get(until, site), until + 1
        return begins
