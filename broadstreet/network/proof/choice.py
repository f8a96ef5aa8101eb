"""Whether a choice is what it says: within its budget, worth so many points, with everyone who is needed.

That no other choice is worth more than the bound is the planner's to prove: this checks what follows from it.
"""

from __future__ import annotations

from broadstreet.network.ground.premises import PremisesKind
from broadstreet.network.ground.worth import POINTS, Group, Worth
from broadstreet.network.proof.case import Case
from broadstreet.network.proof.finding import FindingKind as Kind


def check_choice(case: Case) -> None:
    choice = case.statement.choice
    if choice is None:
        return
    cost = case.statement.bill.cents
    if cost > choice.budget_cents:
        case.report(Kind.BUDGET, "the design", f"a budget of {choice.budget_cents} cents", f"it costs {cost}")
    served = {row for row in case.design.served if 0 <= row < len(case.premises_ids)}
    points = sum(points_of(case, choice.worth, row) for row in served)
    if points != choice.points:
        case.report(Kind.POINTS, "what is served", f"{choice.points} points", f"{points} points")
    if choice.points > choice.bound_points:
        claimed = f"no design is worth more than {choice.bound_points} points"
        case.report(Kind.POINTS_OVER, "the bound of the points", claimed, f"this one is worth {choice.points}")
    demand = case.ground.premises.demand
    must = {row for row, id in enumerate(case.premises_ids) if id in choice.worth.must or demand.is_critical[row]}
    for row in sorted(must.intersection(served) - set(choice.needed)):
        case.report(Kind.NEEDED, case.name(row), "served by choice", "needed in any case", node=case.premises_node[row])
    for row in sorted(set(choice.needed) - served):
        is_there = 0 <= row < len(case.premises_ids)
        where = case.name(row) if is_there else f"premises {row}"
        case.report(
            Kind.NEEDED, where, "served in any case", "not served", node=case.premises_node[row] if is_there else None
        )


def points_of(case: Case, worth: Worth, row: int) -> int:
    """What serving a premises is worth, in whole points."""
    demand = case.ground.premises.demand
    parts = [worth.by_weight * float(demand.weight[row]), worth.by_fibre * case.need[row]]
    parts += [group.worth for group in worth.public.values() if _is_in(case, group, row)]
    return sum(round(POINTS * part) for part in parts)


def _is_in(case: Case, group: Group, row: int) -> bool:
    demand = case.ground.premises.demand
    label = demand.labels[row].casefold()
    kind = PremisesKind(int(demand.kind[row])).name.casefold()
    return demand.ids[row] in group.ids or kind in group.kinds or any(word.casefold() in label for word in group.words)
