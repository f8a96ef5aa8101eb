"""Where a site is, for who goes there: the streets about it, what is opened, its neighbours, and the site itself."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import numpy as np
import shapely

from broadstreet.network.design import Site, SiteKind
from broadstreet.network.ground import WayKind
from broadstreet.network.papers.dossier import Dossier
from broadstreet.network.papers.drawing import dot, nice
from broadstreet.network.papers.layers import carried
from broadstreet.network.papers.markup import Markup, element
from broadstreet.network.papers.plot import EDGE, WIDTH, Frame

WIDE_M: Final = 240.0
HEIGHT: Final = 680
_MARKS: Final = {SiteKind.CLOSURE: "c-closure", SiteKind.CABINET: "c-cabinet", SiteKind.OFFICE: "c-office"}


class Sketches:
    """Draws the surroundings of sites."""

    def __init__(self, dossier: Dossier) -> None:
        self.dossier, self.plot = dossier, dossier.plot
        self.kinds = dossier.ground.ways.kind
        self.is_street = self.kinds == WayKind.STREET
        self.is_path = (self.kinds == WayKind.PATH) | (self.kinds == WayKind.CROSSING)
        self.carries: dict[int, str] = {way: carried(dossier, way) or "nothing" for way in dossier.design.opened}
        self.is_opened = np.zeros(len(self.kinds), dtype=np.bool_)
        self.is_opened[list(dossier.design.opened)] = True
        self.sites = [site for site in dossier.sites.values() if site.kind is not SiteKind.PREMISES]
        places = np.array([dossier.site_place(site) for site in self.sites])
        self.places = self.plot.plane.points(places[:, 0], places[:, 1])
        self.number = {site.id: number for number, site in enumerate(self.sites)}
        self.homes = shapely.STRtree(np.asarray(shapely.points(self.plot.homes)))
        self.nodes = self.plot.plane.points(dossier.ground.lon, dossier.ground.lat)[dossier.ground.premises.node]
        self.served = set(dossier.design.served)

    def draw(self, site: Site, id: str) -> Markup:
        """The sketch of a site. id: of its description on the page."""
        east_m, north_m = self.places[self.number[site.id]].tolist()
        frame = Frame.around(east_m, north_m, WIDE_M, HEIGHT)
        seen = self.plot.seen(frame)
        opened = np.flatnonzero(seen & self.is_opened).tolist()
        by_load: defaultdict[str, list[int]] = defaultdict(list)
        for way in opened:
            by_load[self.carries[way]].append(way)
        told = f"{self.dossier.site_where(site)}: the streets {WIDE_M:.0f} m about {site.id}, which is ringed"
        length = nice(WIDE_M / 6) * frame.scale
        return element(
            "svg",
            element("title", f"Where {site.id} is", id=f"{id}-title"),
            element("desc", told, id=f"{id}-text"),
            element("path", class_="s-path", d=self.plot.path(frame, np.flatnonzero(seen & self.is_path))),
            element("path", class_="s-street", d=self.plot.path(frame, np.flatnonzero(seen & self.is_street))),
            [element("path", class_=f"w w-{n}", d=self.plot.path(frame, by_load[n])) for n in sorted(by_load)],
            self._premises(frame),
            self._names(frame, opened),
            self._sites(frame, site),
            element("path", class_="scale", d=f"M40 {HEIGHT - 54}v14h{length:.0f}v-14"),
            element("text", f"{nice(WIDE_M / 6):g} m", class_="t-scale", x=f"{56 + length:.0f}", y=HEIGHT - 36),
            class_="map",
            viewBox=f"0 0 {WIDTH} {HEIGHT}",
            role="img",
            aria_labelledby=f"{id}-title {id}-text",
        )

    def _premises(self, frame: Frame) -> list[Markup]:
        """Those that are served, with their drops and labels."""
        east_m, south_m = frame.west_m + WIDE_M, frame.north_m - frame.height / frame.scale
        near = sorted(self.homes.query(shapely.box(frame.west_m, south_m, east_m, frame.north_m)).tolist())
        rows = [row for row in near if row in self.served]
        if not rows:
            return []
        homes, nodes = frame.at(self.plot.homes[rows]).tolist(), frame.at(self.nodes[rows]).tolist()
        drops = "".join(f"M{a:.0f} {b:.0f}L{x:.0f} {y:.0f}" for (a, b), (x, y) in zip(nodes, homes, strict=True))
        labels = [_number(self.dossier.ground.premises.demand.labels[row]) for row in rows]
        return [
            element("path", class_="d", d=drops),
            element("path", class_="p", d="".join(dot(x, y, 6) for x, y in homes)),
            *(
                element("text", label, class_="t", x=f"{x:.0f}", y=f"{y - 14:.0f}")
                for label, (x, y) in zip(labels, homes, strict=True)
                if label
            ),
        ]

    def _names(self, frame: Frame, opened: list[int]) -> list[Markup]:
        """Each street's name once, along the longest of its opened ways that is in sight."""
        longest: dict[str, int] = {}
        metres = self.dossier.ground.ways.length_m
        for way in opened:
            name = self.dossier.naming.street(way)
            if name and (name not in longest or metres[way] > metres[longest[name]]):
                longest[name] = way
        found = []
        for name, way in sorted(longest.items()):
            ends = frame.at(self.plot.course(way)[[0, -1]]).clip(0, (WIDTH, HEIGHT))
            (x0, y0), (x1, y1) = sorted(ends.tolist())
            x, y = (x0 + x1) / 2, (y0 + y1) / 2
            turn = float(np.degrees(np.arctan2(y1 - y0, x1 - x0)))
            if 7 * len(name) < x < WIDTH - 7 * len(name) and 60 < y < HEIGHT - 60:
                where = f"translate({x:.0f} {y:.0f}) rotate({turn:.0f})"
                found.append(element("text", name, class_="t t-street", transform=where, dy="34"))
        return found

    def _sites(self, frame: Frame, site: Site) -> list[Markup]:
        spots = frame.at(self.places).tolist()
        drawn = []
        for other, (x, y) in zip(self.sites, spots, strict=True):
            if not (-EDGE < x < WIDTH + EDGE and -EDGE < y < HEIGHT + EDGE):
                continue
            shape = {
                SiteKind.OFFICE: f"M{x - 16:.0f} {y - 16:.0f}h32v32h-32z",
                SiteKind.CABINET: f"M{x:.0f} {y - 18:.0f}l18 18l-18 18l-18-18z",
            }.get(other.kind, dot(x, y, 11))
            drawn.append(element("path", class_=_MARKS[other.kind], d=shape))
            if other is site:
                drawn.append(element("path", class_="here", d=dot(x, y, 34)))
        return drawn


def _number(label: str) -> str:
    """A house's number, where its label ends with one."""
    last = label.rsplit(" ", 1)[-1]
    return last if any(map(str.isdigit, last)) else ""
