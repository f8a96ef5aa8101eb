"""Whether the opened ways may be opened, are all that must be, and lead from an office to everyone served, in time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np

from broadstreet.network.design import SiteKind
from broadstreet.network.proof.case import Case, Way
from broadstreet.network.proof.finding import FindingKind as Kind


def check_routes(case: Case) -> None:
    _check_opened(case)
    offices = {site.node for site in case.sites_of(SiteKind.OFFICE)}
    reached = reached_from(offices, case.known_ways(case.opened))
    for premises in sorted({row for row in case.design.served if 0 <= row < len(case.premises_node)}):
        node = case.premises_node[premises]
        if node not in reached:
            claimed, true = "connected with an office", "opened ways lead to none"
            case.report(Kind.UNCONNECTED, case.name(premises), claimed, true, node=node)
    _check_phases(case, offices, reached)


def reached_from(nodes: Iterable[int], ways: Iterable[Way]) -> set[int]:
    """All nodes that ways lead to from these."""
    beside: defaultdict[int, list[int]] = defaultdict(list)
    for way in ways:
        beside[way.a].append(way.b)
        beside[way.b].append(way.a)
    reached = set(nodes)
    waiting = list(reached)
    while waiting:
        for node in beside[waiting.pop()]:
            if node not in reached:
                reached.add(node)
                waiting.append(node)
    return reached


def _check_opened(case: Case) -> None:
    for row, count in Counter(case.design.opened).items():
        way = case.way(row)
        where = f"way {row}"
        if way is None:
            case.report(Kind.WAY_UNKNOWN, where, "opened", f"the ground has {len(case.ground.ways)} ways")
            continue
        if count > 1:
            case.report(Kind.WAY_TWICE, where, f"opened {count} times", "once", way=row)
        if not way.usable:
            case.report(Kind.WAY_UNUSABLE, where, "opened", "it may not be used", way=row)
    for row in np.flatnonzero(case.ground.ways.locked).tolist():
        if row not in case.opened:
            case.report(Kind.LOCKED_LEFT_OUT, f"way {row}", "not opened", "locked: every plan holds it", way=row)


def _check_phases(case: Case, offices: set[int], reached: set[int]) -> None:
    """What hangs together with an office in the end does so by the end of the phase that builds it."""
    phases = case.design.phases
    if not phases:
        return
    if len(phases) != len(case.design.opened) or min(phases) < 1:
        claimed = f"{len(phases)} phases from {min(phases)}"
        case.report(Kind.PHASES, "phases", claimed, f"one for each of {len(case.design.opened)} ways, from 1")
        return
    ways = case.known_ways(case.opened)
    for phase in sorted(set(phases)):
        so_far = reached_from(offices, [way for way in ways if case.phase[way.row] <= phase])
        for way in ways:
            if case.phase[way.row] == phase and way.a in reached and way.a not in so_far:
                true = "reached from an office only later"
                case.report(Kind.PHASE_UNCONNECTED, f"way {way.row}", f"phase {phase}", true, way=way.row)
