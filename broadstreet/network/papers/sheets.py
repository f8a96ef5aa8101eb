"""The splice plan to print: a page for each site, to take along. The same rows as the table of splices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from broadstreet.network.design import End, Fibre, Leg, SiteKind
from broadstreet.network.papers.colours import FIBRES_PER_TUBE
from broadstreet.network.papers.dossier import Dossier, counted
from broadstreet.network.papers.markup import Markup, element, together
from broadstreet.network.papers.page import framed, page
from broadstreet.network.papers.sketch import Sketches
from broadstreet.network.papers.splicing import (
    JOINTS_PER_TRAY,
    Passing,
    Place,
    cables_at,
    end_marking,
    end_name,
    leads_to,
    places,
    spliced_sites,
)

SWATCHES: Final = {
    "blue": "#1F5FBF",
    "orange": "#E8791C",
    "green": "#2E8B3D",
    "brown": "#7A4A24",
    "slate": "#7A848F",
    "grey": "#8A8A8A",
    "white": "#FFFFFF",
    "red": "#C62828",
    "black": "#111111",
    "yellow": "#F2D024",
    "violet": "#7A3FA0",
    "rose": "#F0A0B8",
    "pink": "#F0A0B8",
    "aqua": "#6FD3D6",
    "turquoise": "#2FB5B0",
}
"""What the colours look like; their names stand beside them."""


def splice_sheets(dossier: Dossier) -> Markup:
    """All sites with joints, from the office outwards; premises have two joints at most for each fibre, and none."""
    sites, sketches = spliced_sites(dossier, with_premises=False), Sketches(dossier)
    joints = sum(len(dossier.joints[site.id]) for site in sites)
    lead = (
        f"{counted(len(sites), 'site')} with {counted(joints, 'joint')}, a page or more each, from the office "
        "outwards. Colours are those "
        f"of {dossier.imprint.colours.value}, in tubes of {FIBRES_PER_TUBE}, and a tray takes "
        f"{JOINTS_PER_TRAY} splices: look at the cable's data sheet and at the "
        "box before you begin. From is the office's side, to the customer's. A fibre that passes and stands "
        "in no row is not cut."
    )
    return page(
        f"{dossier.imprint.title}: splice plan",
        f"{dossier.imprint.title}, splice plan, {dossier.imprint.date}",
        element(
            "main",
            element("p", f"Splice plan, {dossier.imprint.date}", class_="kind"),
            element("h1", dossier.imprint.title),
            element("p", lead),
            [_sheet(dossier, sketches, site.id, number) for number, site in enumerate(sites)],
        ),
    )


def _sheet(dossier: Dossier, sketches: Sketches, id: str, number: int) -> Markup:
    site, found = dossier.sites[id], places(dossier, id)
    lon, lat = dossier.site_place(site)
    size = {SiteKind.CABINET: f", for {site.size}", SiteKind.CLOSURE: f", for {site.size} joints"}.get(site.kind, "")
    splices = [place for place in found if not place.joint.is_connector]
    connectors = [place for place in found if place.joint.is_connector]
    held = listing(len(splices), len(connectors), dossier.splitters_at[id])
    areas = sorted(dossier.areas_of([id]))
    hangs = f" It belongs to {', '.join(areas)}." if areas and areas != [id] else ""
    phase = f" Phase {dossier.lit.get(id, 1)}." if dossier.phases > 1 else ""
    return element(
        "section",
        element("h2", f"{id}: {dossier.site_where(site)}", id=f"site-{number}"),
        element("p", f"{site.kind.value.capitalize()}{size}, at {lat:.6f} N {lon:.6f} E. {held}.{hangs}{phase}"),
        element("figure", sketches.draw(site, f"sketch-{number}")),
        _cables(dossier, id),
        _joints(dossier, id, f"Splices at {id}", splices) if splices else None,
        _joints(dossier, id, f"Connectors at {id}", connectors) if connectors else None,
        element(
            "div",
            [element("span", word) for word in ("Spliced by, date", "Measured by, date", "Remarks")],
            class_="crew",
        ),
        class_="sheet",
        aria_labelledby=f"site-{number}",
    )


def listing(splices: int, connectors: int, splitters: int) -> str:
    """What is at a site, in words."""
    told = [counted(splices, "splice"), counted(connectors, "connector"), counted(splitters, "splitter")]
    return ", ".join(words for count, words in zip((splices, connectors, splitters), told, strict=True) if count)


def _cables(dossier: Dossier, id: str) -> Markup:
    rows = [_cable_row(dossier, passing) for passing in cables_at(dossier, id)]
    heads = ("Cable", "Fibres", "Comes from", "Goes to", "Joined here", "Pass uncut")
    return _table(f"Cables at {id}", heads, rows, numbers=(1, 4, 5))


def _cable_row(dossier: Dossier, passing: Passing) -> list[object]:
    def there(site: str | None) -> str:
        if site is None:
            return ""
        row = dossier.sites[site].premises
        return site if row is None else dossier.label(row)

    cable = passing.cable
    before = there(passing.before) or "begins here"
    behind = there(passing.behind) or "ends here"
    return [cable.id, cable.fibres, before, behind, passing.joined, passing.uncut or ""]


def _joints(dossier: Dossier, id: str, caption: str, found: list[Place]) -> Markup:
    """Joints, a row each. Where no end of a side is a cable's fibre, that side has no colours. The head names the site:
    it stands again on each further page, which may come loose."""
    ends = [[place.near for place in found], [place.far for place in found]]
    coloured = [any(isinstance(end, Fibre) for end in side) for side in ends]
    heads, numbers = [f"At {id}"], list[int]()
    for side, has_colours in zip(("From", "To"), coloured, strict=True):
        numbers.append(len(heads) + 1)
        heads += [side, "No.", "Tube and fibre"] if has_colours else [side, "No."]
    rows = list[list[object]]()
    for place in found:
        row: list[object] = [place.place]
        for end, has_colours in zip((place.near, place.far), coloured, strict=True):
            row += [*_named(end), _colour(dossier, end)] if has_colours else _named(end)
        rows.append([*row, leads_to(dossier, place.paths)])
    return _table(caption, (*heads, "Leads to"), rows, numbers=tuple(numbers), class_="joints")


def _named(end: End) -> tuple[str, int | str]:
    """What an end is of, and its number there. A splitter's leg on the office's side has none: it is the way in."""
    name, number = end_name(end)
    return name, "in" if isinstance(end, Leg) and not number else number


def _colour(dossier: Dossier, end: End) -> Markup | str:
    mark = end_marking(dossier, end)
    if mark is None:
        return ""
    tube = mark.tube_colour.split()[0]
    told = f"{mark.tube} {mark.tube_colour}, "
    return together(_swatch(tube), told, _swatch(mark.colour), f"{mark.place} {mark.colour}")


def _swatch(colour: str) -> Markup:
    return element("span", class_="swatch", style=f"background:{SWATCHES[colour]}", aria_hidden="true")


def _table(
    caption: str,
    heads: tuple[str, ...],
    rows: Sequence[Sequence[object]],
    *,
    numbers: tuple[int, ...],
    class_: str | None = None,
) -> Markup:
    def side(place: int) -> str | None:
        return "n" if place in numbers else None

    return framed(
        caption,
        element("thead", element("tr", [element("th", h, scope="col", class_=side(n)) for n, h in enumerate(heads)])),
        element(
            "tbody",
            [
                element(
                    "tr",
                    element("th", row[0], scope="row", class_=side(0)),
                    [element("td", cell, class_=side(n)) for n, cell in enumerate(row[1:], start=1)],
                )
                for row in rows
            ],
        ),
        class_=class_,
    )
