"""Whether a programme is what it says: each phase within its budget, and so many points so early.

That no other phases have more is the planner's to prove: this checks what follows from it.
"""

from __future__ import annotations

from collections import defaultdict

from broadstreet.network.proof.case import Case
from broadstreet.network.proof.choice import points_of
from broadstreet.network.proof.finding import FindingKind as Kind
from broadstreet.network.proof.light import Path


def check_programme(case: Case, paths: list[Path]) -> None:
    programme = case.statement.programme
    if programme is None:
        return
    spent = defaultdict[int, int](int)
    for item in case.statement.bill.items:
        spent[item.phase] += item.cents
    budgets = dict(enumerate(programme.budgets_cents, start=1))
    for phase, cents in sorted(spent.items()):
        if cents > budgets.get(phase, 0):
            case.report(Kind.PHASE_BUDGET, f"phase {phase}", f"{budgets.get(phase, 0)} cents", f"it costs {cents}")
    reached: dict[int, int] = {}
    for path in paths:
        phase = max((case.phase_of(row for rows in cable.ways for row in rows) for cable in path.cables), default=1)
        reached[path.premises] = max(phase, reached.get(path.premises, phase))
    last = len(budgets)
    true = sum(
        points_of(case, programme.worth, row) * max(0, last + 1 - phase) for row, phase in sorted(reached.items())
    )
    if true != programme.point_years:
        case.report(Kind.POINT_YEARS, "the phases", f"{programme.point_years} point-years", f"{true}")
    if programme.point_years > programme.bound_point_years:
        claimed = f"no phases have more than {programme.bound_point_years} point-years"
        case.report(Kind.POINT_YEARS_OVER, "the bound of the phases", claimed, f"these have {programme.point_years}")
