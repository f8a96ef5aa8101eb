"""Cases side by side: what differs in what went in, what came out, and what that means in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, get_args, get_type_hints

import msgspec

from broadstreet.model.errors import InvalidInput
from broadstreet.network.ground.sheet import Amount, Cents
from broadstreet.network.investment.business import Business
from broadstreet.network.investment.case import Case, Group

MAX_CASES: Final = 20

Value = float | int | str | None


class Difference(msgspec.Struct, frozen=True):
    """An entry that is not the same in every business: its place in the sheet, and what each has there; None: it is
    not in that sheet. unit: `cents` of what is money there, and otherwise nothing."""

    place: str
    unit: str
    values: tuple[Value, ...]


class Outcome(msgspec.Struct, frozen=True):
    """A figure of each case. unit: `cents`, `share`, `years`, `premises`, `customers` or `points`."""

    name: str
    unit: str
    values: tuple[float | int | None, ...]


class Comparison(msgspec.Struct, frozen=True):
    """Cases by name; said: a sentence for each but the first, which the others are held against."""

    names: tuple[str, ...]
    inputs: tuple[Difference, ...]
    outcomes: tuple[Outcome, ...]
    said: tuple[str, ...]


def compare(cases: Sequence[Case]) -> Comparison:
    """Cases side by side, held against the first. Raises InvalidInput where they are fewer than two, too many, of one
    name, or of several currencies."""
    if not 2 <= len(cases) <= MAX_CASES:
        raise InvalidInput(f"{len(cases)} cases", where="cases", remedy=f"Compare 2 to {MAX_CASES}.")
    names = tuple(case.name for case in cases)
    if len(set(names)) < len(names):
        raise InvalidInput("two cases have one name", where="cases", remedy="Give each a name of its own.")
    if len(currencies := {case.business.currency for case in cases}) > 1:
        told = ", ".join(sorted(currencies))
        raise InvalidInput(f"cases in {told} cannot be compared", where="currency", remedy="Reckon all in one.")
    return Comparison(names, _inputs(cases), _outcomes(cases), tuple(_said(cases[0], case) for case in cases[1:]))


def _inputs(cases: Sequence[Case]) -> tuple[Difference, ...]:
    flat = [_flat(case.business, Business, "") for case in cases]
    places = dict.fromkeys(place for one in flat for place in one)
    found = []
    for place in places:
        entries = [one.get(place, ("", None)) for one in flat]
        if len({value for _, value in entries}) > 1:
            found.append(Difference(place, max(unit for unit, _ in entries), tuple(value for _, value in entries)))
    return tuple(found)


def _flat(value: Any, hint: Any, place: str) -> dict[str, tuple[str, Value]]:
    """Leaves by their place, with their unit; a list is one leaf."""
    below = f"{place}." if place else ""
    found: dict[str, tuple[str, Value]] = {}
    if isinstance(value, msgspec.Struct):
        for name, inner in get_type_hints(type(value)).items():
            found |= _flat(getattr(value, name), inner, f"{below}{name}")
        return found
    if isinstance(value, dict):
        for key, one in value.items():
            found |= _flat(one, get_args(hint)[1], f"{below}{key}")
        return found
    told = ", ".join(map(str, value)) if isinstance(value, list) else value
    return {place: ("cents" if hint in (Cents, Amount) else "", told)}


def _outcomes(cases: Sequence[Case]) -> tuple[Outcome, ...]:
    def of(name: str, unit: str, values: list[float | int | None]) -> Outcome:
        return Outcome(name, unit, tuple(values))

    return (
        of("the plan's bill", "cents", [case.bill_cents for case in cases]),
        of("building and connecting", "cents", [case.invested_cents for case in cases]),
        of("renewing", "cents", [case.total_cents(Group.RENEWING) for case in cases]),
        of("revenue and fees", "cents", [case.total_cents(Group.REVENUE, Group.FEES) for case in cases]),
        of("operating", "cents", [case.total_cents(Group.OPERATING) for case in cases]),
        of("left at the end", "cents", [case.residual_cents for case in cases]),
        of("net present value", "cents", [case.npv_cents for case in cases]),
        of("internal rate of return", "share", [case.rates.rate for case in cases]),
        of("modified rate of return", "share", [case.modified_rate for case in cases]),
        of("payback", "years", [case.payback_years for case in cases]),
        of("discounted payback", "years", [case.discounted_payback_years for case in cases]),
        of("peak funding", "cents", [case.peak_funding_cents for case in cases]),
        of("premises passed", "premises", [case.premises_passed[-1] for case in cases]),
        of("connected at the end", "customers", [_connected(case) for case in cases]),
        of("cost by premises passed", "cents", [case.cents_by_premises_passed for case in cases]),
        of("cost by customer connected", "cents", [case.cents_by_connected for case in cases]),
        of("break-even take-up", "share", [case.break_even.take_up for case in cases]),
        of("break-even price", "share", [case.break_even.price for case in cases]),
        of("public value, a year", "points", [case.public_value.points for case in cases]),
    )


def _connected(case: Case) -> float:
    return round(sum(kind.at_end[-1] for kind in case.customers), 1)


def _earned(case: Case) -> int:
    return case.total_cents(Group.REVENUE, Group.FEES) - case.total_cents(Group.OPERATING)


def _said(first: Case, other: Case) -> str:
    """What one case is beside another, for somebody who has one minute."""
    currency, time = first.business.currency, other.business.time
    costs = _more(other.invested_cents - first.invested_cents, currency)
    earns = _more(_earned(other) - _earned(first), currency)
    worth = _more(other.npv_cents - first.npv_cents, currency)
    by = time.called(time.years)
    said = f"{other.name} costs {costs} and earns {earns} by {by}; {_payback(first, other)}; it is worth {worth} today"
    points = other.public_value.points - first.public_value.points
    if round(points):
        said += f", and brings {abs(points):,.0f} points a year {'more' if points > 0 else 'less'}"
    return f"{said} (against {first.name})."


def _more(cents: int, currency: str) -> str:
    if not cents:
        return "the same"
    return f"{spoken(abs(cents), currency)} {'more' if cents > 0 else 'less'}"


def _payback(first: Case, other: Case) -> str:
    one, two = first.payback_years, other.payback_years
    if one is None and two is None:
        return "neither pays back within the years that are reckoned"
    if two is None:
        return f"it does not pay back within {other.business.time.years} years"
    if one is None:
        return f"it pays back after {two:.1f} years, which {first.name} does not"
    if abs(two - one) < 0.05:
        return f"it pays back at the same time, after {two:.1f} years"
    return f"it pays back {abs(two - one):.1f} years {'later' if two > one else 'sooner'}"


def spoken(cents: int, currency: str) -> str:
    """Money as one says it: 1.2 million EUR, 45,300 EUR."""
    if abs(cents) >= 1_000_000_00:
        return f"{cents / 1_000_000_00:,.2f} million {currency}"
    return f"{cents / 100:,.0f} {currency}"
