"""Whether the bound is the sum of what it says it is a sum of, and nowhere above what the design spends.

That no design can cost less than a term says is the planner's to prove: this checks what follows from it.
"""

from __future__ import annotations

from collections import Counter

from broadstreet.network.proof.case import Case
from broadstreet.network.proof.finding import FindingKind as Kind


def check_bound(case: Case) -> None:
    statement = case.statement
    for name, count in Counter(term.name for term in statement.terms).items():
        if count > 1:
            case.report(Kind.TERM_TWICE, f"term {name}", f"{count} terms", "a term is named once")
    for term in statement.terms:
        if term.bound_cents > term.spent_cents:
            claimed = f"no design spends less than {term.bound_cents} cents"
            case.report(Kind.TERM_OVER, f"term {term.name}", claimed, f"this one spends {term.spent_cents}")
    spent = sum(term.spent_cents for term in statement.terms)
    cost = statement.bill.cents
    if spent != cost:
        case.report(Kind.TERMS_SUM, "the terms", f"{spent} cents are spent", f"the bill is of {cost} cents")
    bound = sum(term.bound_cents for term in statement.terms)
    if bound > cost:
        case.report(Kind.BOUND_OVER, "the bound", f"{bound} cents", f"this design costs {cost}")
