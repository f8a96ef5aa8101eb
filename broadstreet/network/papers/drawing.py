"""The map of a plan as SVG: streets thin, what is opened by what lies in it, sites by their shape; clear in grey, too.

A unit is a tenth of a millimetre on paper. North is up. Everything that is told by colour is told by width, dash or
shape as well.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from math import atan2, degrees, floor, hypot, log10
from typing import Final

import numpy as np

from broadstreet.network.design import Site, SiteKind
from broadstreet.network.ground import WayKind
from broadstreet.network.ground.streets import PLANT
from broadstreet.network.papers.dossier import Dossier, counted
from broadstreet.network.papers.layers import carried
from broadstreet.network.papers.markup import Markup, element
from broadstreet.network.papers.plot import WIDTH, Frame

MOST_LABELS: Final = 26
LARGE: Final = frozenset({SiteKind.OFFICE, SiteKind.CABINET})
_ORDER: Final = ("nothing", "drop", "distribution", "feeder")


class Map:
    """Draws a plan, or one area of it."""

    def __init__(self, dossier: Dossier, area: str | None = None) -> None:
        self.dossier, self.area = dossier, area
        self.plot = dossier.plot
        self.opened = dossier.design.opened
        self.strong = [way for way in self.opened if area is None or self._is_mine(way)]
        served = {path.premises for path, of in zip(dossier.paths, dossier.areas, strict=True) if area in (None, of)}
        self.served = sorted(served)
        held = [self.plot.course(way) for way in self._framing()]
        self.frame = Frame.about(np.concatenate([*held, self.plot.homes[self.served]]))

    def _framing(self) -> list[int]:
        """The ways that the frame is about: those of one area alone, where it is drawn by itself."""
        if self.area is None:
            return self.strong
        mine = [w for w in self.strong if self.dossier.areas_of(c.id for c, _ in self.dossier.lying[w]) == {self.area}]
        return mine or self.strong

    def _is_mine(self, way: int) -> bool:
        return self.area in self.dossier.areas_of(cable.id for cable, _ in self.dossier.lying[way])

    def draw(self, id: str) -> Markup:
        """The map. id: of its description on the page."""
        height = self.frame.height
        return element(
            "svg",
            element("title", self.title(), id=f"{id}-title"),
            element("desc", self.description(), id=f"{id}-text"),
            self._streets(),
            self._opened(),
            self._premises(),
            self._labels(),
            self._sites(),
            self._scale(),
            self._north(),
            class_="map",
            viewBox=f"0 0 {WIDTH} {height}",
            role="img",
            aria_labelledby=f"{id}-title {id}-text",
        )

    def title(self) -> str:
        """What the map shows."""
        return "Map of the plan" if self.area is None else f"Map of the area of {self.area}"

    def description(self) -> str:
        """The map in words."""
        metres = float(sum(self.dossier.ground.ways.length_m[way] for way in self.strong))
        kinds = [site.kind for site in self._standing()]
        stand = ", ".join(
            counted(kinds.count(kind), kind.value)
            for kind in (SiteKind.OFFICE, SiteKind.CABINET, SiteKind.CLOSURE)
            if kind in kinds
        )
        return (
            f"{metres / 1000:.1f} km of ways lead to {len(self.served):,} premises, by {stand}. The tables hold "
            "all of it."
        )

    def _d(self, ways: Iterable[int]) -> str:
        return self.plot.path(self.frame, ways)

    def _streets(self) -> list[Markup]:
        kinds = self.dossier.ground.ways.kind
        streets = np.flatnonzero(kinds == WayKind.STREET).tolist()
        paths = np.flatnonzero((kinds == WayKind.PATH) | (kinds == WayKind.CROSSING)).tolist()
        found = (("s-path", paths), ("s-street", streets))
        return [element("path", class_=name, d=self._d(ways)) for name, ways in found]

    def _opened(self) -> list[Markup]:
        by_load: defaultdict[str, list[int]] = defaultdict(list)
        for way in self.strong:
            by_load[carried(self.dossier, way) or "nothing"].append(way)
        strong = set(self.strong)
        kinds = self.dossier.ground.ways.kind
        plant = [way for way in self.strong if WayKind(int(kinds[way])) in PLANT]
        drawn = [element("path", class_="w w-other", d=self._d(way for way in self.opened if way not in strong))]
        drawn += [element("path", class_=f"w w-{name}", d=self._d(by_load[name])) for name in _ORDER if by_load[name]]
        return [*drawn, element("path", class_="w w-plant", d=self._d(plant)) if plant else Markup("")]

    def _premises(self) -> list[Markup]:
        ground, served = self.dossier.ground, set(self.served)
        homes = self.frame.at(self.plot.homes)
        nodes = self.frame.at(self.plot.plane.points(ground.lon, ground.lat))[ground.premises.node]
        drops = "".join(
            f"M{a[0]:.0f} {a[1]:.0f}L{b[0]:.0f} {b[1]:.0f}"
            for a, b in zip(nodes[self.served], homes[self.served], strict=True)
        )
        dots = "".join(dot(x, y, 4) for x, y in homes[self.served])
        found = [element("path", class_="d", d=drops), element("path", class_="p", d=dots)]
        if self.area is None and (left := [row for row in range(len(homes)) if row not in served]):
            found.append(element("path", class_="p-not", d="".join(dot(x, y, 4) for x, y in homes[left])))
        return found

    def _standing(self) -> list[Site]:
        """The sites that are drawn: those of the area, and its office."""
        found = [site for site in self.dossier.sites.values() if site.kind is not SiteKind.PREMISES]
        if self.area is None:
            return found
        return [s for s in found if s.kind is SiteKind.OFFICE or self.area in self.dossier.areas_of([s.id])]

    def _spot(self, site: Site) -> tuple[float, float]:
        lon, lat = self.dossier.site_place(site)
        x, y = self.frame.at(self.plot.plane.points(np.array([lon]), np.array([lat])))[0].tolist()
        return x, y

    def _sites(self) -> list[Markup]:
        """Closures first, so that cabinets and offices lie above them."""
        marks: defaultdict[SiteKind, list[str]] = defaultdict(list)
        names = []
        for site in self._standing():
            x, y = self._spot(site)
            if site.kind is SiteKind.OFFICE:
                marks[site.kind].append(f"M{x - 20:.0f} {y - 20:.0f}h40v40h-40z")
                names.append(
                    element(
                        "text", self.dossier.site_where(site), class_="t t-site", x=f"{x + 32:.0f}", y=f"{y + 11:.0f}"
                    )
                )
            elif site.kind is SiteKind.CABINET:
                marks[site.kind].append(f"M{x:.0f} {y - 20:.0f}l20 20l-20 20l-20-20z")
                number = site.id.rpartition("-")[2]
                names.append(element("text", number, class_="t t-site", x=f"{x + 26:.0f}", y=f"{y + 11:.0f}"))
            else:
                marks[site.kind].append(dot(x, y, 6))
        order = (SiteKind.CLOSURE, SiteKind.CABINET, SiteKind.OFFICE)
        return [
            element("path", class_=f"c-{kind.value}", d="".join(marks[kind])) for kind in order if marks[kind]
        ] + names

    def _labels(self) -> list[Markup]:
        """Names of the streets in which most is opened, each once, where there is room for it."""
        ways = self.dossier.ground.ways
        metres: defaultdict[str, float] = defaultdict(float)
        longest: dict[str, int] = {}
        for way in self.strong:
            if name := self.dossier.naming.street(way):
                metres[name] += float(ways.length_m[way])
                if name not in longest or ways.length_m[way] > ways.length_m[longest[name]]:
                    longest[name] = way
        found, taken = list[Markup](), [(*self._spot(site), 60.0) for site in self._standing() if site.kind in LARGE]
        for name in sorted(metres, key=lambda name: (-metres[name], name)):
            points = self.frame.at(self.plot.course(longest[name]))
            (x0, y0), (x1, y1) = points[0], points[-1]
            x, y = (x0 + x1) / 2, (y0 + y1) / 2
            half = 7.0 * len(name)
            is_free = all(hypot(x - at[0], y - at[1]) > 0.8 * (half + at[2]) for at in taken)
            if (
                len(found) == MOST_LABELS
                or not is_free
                or not half < x < WIDTH - half
                or not 80 < y < self.frame.height - 80
            ):
                continue
            taken.append((x, y, half))
            turn = degrees(atan2(y1 - y0, x1 - x0))
            turn += 180 if turn < -90 else -180 if turn > 90 else 0
            found.append(
                element("text", name, class_="t", transform=f"translate({x:.0f} {y:.0f}) rotate({turn:.0f})", dy="-9")
            )
        return found

    def _scale(self) -> list[Markup]:
        metres = nice(450 / self.frame.scale)
        length, y = metres * self.frame.scale, self.frame.height - 50
        told = f"{metres:,.0f} m" if metres < 1000 else f"{metres / 1000:,.0f} km"
        return [
            element("path", class_="scale", d=f"M40 {y - 14}v14h{length:.0f}v-14"),
            element("text", told, class_="t-scale", x=f"{40 + length + 16:.0f}", y=y + 4),
        ]

    def _north(self) -> list[Markup]:
        x = WIDTH - 60
        return [
            element("path", class_="scale", d=f"M{x} 100V40m-16 20l16-20l16 20"),
            element("text", "N", class_="t-scale", x=x, y=136, text_anchor="middle"),
        ]


def legend(*, is_whole: bool, has_plant: bool, has_left: bool) -> Markup:
    """What the lines and marks of a map mean."""
    lines = (
        ("w w-feeder", "", "opened, with feeders"),
        ("w w-distribution", "", "opened, with distribution cables"),
        ("w w-drop", "", "opened, with drops alone"),
        *((("w w-feeder", "w w-plant", "lies there already"),) if has_plant else ()),
        *((("w w-other", "", "opened for other areas"),) if not is_whole else ()),
        ("s-street", "", "street"),
    )
    marks = (
        ("c-office", "M50 10h40v40h-40z", "central office"),
        ("c-cabinet", "M70 10l20 20l-20 20l-20-20z", "cabinet, with its number"),
        ("c-closure", dot(70, 30, 9), "closure"),
        ("p", dot(70, 30, 7), "premises"),
        *((("p-not", dot(70, 30, 7), "premises that are not served"),) if has_left else ()),
    )
    swatches = [([element("path", class_=n, d="M5 30H135") for n in (name, over) if n], t) for name, over, t in lines]
    swatches += [([element("path", class_=name, d=d)], told) for name, d, told in marks]
    return element(
        "ul",
        [element("li", element("svg", s, viewBox="0 0 140 60", aria_hidden="true"), told) for s, told in swatches],
        class_="legend",
    )


def nice(metres: float) -> float:
    """The greatest of 1, 2 and 5 times a power of ten that is no longer."""
    power = 10 ** floor(log10(max(metres, 1.0)))
    return float(max(step * power for step in (1, 2, 5) if step * power <= max(metres, 1.0)))


def dot(x: float, y: float, radius: int) -> str:
    return f"M{x - radius:.0f} {y:.0f}a{radius} {radius} 0 1 0 {2 * radius} 0a{radius} {radius} 0 1 0 {-2 * radius} 0"
