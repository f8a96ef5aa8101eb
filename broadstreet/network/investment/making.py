"""From a plan and a business to a case: lines rounded to whole cents, and every figure from the rounded lines."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Final

import numpy as np

from broadstreet.network.design import Statement
from broadstreet.network.ground import Ground
from broadstreet.network.ground.courses import F8
from broadstreet.network.investment.breaking_even import break_even
from broadstreet.network.investment.business import Business, Drops, Order
from broadstreet.network.investment.case import (
    COMES,
    AreaCase,
    Case,
    Connected,
    Group,
    Line,
    PublicWorth,
    Stage,
    stream_of,
)
from broadstreet.network.investment.flow import Flow, Levers
from broadstreet.network.investment.programme import parts_of
from broadstreet.network.investment.returns import internal_rates, modified_rate, payback_years, present_value
from broadstreet.network.investment.venture import Venture

MAX_NAMED: Final = 5
"""How many areas a note names; of the others the number is."""


def case_of(statement: Statement, ground: Ground, business: Business, name: str) -> Case:
    """The business case of a plan, under a name. Raises what `Venture.of` does."""
    return case_of_venture(Venture.of(statement, ground, business), name)


def case_of_venture(venture: Venture, name: str) -> Case:
    """The business case of a venture, under a name."""
    business, money = venture.business, venture.business.money
    flow = venture.flow(Levers.of())
    lines = _lines(flow)
    net = [
        sum(line.cents[year] if line.group in COMES else -line.cents[year] for line in lines)
        for year in range(business.time.years)
    ]
    residual = round(float(flow.residual[0]))
    stream, rate = stream_of(net, residual, business.time.falls), money.nominal_rate
    alone = [stream_of([0] * year + [cents], 0, business.time.falls) for year, cents in enumerate(net)]
    running = list(accumulate(net))
    lowest = min(range(len(net)), key=running.__getitem__)
    customers, passed = _customers(venture, flow), flow.passed[0].round(1).tolist()
    connected = sum(kind.at_end[-1] for kind in customers)
    at_once = sum(sum(line.cents) for line in lines if line.group is Group.BUILDING)
    invested = at_once + sum(sum(line.cents) for line in lines if line.group is Group.CONNECTING)
    return Case(
        name=name,
        business=business,
        nominal_rate=rate,
        lines=lines,
        net_cents=tuple(net),
        cumulative_cents=tuple(running),
        residual_cents=residual,
        customers=customers,
        premises_passed=tuple(passed),
        stages=_stages(venture, flow),
        areas=_areas(venture),
        bill_cents=venture.outlay.bill_cents,
        unbuilt_cents=venture.outlay.bill_cents - venture.programme.bill_cents,
        waiting_cents=_waiting(venture, flow),
        invested_cents=invested,
        npv_cents=round(present_value(stream, rate)),
        rates=internal_rates(stream),
        modified_rate=modified_rate(stream, rate, rate),
        payback_years=payback_years(net),
        discounted_payback_years=payback_years([present_value(one, rate) for one in alone]),
        peak_funding_cents=max(0, -running[lowest]),
        peak_year=lowest + 1 if running[lowest] < 0 else 0,
        cents_by_premises_passed=round(at_once / passed[-1]) if passed[-1] else None,
        cents_by_connected=round(invested / connected) if connected else None,
        break_even=break_even(venture),
        public_value=_public_worth(venture, invested),
        notes=_notes(venture, rate, lines),
    )


def _lines(flow: Flow) -> tuple[Line, ...]:
    groups: dict[Group, Mapping[str, F8]] = {
        Group.REVENUE: flow.revenue,
        Group.FEES: flow.fees,
        Group.GRANTS: {"grants": flow.grants},
        Group.OPERATING: flow.operating,
        Group.BUILDING: flow.building,
        Group.CONNECTING: {"drops": flow.drops, **{f"{kind} equipment": one for kind, one in flow.connecting.items()}},
        Group.RENEWING: flow.renewing,
        Group.TAX: {"tax": flow.tax},
    }
    found = [
        Line(group, name, tuple(round(cents) for cents in by_year[0].tolist()))
        for group, lines in groups.items()
        for name, by_year in lines.items()
    ]
    return tuple(line for line in found if any(line.cents))


def _customers(venture: Venture, flow: Flow) -> tuple[Connected, ...]:
    possible = venture.programme.customers.sum(axis=1)
    return tuple(
        Connected(name, float(possible[number]), tuple(flow.connected[name][0].round(1).tolist()))
        for number, name in enumerate(venture.custom.kinds)
    )


def _stages(venture: Venture, flow: Flow) -> tuple[Stage, ...]:
    """What is built by years: which areas' premises, and for how much."""
    cents = np.sum([by_year[0] for by_year in flow.building.values()], axis=0)
    outlay, years = venture.outlay, venture.years
    found = []
    for year in range(1, venture.business.time.years + 1):
        here = years.premises == year
        areas = sorted(set(outlay.area_of[here].tolist()))
        if areas or cents[year - 1]:
            names = tuple(outlay.areas[area].label for area in areas)
            found.append(Stage(year, names, int(here.sum()), round(float(cents[year - 1]))))
    return tuple(found)


