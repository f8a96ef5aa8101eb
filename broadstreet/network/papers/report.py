"""The report: what the plan is, costs and promises, for whoever decides about it. It prints well, and stands alone.

It begins with its answer in a sentence made from the plan; whatever is drawn stands in a table as well.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from broadstreet.network.design import SiteKind, What
from broadstreet.network.ground import WayKind
from broadstreet.network.ground.streets import PLANT
from broadstreet.network.papers import money, reached
from broadstreet.network.papers.chart import histogram, loss_chart
from broadstreet.network.papers.colophon import again, checked, words
from broadstreet.network.papers.digging import street_table
from broadstreet.network.papers.dossier import Dossier, counted, listed
from broadstreet.network.papers.drawing import Map, legend
from broadstreet.network.papers.markup import Markup, element
from broadstreet.network.papers.page import amount, framed, grid, page, pairs, section
from broadstreet.network.papers.parts import parts_of
from broadstreet.network.papers.table import Column, Row, Sort, Table

NOTHING: Final = 5e-5
"""A share so small is told as none."""
MAX_AREAS: Final = 60
"""So many areas have a page with a map of their own; of more the table alone speaks."""


def report(dossier: Dossier) -> Markup:
    """The whole report."""
    return page(
        f"{dossier.imprint.title}: the plan",
        f"{dossier.imprint.title}, {dossier.imprint.date}",
        element(
            "main",
            _head(dossier),
            _map(dossier),
            _costs(dossier),
            _choice(dossier),
            _bound(dossier),
            _phases(dossier),
            _areas(dossier),
            _streets(dossier),
            _light(dossier),
            checked(dossier),
            again(dossier),
            words(),
        ),
    )


def answer(dossier: Dossier) -> str:
    """The plan in a few sentences."""
    statement, served = dossier.statement, len(dossier.design.served)
    everyone, currency = len(dossier.ground.premises), dossier.currency
    reached = f"{served:,}" if served == everyone else f"{served:,} of {everyone:,}"
    costs = amount(statement.cost_cents, currency)
    each = f", {amount(round(statement.cost_cents / served), currency)} for each premises" if served else ""
    told = (
        f"{reached} premises with {counted(len(dossier.paths), 'fibre')} to customers are reached for {costs}{each}.",
        _alone(dossier.ground.counts.unreached),
        _best(dossier),
        _chosen(dossier),
        "The checker followed every path and found nothing wrong.",
    )
    return " ".join(filter(None, told))


def _alone(count: int) -> str:
    """Who is left out before anything is planned."""
    if count == 0:
        return ""
    return f"{counted(count, 'further premises', 'further premises')} could not be planned for: no street leads there."


def _best(dossier: Dossier) -> str:
    """How much less it could cost."""
    statement = dossier.statement
    least = "No plan of this ground" if statement.choice is None else "No plan that serves the same"
    if statement.cost_cents - statement.bound_cents < NOTHING * statement.cost_cents:
        return f"{least} costs less; that is proved."
    bound = amount(statement.bound_cents, dossier.currency)
    return f"{least} costs less than {bound}, so that at most {100 * statement.gap:.1f} per cent of it could be saved."


def _chosen(dossier: Dossier) -> str:
    """How much more the budget could have done."""
    choice = dossier.statement.choice
    if choice is None:
        return ""
    budget = amount(choice.budget_cents, dossier.currency)
    if choice.gap < NOTHING:
        return f"Nobody chooses better within the budget of {budget}; that is proved."
    more = 100 * (choice.bound_points - choice.points) / choice.points
    return f"Within the budget of {budget} no choice is worth over {more:.1f} per cent more."


def _head(dossier: Dossier) -> Markup:
    design, ways = dossier.design, dossier.ground.ways
    kinds = [site.kind for site in design.sites]
    dug = [way for way in design.opened if WayKind(int(ways.kind[way])) not in PLANT]
    cable_m = sum(dossier.stretch_m(c, n) for c in dossier.cables.values() for n in range(len(c.ways)))
    splices = sum(int(item.quantity) for item in dossier.statement.bill.items if item.what is What.JOINT)
    worst = max((claim.loss_db for claim in dossier.statement.paths), default=0.0)
    figures = (
        ("Trench", f"{float(ways.length_m[dug].sum()) / 1000:,.1f} km"),
        ("Cable along ways", f"{cable_m / 1000:,.1f} km"),
        ("Cabinets", f"{kinds.count(SiteKind.CABINET):,}"),
        ("Closures", f"{kinds.count(SiteKind.CLOSURE):,}"),
        ("Splices", f"{splices:,}"),
        ("Office ports", f"{sum(i.quantity for i in dossier.statement.bill.items if i.what is What.PORT):,.0f}"),
        ("Worst loss", f"{worst:.1f} dB"),
        ("Loss allowed", f"{dossier.most_loss_db:g} dB"),
    )
    return element(
        "header",
        element("p", f"Fibre plan, {dossier.imprint.date}", class_="kind"),
        element("h1", dossier.imprint.title),
        element("p", answer(dossier), class_="answer"),
        element("dl", [element("div", element("dt", n), element("dd", v)) for n, v in figures], class_="figures"),
        _money(dossier),
    )


def _money(dossier: Dossier) -> Markup:
    """Where the money goes: a bar for each kind, which is a row of a table."""
    by_kind: dict[What, int] = {}
    for item in money.bill_items(dossier):
        by_kind[item.what] = by_kind.get(item.what, 0) + item.cents
    whole, most = dossier.statement.cost_cents or 1, max(by_kind.values(), default=1) or 1
    head = [
        element("th", word, scope="col", class_=side) for word, side in (("What", None), ("Cost", "n"), ("Of all", "n"))
    ]
    rows = [
        element(
            "tr",
            element("th", money.NAMES[what], scope="row"),
            element("td", amount(cents, cents=True), class_="n"),
            element("td", f"{100 * cents / whole:.1f} %", class_="n"),
            element(
                "td",
                element("span", class_="share", style=f"width:{100 * cents / most:.1f}%"),
                aria_hidden="true",
                class_="bars",
            ),
        )
        for what, cents in sorted(by_kind.items(), key=lambda one: -one[1])
        if cents
    ]
    total = element(
        "tr",
        element("th", "In all", scope="row"),
        element("td", amount(dossier.statement.cost_cents, cents=True), class_="n"),
        element("td", "100 %", class_="n"),
        element("td", aria_hidden="true"),
    )
    return framed(
        f"Where the money goes, in {dossier.currency}",
        element("thead", element("tr", *head, element("td", aria_hidden="true"))),
        element("tbody", rows),
        element("tfoot", total),
    )


def _map(dossier: Dossier) -> Markup:
    drawn = Map(dossier)
    has_plant = any(WayKind(int(dossier.ground.ways.kind[way])) in PLANT for way in dossier.design.opened)
    return section(
        "Where it runs",
        element(
            "figure",
            drawn.draw("map"),
            legend(is_whole=True, has_plant=has_plant, has_left=len(drawn.served) < len(dossier.ground.premises)),
            element(
                "figcaption",
                drawn.description(),
                f" Streets: {source}." if (source := dossier.imprint.source) else None,
            ),
        ),
        id="where",
        fresh=True,
    )


def _costs(dossier: Dossier) -> Markup:
    bill = dossier.statement.bill.items
    labour = sum(item.labour_cents for item in bill if item.what not in money.TOGETHER)
    material = sum(item.material_cents for item in bill if item.what not in money.TOGETHER)
    both = sum(item.cents for item in bill if item.what in money.TOGETHER)
    only: tuple[str, ...] = ("item", "quantity", "unit", "price_each", "labour", "material", "cost")
    table = money.bill_table(dossier)
    if dossier.phases > 1:
        only += ("phase",)
    return section(
        "What it costs",
        element(
            "p",
            f"Labour is {amount(labour, dossier.currency)}, material {amount(material, dossier.currency)}; "
            f"{amount(both, dossier.currency)} are for offices, ports and permits, which have one price for both. "
            f"All prices are in {dossier.currency}.",
        ),
        grid(table, only=only, exact=True),
        id="costs",
        fresh=True,
    )


def _choice(dossier: Dossier) -> Markup | None:
    """Whom a budget reaches, where one decided."""
    choice = dossier.statement.choice
    if choice is None:
        return None
    demand, served = dossier.ground.premises.demand, list(dossier.design.served)
    rows: list[Row] = [
        ("Budget", amount(choice.budget_cents, dossier.currency)),
        ("Left of it", amount(choice.budget_cents - dossier.statement.cost_cents, dossier.currency)),
        ("Premises served, of all", f"{len(served):,} of {len(demand):,}"),
        ("Served whatever it costs", counted(len(choice.needed), "premises", "premises")),
        ("Worth of those served", counted(choice.points, "point")),
        ("No choice is worth more than", counted(choice.bound_points, "point")),
        ("How that was proved", choice.method),
        *(("Left out of account", one) for one in choice.relaxed),
    ]
    told = "What each premises is worth was set before; who is served is what the budget buys most of that with."
    return section("Whom it serves", element("p", told), pairs("What the budget buys", rows), id="choice", fresh=True)


def _bound(dossier: Dossier) -> Markup:
    statement = dossier.statement
    left = [term for term in statement.terms if term.bound_cents == 0 and term.spent_cents]
    between = statement.cost_cents - statement.bound_cents
    loose = sum(term.spent_cents for term in left)
    told = (
        f"The plan costs {amount(statement.cost_cents, dossier.currency)}, and it is proved that none can "
        "cost less than "
        f"{amount(statement.bound_cents, dossier.currency)}. Between the two lie {amount(between, dossier.currency)}."
    )
    if left:
        told += (
            f" Of these, {amount(loose, dossier.currency)} are spent on parts of which nothing was proved "
            f"({listed([term.name for term in left])}), though no plan can do without them: what is really to "
            "be saved is less."
        )
    return section(
        "How much less it could be",
        element("p", told),
        grid(money.bound_table(dossier), caption="Part by part"),
        id="bound",
        fresh=True,
    )


def _phases(dossier: Dossier) -> Markup | None:
    if dossier.phases < 2:
        return None
    return section("In which order", grid(money.phase_table(dossier), only=_short("phase")), id="phases")


def _short(first: str) -> tuple[str, ...]:
    return (first, "premises", "customers", "trench_m", "digging", "laying", "drops", "equipment", "cost", "cost_each")


def _areas(dossier: Dossier) -> Markup:
    table = money.area_table(dossier, parts_of(dossier))
    found = [grid(table, only=_short("area"))]
    if len(dossier.area_ids) <= MAX_AREAS:
        found += [_area(dossier, number, area) for number, area in enumerate(dossier.area_ids, start=1)]
    return section("Area by area", *found, id="areas")


def _area(dossier: Dossier, number: int, area: str) -> Markup:
    site = dossier.sites[area]
    paths = [path for path, of in zip(dossier.paths, dossier.areas, strict=True) if of == area]
    premises = len({path.premises for path in paths})
    splitters = dossier.splitters_at[area]
    size = f", a cabinet for {site.size}" if site.kind is SiteKind.CABINET and site.size else ""
    with_splitters = f", {counted(splitters, 'splitter')}" if splitters else ""
    losses = [dossier.claims[path.premises, path.socket].loss_db for path in paths]
    told = (
        f"{dossier.site_where(site)}{size}: {premises:,} premises with {counted(len(paths), 'fibre')} to customers"
        f"{with_splitters}. Losses from {min(losses):.1f} to {max(losses):.1f} dB."
    )
    drawn = Map(dossier, area)
    return element(
        "section",
        element("h3", area.capitalize().replace("-", " "), id=f"area-{number}"),
        element("p", told),
        element("figure", drawn.draw(f"map-{number}"), legend(is_whole=False, has_plant=False, has_left=False)),
        class_="fresh",
        aria_labelledby=f"area-{number}",
    )


def _streets(dossier: Dossier) -> Markup:
    table = street_table(dossier)
    empty = {
        column.name for column, total in zip(table.columns, table.sums(), strict=True) if column.is_summed and not total
    }
    if dossier.phases == 1:
        empty.add("phases")
    shown = tuple(column.name for column in table.columns if column.name not in empty)
    return section("Street by street", grid(table, only=shown), id="streets", fresh=True)


def _light(dossier: Dossier) -> Markup:
    losses = [claim.loss_db for claim in dossier.statement.paths]
    if not losses:
        return section("How the light fares", element("p", "Nobody is served."), id="light")
    rows: list[Row] = [
        (f"{start:.2f} to {end:.2f}", count, count / len(losses)) for start, end, count in histogram(losses)
    ]
    columns = (
        Column("loss", "Lost at most, dB"),
        Column("paths", "Paths", Sort.COUNT, is_summed=True),
        Column("share", "Of all", Sort.SHARE),
    )
    longest = max(claim.length_m for claim in dossier.statement.paths)
    worst = max(dossier.statement.paths, key=lambda claim: claim.loss_db)
    told = (
        f"Light loses {float(np.median(losses)):.1f} dB on the median path. The worst is that to "
        f"{dossier.label(worst.premises)}: "
        f"{worst.loss_db:.2f} dB, which leaves {dossier.most_loss_db - worst.loss_db:.2f} dB. The longest "
        f"fibre has {longest:,.0f} m."
    )
    return section(
        "How the light fares",
        element("p", told),
        element("p", reached.light_note(dossier)),
        element("figure", loss_chart(losses, dossier.most_loss_db, "losses")),
        grid(Table("losses", "Paths by what they lose", "", columns, rows)),
        id="light",
        fresh=True,
    )
