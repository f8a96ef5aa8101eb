"""How a business case is shown on a terminal: in a few lines, year by year, by areas, and beside others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.table import Table

from broadstreet.cli.console import console

if TYPE_CHECKING:
    from broadstreet.network.investment import Case, Chance, Comparison, Tornado, TwoWay

BAR: Final = 40
"""How many characters the widest bar of a tornado has."""
NONE: Final = "–"


def say_case(case: Case) -> None:
    """What a plan is worth: first what is asked first."""
    from broadstreet.network.investment import spoken

    currency = case.business.currency
    line(f"{case.name}: {case.business.title}")
    line(f"  net present value     {spoken(case.npv_cents, currency)}, at {case.nominal_rate:.2%}")
    rate = case.rates.said if case.rates.rate is None else f"{case.rates.rate:.2%}"
    line(f"  rate of return        {rate}; modified {share(case.modified_rate)}")
    line(f"  payback               {after(case.payback_years)}; discounted {after(case.discounted_payback_years)}")
    peak = f" in {case.business.time.called(case.peak_year)}" if case.peak_year else ""
    line(f"  peak funding          {spoken(case.peak_funding_cents, currency)}{peak}")
    line(f"  building, connecting  {spoken(case.invested_cents, currency)} of a bill of {money(case.bill_cents)}")
    passed, connected = case.cents_by_premises_passed, case.cents_by_connected
    line(f"  for each              premises passed {money(passed)}, customer connected {money(connected)}")
    line(f"  break-even            {case.break_even.said}")
    worth = case.public_value
    priced = "" if worth.npv_cents is None else f", worth {spoken(worth.npv_cents, currency)} by themselves"
    line(f"  public value          {worth.points:,.0f} points a year{priced}")
    for note in case.notes:
        line(f"  {note}")


def say_years(case: Case) -> None:
    """Money by years, in whole units of the currency."""
    from broadstreet.network.investment import Group

    table = Table(title=f"{case.name}, {case.business.currency} by years", title_justify="left", box=None)
    groups = [(group, [one.cents for one in case.lines if one.group is group]) for group in Group]
    shown = [(group, [sum(cents) for cents in zip(*lines, strict=True)]) for group, lines in groups if lines]
    for name in ("year", *(str(group) for group, _ in shown), "net", "all so far", "connected"):
        table.add_column(name, justify="right")
    for year in range(case.years):
        connected = sum(kind.at_end[year] for kind in case.customers)
        cells = [money(cents[year]) for _, cents in shown]
        running = [money(case.net_cents[year]), money(case.cumulative_cents[year])]
        table.add_row(case.business.time.called(year + 1), *cells, *running, f"{connected:,.0f}")
    console.print(table)
    if case.residual_cents:
        line(f"Left at the end: {money(case.residual_cents)}")


def say_areas(case: Case) -> None:
    """Areas by turns."""
    title = f"{case.name}, areas by turns, before fixed costs, grants and tax"
    table = Table(title=title, title_justify="left", box=None)
    for name in ("turn", "area", "built", "premises", "customers", "building", "net present value", "points a year"):
        table.add_column(name, justify="left" if name == "area" else "right")
    for area in case.areas:
        table.add_row(
            str(area.turn),
            area.label,
            case.business.time.called(area.year) if area.year else NONE,
            f"{area.premises:,}",
            f"{area.customers:,.0f}",
            money(area.building_cents),
            money(area.npv_cents),
            f"{area.points:,.0f}",
        )
    console.print(table)


def say_tornado(found: Tornado, currency: str) -> None:
    """One lever at a time, the widest first."""
    table = Table(title=f"Net present value in {currency}, one thing at a time", title_justify="left", box=None)
    for name in ("", "from", "to", "worth", "to", ""):
        table.add_column(name, justify="left" if not name else "right")
    widest = max((bar.swing_cents for bar in found.bars), default=0) or 1
    for bar in found.bars:
        unit = "{:+.2f} years" if bar.lever == "delay_years" else "{:+.0%}"
        if bar.lever == "interest":
            unit = "{:+.1%} points"
        ends = unit.format(bar.low), unit.format(bar.high), money(bar.low_npv_cents), money(bar.high_npv_cents)
        table.add_row(bar.lever.replace("_", " "), *ends, "█" * round(BAR * bar.swing_cents / widest))
    console.print(table)


def say_two_way(found: TwoWay, currency: str) -> None:
    """Two levers at once."""
    down, across = found.rows.replace("_", " "), found.columns.replace("_", " ")
    title = f"Net present value in {currency}: {down} downwards, {across} across"
    table = Table(title=title, title_justify="left", box=None)
    table.add_column("")
    for value in found.column_values:
        table.add_column(f"{value:+.0%}", justify="right")
    for value, row in zip(found.row_values, found.npv_cents, strict=True):
        table.add_row(f"{value:+.0%}", *(money(cents) for cents in row))
    console.print(table)


def say_chance(found: Chance, currency: str) -> None:
    """All levers by chance."""
    told = ", ".join(f"{percent} % under {money(cents)}" for percent, cents in found.percentiles.items())
    line(f"By chance ({found.draws:,} draws, seed {found.seed}), net present value in {currency}: {told}.")
    line(
        f"It is over nothing with a probability of {found.probability_worth:.1%} (give or take "
        f"{found.standard_error:.1%}), and paid back within the years reckoned with {found.probability_paid_back:.1%}."
    )


def say_comparison(found: Comparison, currency: str) -> None:
    """Cases side by side."""
    outcomes = Table(title="Side by side", title_justify="left", box=None)
    inputs = Table(title="What differs in their sheets", title_justify="left", box=None)
    for table in (outcomes, inputs):
        table.add_column("")
        for name in found.names:
            table.add_column(name, justify="right")
    for one in found.outcomes:
        outcomes.add_row(one.name, *(figure(value, one.unit) for value in one.values))
    for differs in found.inputs:
        inputs.add_row(differs.place, *(entry(value, differs.unit) for value in differs.values))
    console.print(outcomes)
    if found.inputs:
        console.print(inputs)
    for words in found.said:
        line(words)
    line(f"Money in {currency}.")


def figure(value: float | None, unit: str) -> str:
    """A figure in its unit."""
    if value is None:
        return NONE
    if unit == "cents":
        return money(round(value))
    if unit == "share":
        return f"{value:.2%}"
    return f"{value:.1f} years" if unit == "years" else f"{value:,.0f}"


def entry(value: float | str | None, unit: str) -> str:
    """What stands in a sheet, as it is written there."""
    if isinstance(value, int) and unit == "cents":
        return f"{value / 100:,.2f}"
    return NONE if value is None else str(value)


def money(cents: int | None) -> str:
    """Whole units of the currency."""
    return NONE if cents is None else f"{round(cents / 100):,}"


def share(value: float | None) -> str:
    return NONE if value is None else f"{value:.2%}"


def after(years: float | None) -> str:
    return "not within the years reckoned" if years is None else f"after {years:.1f} years"


def line(words: str) -> None:
    """One line, as it is."""
    console.print(words, soft_wrap=True, markup=False)
