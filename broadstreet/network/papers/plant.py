"""Networks by the Open Fibre Data Standard on a page that prints: drawn with their north up, and told beside in tables.

What has no route is drawn straight and dashed; what has no place is told and not drawn. The page is one file and
fetches nothing: there is no map below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from broadstreet.model.errors import InvalidInput, TooLarge
from broadstreet.network.ground.courses import F8, Plane
from broadstreet.network.ofds import Layers, Network, Survey, layers_of, survey
from broadstreet.network.papers.dossier import counted
from broadstreet.network.papers.drawing import nice
from broadstreet.network.papers.markup import Markup, element, together
from broadstreet.network.papers.page import grid, page, pairs, section
from broadstreet.network.papers.plot import EDGE, WIDTH, Frame
from broadstreet.network.papers.table import Column, Sort, Table

MAX_DRAWN: Final = 20_000
"""Nodes and spans of one page: a browser shows no more of them at once."""
_SPAN_COLUMNS: Final = (
    Column("name", "Span"),
    Column("status", "Status"),
    Column("operators", "Operators"),
    Column("carrier", "Carried by"),
    Column("length_m", "Length, m", Sort.METRES, is_summed=True),
    Column("route", "Route"),
)
_NODE_COLUMNS: Final = (
    Column("name", "Node"),
    Column("status", "Status"),
    Column("operators", "Operators"),
    Column("type", "Type"),
    Column("lon", "Longitude", Sort.DEGREES),
    Column("lat", "Latitude", Sort.DEGREES),
)
_NOT_SAID: Final = "not said"


def write_map_page(out: Path, networks: Sequence[Network], title: str) -> None:
    """Write the page. Raises InvalidInput where it cannot be written, TooLarge for more than a page can show."""
    count = sum(len(network.nodes) + len(network.spans) for network in networks)
    if count > MAX_DRAWN:
        raise TooLarge(
            f"{count:,} nodes and spans are more than the {MAX_DRAWN:,} that a page shows",
            where=title,
            remedy="Convert it to geojson, and open that in a geographic information system.",
        )
    try:
        out.write_text(map_page(networks, title), encoding="utf-8")
    except OSError as error:
        remedy = "Name a folder that is there, and that you may write to."
        raise InvalidInput(f"it cannot be written: {error.strerror}", where=str(out), remedy=remedy) from None


def map_page(networks: Sequence[Network], title: str) -> Markup:
    """A part for each network: its map, its figures, its spans, its nodes."""
    parts = [_part(number, network) for number, network in enumerate(networks, start=1)]
    return page(title, title, element("main", element("h1", title), *parts))


def _part(number: int, network: Network) -> Markup:
    layers, found = layers_of(network), survey(network)
    return section(
        found.name,
        _drawn(layers, found, f"map-{number}"),
        _figures(found),
        grid(Table("spans", "Spans", "", _SPAN_COLUMNS, [_span(one) for one in layers.spans["features"]])),
        grid(Table("nodes", "Nodes", "", _NODE_COLUMNS, [_node(one) for one in layers.nodes["features"]])),
        id=f"network-{number}",
        fresh=number > 1,
    )


def _span(feature: dict[str, Any]) -> tuple[str | float, ...]:
    of = feature["properties"]
    route = "missing, drawn straight" if of.get("straight") else "drawn"
    return (*_head(of), of["carrier"], of["lengthM"], route)


def _node(feature: dict[str, Any]) -> tuple[str | float, ...]:
    of, (lon, lat) = feature["properties"], feature["geometry"]["coordinates"]
    return (*_head(of), of.get("type", _NOT_SAID), lon, lat)


def _head(of: dict[str, Any]) -> tuple[str, str, str]:
    name = of.get("name") or of.get("id") or ""
    return name, of.get("status", _NOT_SAID), of.get("providers") or of.get("owner") or _NOT_SAID


def _figures(found: Survey) -> Markup:
    rows: list[tuple[str, str]] = [("Nodes", f"{found.nodes:,}"), ("Spans", f"{found.spans:,}")]
    rows += [(f"{status}, km", f"{length_m / 1000:,.1f}") for status, length_m in sorted(found.length_m.items())]
    rows.append(("Along one way counted once, km", f"{found.ways_m / 1000:,.1f}"))
    for count, told in (
        (found.straight, "Spans without a route, drawn straight"),
        (found.without_course, "Spans with neither a route nor two nodes that have places, not drawn"),
        (found.without_place, "Nodes without a place, not drawn"),
    ):
        if count:
            rows.append((told, f"{count:,}"))
    return pairs("In figures", list(rows))


def _drawn(layers: Layers, found: Survey, id: str) -> Markup | None:
    """The map: 1,800 units wide, as tall as the network is."""
    lines = [np.array(one["geometry"]["coordinates"], dtype=np.float64)[:, :2] for one in layers.spans["features"]]
    places = [one["geometry"]["coordinates"][:2] for one in layers.nodes["features"]]
    dots = np.array(places, dtype=np.float64).reshape(-1, 2)
    points = np.concatenate([*lines, dots])
    if not len(points):
        return None
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    plane = Plane.at(float(middle[0]), float(middle[1]))
    frame = Frame.about(plane.points(points[:, 0], points[:, 1]))

    def at(given: F8) -> list[list[float]]:
        placed: list[list[float]] = frame.at(plane.points(given[:, 0], given[:, 1])).tolist()
        return placed

    spans = [
        element(
            "path",
            element("title", _head(one["properties"])[0]),
            d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in at(line)),
            fill="none",
            stroke="currentColor",
            stroke_width=5,
            stroke_dasharray="14 12" if one["properties"].get("straight") else None,
        )
        for one, line in zip(layers.spans["features"], lines, strict=True)
    ]
    nodes = [
        element(
            "circle",
            element("title", _head(one["properties"])[0]),
            cx=f"{x:.1f}",
            cy=f"{y:.1f}",
            r=9,
            fill="Canvas",
            stroke="currentColor",
            stroke_width=4,
        )
        for one, (x, y) in zip(layers.nodes["features"], at(dots), strict=True)
    ]
    length_m = nice(WIDTH / frame.scale / 6)
    scale = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    told = f"{counted(found.spans, 'span')} and {counted(found.nodes, 'node')}, north up; the tables below name them"
    drawn = element(
        "svg",
        together(element("title", f"Map of {found.name}", id=f"{id}-title"), element("desc", told, id=f"{id}-text")),
        spans,
        nodes,
        element("path", class_="scale", d=f"M{EDGE} {frame.height - 54}v14h{length_m * frame.scale:.0f}v-14"),
        element("text", scale, class_="t-scale", x=f"{EDGE + 16 + length_m * frame.scale:.0f}", y=frame.height - 36),
        class_="map",
        viewBox=f"0 0 {WIDTH} {frame.height}",
        role="img",
        aria_labelledby=f"{id}-title {id}-text",
    )
    return element("figure", drawn)