def _areas(venture: Venture) -> tuple[AreaCase, ...]:
    """Areas by turns, each with its part."""
    number = {area.site: at for at, area in enumerate(venture.outlay.areas)}
    outlay, horizon = venture.outlay, venture.business.time.years
    is_built = (venture.years.outlay > 0) & (venture.years.outlay <= horizon)
    parts = parts_of(outlay, venture.years, horizon).T @ np.where(is_built, outlay.cents, 0)
    return tuple(
        AreaCase(
            site=value.site,
            label=value.label,
            turn=value.turn,
            year=venture.area_year(number[value.site]),
            premises=value.premises,
            customers=value.customers,
            building_cents=round(float(parts[number[value.site]])),
            npv_cents=round(venture.area_npv_cents(number[value.site])),
            points=value.points,
        )
        for value in venture.turns
    )


def _waiting(venture: Venture, flow: Flow) -> int:
    """Drops that no customer has asked for by the end, at the bill's prices."""
    business, doors = venture.business, venture.programme.doors
    if business.building.drops is Drops.AT_ONCE:
        return 0
    growth = (1 + business.money.building_growth) ** np.arange(business.time.years)
    return round(float(doors.cents.sum() - (flow.drops[0] / growth).sum()))


def _public_worth(venture: Venture, invested: int) -> PublicWorth:
    business, programme = venture.business, venture.programme
    ready = np.clip(np.arange(1, business.time.years + 1) - business.time.ready_after_years, 0.0, 1.0)
    weights = np.array([kind.public_value for kind in business.customer.values()])
    served = np.zeros_like(programme.customers)  # kinds by years, the part of a year in which they can be served
    for year in range(business.time.years):
        served[:, year:] += programme.customers[:, year, None] * ready[: business.time.years - year]
    by_kind = served.sum(axis=1) * weights
    yearly = weights @ served
    price = business.public_value.price_per_point
    npv = None
    if price:
        cents = [round(points * price) for points in yearly.tolist()]
        npv = round(present_value(stream_of(cents, 0, business.time.falls), business.money.nominal_rate))
    return PublicWorth(
        points=float(weights @ programme.customers.sum(axis=1)),
        point_years=float(yearly.sum()),
        points_by_million=float(yearly.sum()) / invested * 1e8 if invested else 0.0,
        by_kind={name: float(by_kind[n]) for n, name in enumerate(venture.custom.kinds) if by_kind[n]},
        npv_cents=npv,
    )


def _notes(venture: Venture, rate: float, lines: tuple[Line, ...]) -> tuple[str, ...]:
    """What a reader should know of how this was reckoned, and what was not found."""
    business, time = venture.business, venture.business.time
    kind = f"{business.money.discount_rate:.2%} {business.money.discount_rate_is}"
    notes = [
        f"Discounted at {rate:.2%} nominal ({kind}), money falling in the {time.falls} of its year; prices of each "
        f"year; {'before' if not business.money.tax_rate else 'after'} tax; no value-added tax.",
    ]
    notes += [
        f"No premises is a {name}: none has a name or id that the sheet gives." for name in venture.custom.unfound
    ]
    areas = enumerate(venture.outlay.areas)
    late = [area.label for number, area in areas if not venture.area_year(number)]
    if len(late) > MAX_NAMED:
        late[MAX_NAMED:] = [f"and {len(late) - MAX_NAMED} more"]
    if late:
        notes.append(f"Not built within {time.years} years: {', '.join(late)}.")
    if business.phases.order is Order.AS_PLANNED and venture.outlay.last_phase == 1 and len(venture.outlay.areas) > 1:
        notes.append("The plan has one phase: all is built in one year. Let phases.order and a budget say otherwise.")
    if any(line.group is Group.BUILDING and line.cents[-1] for line in lines):
        notes.append("Something is built in the last year, and earns nothing within those that are reckoned.")
    return tuple(notes)
