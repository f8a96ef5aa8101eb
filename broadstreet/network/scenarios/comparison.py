"""Plans side by side: what each costs by item, how far each is from its bound, and which ways only some of them open.

Plans may have grounds of their own (other rules, other prices): ways are the same where their courses are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Statement, What
from broadstreet.network.ground import Ground
from broadstreet.network.scenarios.drawing import collection, feature, line_of, way_properties

MIN_COMPARED: Final = 2
MAX_COMPARED: Final = 6


class ComparedItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item of the bills, over all phases: how much of it each plan has, and what that costs it."""

    what: What
    key: str
    unit: str
    quantity: tuple[float, ...]
    cents: tuple[int, ...]


class ComparedTerm(msgspec.Struct, frozen=True, kw_only=True):
    """One term of the bounds: its bound in each plan, and what each spends on the same; None where a plan has none."""

    name: str
    bound_cents: tuple[int | None, ...]
    spent_cents: tuple[int | None, ...]


def check_count(count: int) -> None:
    """Raises InvalidInput unless so many plans can stand side by side."""
    if not MIN_COMPARED <= count <= MAX_COMPARED:
        raise InvalidInput(
            f"{MIN_COMPARED} to {MAX_COMPARED} plans stand side by side, and not {count}",
            where="scenario",
            remedy="Name each by its id.",
        )


def compare_bills(statements: Sequence[Statement]) -> tuple[ComparedItem, ...]:
    """The bills, item by item, in the order in which money is spent."""
    quantities: defaultdict[tuple[What, str, str], list[float]] = defaultdict(lambda: [0.0] * len(statements))
    cents: defaultdict[tuple[What, str, str], list[int]] = defaultdict(lambda: [0] * len(statements))
    for number, statement in enumerate(statements):
        for item in statement.bill.items:
            row = item.what, item.key, item.unit
            quantities[row][number] += item.quantity
            cents[row][number] += item.cents
    order = {what: place for place, what in enumerate(What)}
    return tuple(
        ComparedItem(
            what=what,
            key=key,
            unit=unit,
            quantity=tuple(round(quantity, 2) for quantity in quantities[what, key, unit]),
            cents=tuple(cents[what, key, unit]),
        )
        for what, key, unit in sorted(cents, key=lambda row: (order[row[0]], row[1], row[2]))
    )


def compare_terms(statements: Sequence[Statement]) -> tuple[ComparedTerm, ...]:
    """The terms of the bounds, each by its name."""
    names = dict.fromkeys(term.name for statement in statements for term in statement.terms)
    found = [{term.name: term for term in statement.terms} for statement in statements]
    return tuple(
        ComparedTerm(
            name=name,
            bound_cents=tuple(terms[name].bound_cents if name in terms else None for terms in found),
            spent_cents=tuple(terms[name].spent_cents if name in terms else None for terms in found),
        )
        for name in names
    )


def draw_differences(plans: Sequence[tuple[str, Statement, Ground]]) -> bytes:
    """A LineString for each way that some of the plans open and others do not; `in`: the ids of those that do."""
    opened: dict[tuple[tuple[float, ...], ...], tuple[Ground, int, list[str]]] = {}
    for id, statement, ground in plans:
        for way in statement.design.opened:
            course = tuple(tuple(point) for point in line_of(ground, way))
            _, _, ids = opened.setdefault(min(course, course[::-1]), (ground, way, []))
            ids.append(id)

    def drawn() -> Any:
        for ground, way, ids in opened.values():
            if len(ids) < len(plans):
                yield feature("LineString", line_of(ground, way), {**way_properties(ground, way), "in": ids})

    return collection(drawn())
